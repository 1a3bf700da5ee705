"""Models are found, named by their contents, and loaded from safetensors only."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from dragoman.errors import EngineError
from dragoman.generation.ask import Ids, Sampling
from dragoman.generation.hf.engine import HfEngine
from dragoman.models.loading import fingerprint, load_model, locate, pick_dtype
from dragoman.store import Digests


@pytest.fixture
def saved(tiny: Any, tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    tiny.save_pretrained(folder)
    return folder


def test_a_model_from_disk_answers_like_the_one_saved(
    saved: Path, tiny: Any, spell: Callable[[Sequence[int]], str], prompts: list[Ids]
) -> None:
    sampling = Sampling(12, (5,), temperature=0.7)
    engine = HfEngine(saved, decode=spell, precision="fp32", device="cpu")
    expected = dict(HfEngine(tiny, decode=spell).complete(prompts, sampling))
    assert dict(engine.complete(prompts, sampling)) == expected
    assert engine.model.dtype == torch.float32
    engine.close()
    assert load_model(saved, precision="bf16", device="cpu").dtype == torch.bfloat16


def test_an_adapter_changes_the_answers(
    saved: Path, tmp_path: Path, spell: Callable[[Sequence[int]], str], prompts: list[Ids]
) -> None:
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(0)
    config = LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False)
    adapted = get_peft_model(load_model(saved, precision="fp32", device="cpu"), config)
    adapted.save_pretrained(tmp_path / "adapter")
    sampling = Sampling(12, (5,))
    plain = dict(HfEngine(saved, decode=spell, precision="fp32").complete(prompts, sampling))
    engine = HfEngine(saved, decode=spell, precision="fp32", adapter=tmp_path / "adapter")
    answers = dict(engine.complete(prompts, sampling))
    assert sum(answers[index].ids != plain[index].ids for index in answers) > 18
    merged = dict(HfEngine(adapted.merge_and_unload(), decode=spell).complete(prompts, sampling))
    assert sum(answers[index].ids == merged[index].ids for index in answers) >= 22
    assert fingerprint(saved, adapter=tmp_path / "adapter") != fingerprint(saved)


def test_a_fingerprint_is_of_contents(saved: Path, tmp_path: Path) -> None:
    first = fingerprint(saved)
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in saved.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    (copy / "tokenizer.json").write_text("{}", encoding="utf-8")
    assert fingerprint(copy) == first
    config = json.loads((copy / "config.json").read_text(encoding="utf-8"))
    (copy / "config.json").write_text(json.dumps(config | {"rms_norm_eps": 1e-5}), encoding="utf-8")
    assert fingerprint(copy) != first
    (copy / "config.json").write_bytes((saved / "config.json").read_bytes())
    weights = bytearray((copy / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (copy / "model.safetensors").write_bytes(weights)
    assert fingerprint(copy) != first


def test_weights_are_read_once(saved: Path, tmp_path: Path) -> None:
    memo = tmp_path / "cache" / "hashes.json"

    def known() -> str:
        digests = Digests(memo)
        found = fingerprint(saved, digest_of=digests.of)
        digests.save()
        return found

    first = known()
    weights = saved / "model.safetensors"
    state = weights.stat()
    changed = bytearray(weights.read_bytes())
    changed[-1] ^= 1
    weights.write_bytes(changed)
    os.utime(weights, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert known() == first  # same size and time: not read again
    os.utime(weights, ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    second = known()
    assert second != first
    memo.write_text("[broken", encoding="utf-8")
    assert known() == second


def test_what_is_missing_is_said(tmp_path: Path, saved: Path) -> None:
    with pytest.raises(EngineError, match=r"There is no model at .*/nowhere/at/all"):
        locate("/nowhere/at/all")
    with pytest.raises(EngineError, match="nobody/no-such-model is neither a directory here nor"):
        locate("nobody/no-such-model")
    (tmp_path / "empty").mkdir()
    with pytest.raises(EngineError, match=r"holds no model: it has no config\.json"):
        locate(tmp_path / "empty")
    (saved / "model.safetensors").rename(saved / "pytorch_model.bin")
    with pytest.raises(EngineError, match="safetensors only"):
        load_model(saved)


def test_truncated_weights_are_an_error(saved: Path) -> None:
    weights = saved / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(EngineError, match="could not be loaded"):
        load_model(saved)


def test_a_device_that_is_too_small(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Any, *where: Any) -> Any:
        raise torch.OutOfMemoryError("no room")

    monkeypatch.setattr("transformers.LlamaForCausalLM.to", full)
    numbers = r"its weights take 0\.0 GiB in float32, and cpu has \d+\.\d of \d+\.\d GiB free"
    with pytest.raises(EngineError, match=f"{numbers}.*generation.precision to bf16.*vllm.tensor_parallel"):
        load_model(saved, precision="fp32", device="cpu")
    with pytest.raises(EngineError, match="in bfloat16") as caught:
        load_model(saved, precision="bf16", device="cpu")
    assert "generation.precision" not in str(caught.value)


def test_an_adapter_of_another_model_is_refused_before_anything_is_loaded(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "adapter").mkdir()
    with pytest.raises(EngineError, match=r"holds no adapter that can be loaded: it has no adapter_config\.json"):
        load_model(saved, adapter=tmp_path / "adapter")


def test_precision_on_the_cpu_follows_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = torch.device("cpu")
    for can, expected in (({"avx512_bf16": True}, torch.bfloat16), ({"avx2": True}, torch.float32)):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda can=can: can)
        assert pick_dtype("auto", cpu) == expected
        assert pick_dtype("fp32", cpu) == torch.float32
        assert pick_dtype("bf16", cpu) == torch.bfloat16


def test_naming_a_model_and_answering_from_the_cache_need_no_torch() -> None:
    code = (
        "import sys, dragoman.generation.door, dragoman.models.loading;"
        "sys.exit(bool({'torch', 'transformers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
