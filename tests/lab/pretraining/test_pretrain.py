"""Pre-training: the same seed gives the same losses, also when the run is killed on the way."""

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer, LlamaForCausalLM

from dragoman.errors import TrainingError
from dragoman.lab import BACKBONE
from dragoman.lab.pretraining import mixture, pretrain
from dragoman.lab.pretraining.kinds import KINDS
from dragoman.lab.pretraining.packing import BLOCKS, IGNORED, mask_of, pack, targets_of, weights_of
from dragoman.lab.pretraining.pretrain import Place, Settings

TINY = Settings(
    vocabulary=600,
    hidden=64,
    layers=2,
    heads=2,
    intermediate=96,
    width=256,
    rows=3,
    documents=24,
    tokenizer_documents=120,
    restart=3500,
    restart_rows=2,
    state_seconds=0.0,
    compiled=False,
)
TOKENS = 6000


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Products as small as these are slower on several, and much slower where others use them too."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def few_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    small = tuple(mixture.Direction(d.source, d.target, 30, d.weight) for d in mixture.DIRECTIONS)
    monkeypatch.setattr(mixture, "DIRECTIONS", small)


def losses(out: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (out / "losses.jsonl").read_text().splitlines()]


def run(out: Path, **changes: object) -> Path:
    return pretrain.pretrain(out, **{"seed": 3, "tokens": TOKENS, "device": "cpu", "settings": TINY, **changes})  # type: ignore[arg-type]


def test_a_killed_run_goes_on_to_the_same_losses_and_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = run(tmp_path / "whole")
    expected = losses(tmp_path / "whole")
    assert len(expected) > 8  # further than one chunk of documents
    assert expected[-1] < expected[0] - 0.3

    save = pretrain._save

    def killed_at_the_sixth(out: Path, model: Any, optimizers: Any, place: Place) -> None:
        if place.step == 6:
            raise KeyboardInterrupt
        save(out, model, optimizers, place)

    monkeypatch.setattr(pretrain, "_save", killed_at_the_sixth)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "killed")
    monkeypatch.setattr(pretrain, "_save", save)
    again = run(tmp_path / "killed")

    assert "going on after step 5" in capsys.readouterr().err
    assert losses(tmp_path / "killed") == expected
    assert (again / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()


def test_another_seed_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    run(tmp_path, tokens=500)
    with pytest.raises(TrainingError, match="other settings \\(seed 3 → 4\\)"):
        run(tmp_path, tokens=500, seed=4)
    run(tmp_path, tokens=500, seed=4, resume=False)


def test_a_slow_machine_comes_to_its_end_in_time(tmp_path: Path) -> None:
    backbone = run(tmp_path, tokens=10**9, minutes=0.02)
    facts = json.loads((backbone / "card.json").read_text())["training"]
    assert 1 <= facts["steps"] < 10_000
    assert facts["minutes"] < 0.2
    assert facts["tokens"] <= facts["steps"] * facts["step_tokens"]


@pytest.mark.parametrize(
    ("tokens", "seconds", "restarted", "factor"),
    [
        (0, 0.0, 0.0, 0.02),  # the first step
        (50, 0.0, 0.0, 0.5 * (1 + math.cos(math.pi * 0.05))),
        (500, 9.9, 0.0, 0.5),
        (500, 75.0, 0.0, 0.5 * (1 + math.cos(math.pi * 0.75))),  # time runs out first
        (600, 60.0, 60.0, 0.4),  # begun once more, from lower down
        (800, 61.0, 60.0, 0.2),
        (800, 90.0, 60.0, 0.4 * 0.5 * (1 + math.cos(math.pi * 0.75))),
        (1000, 61.0, 60.0, 0.0),
    ],
)
def test_the_rate_follows_tokens_or_the_time_that_runs_out(
    tokens: int, seconds: float, restarted: float, factor: float
) -> None:
    settings = replace(TINY, restart=600, restart_rate=0.4)
    place = Place(tokens=tokens, seconds=seconds + 0.01, restarted=restarted)
    assert pretrain._rate(place, 1000, 100.0, settings) == pytest.approx(factor)


def test_documents_are_packed_whole_and_what_is_too_long_is_counted() -> None:
    rows = pack([[1] * 5, [2] * 4, [3] * 9, [4] * 3], width=8)
    assert rows.left_out == 1
    assert rows.ids.tolist() == [[1, 1, 1, 1, 1, 4, 4, 4], [2, 2, 2, 2, 0, 0, 0, 0]]
    assert rows.owners.tolist() == [[1, 1, 1, 1, 1, 2, 2, 2], [1, 1, 1, 1, 0, 0, 0, 0]]


def test_no_target_lies_in_another_document() -> None:
    ids = torch.tensor([[5, 6, 7, 8, 0]])
    owners = torch.tensor([[1, 1, 2, 2, 0]])
    assert targets_of(ids, owners).tolist() == [[6, IGNORED, 8, IGNORED, IGNORED]]


def test_what_the_assistant_says_counts_in_full_and_the_rest_as_much_as_asked_for() -> None:
    """6 begins the user's turn, 7 the assistant's; the second document is no conversation."""
    ids = torch.tensor([[1, 6, 20, 2, 7, 21, 2, 1, 22, 2, 0]])
    owners = torch.tensor([[1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 0]])
    weights = weights_of(ids, owners, 7, (5, 6), torch.tensor(0.25))
    assert weights.tolist() == [[1.0, 0.25, 0.25, 0.25, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0]]


def test_no_token_sees_another_document_in_blocks_as_alone() -> None:
    """More than one block wide, so that the blocks' seam is inside a document."""
    torch.manual_seed(0)
    tokenizer = type("Ids", (), {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0})
    model = LlamaForCausalLM(pretrain._config(tokenizer, TINY)).eval()
    documents = [torch.randint(3, 600, (length,)).tolist() for length in (100, 90, 60)]
    rows = pack(documents, width=256)
    ids, owners = torch.from_numpy(rows.ids.astype("int64")), torch.from_numpy(rows.owners)
    model.set_attn_implementation(BLOCKS)
    with torch.no_grad():
        packed = model(input_ids=ids, attention_mask=mask_of(owners), use_cache=False).logits[0]
        model.set_attn_implementation("sdpa")
        start = 0
        for document in documents:
            alone = model(input_ids=torch.tensor([document]), use_cache=False).logits[0]
            assert torch.allclose(packed[start : start + len(document)], alone, atol=1e-4)
            start += len(document)


def test_a_grown_model_begins_as_the_backbone() -> None:
    tokenizer = AutoTokenizer.from_pretrained(BACKBONE)
    deep = LlamaForCausalLM(pretrain._config(tokenizer, KINDS["stronger"].settings)).eval()
    pretrain._grow(deep)
    small = LlamaForCausalLM.from_pretrained(BACKBONE, dtype=torch.float32).eval()
    ids = torch.tensor([tokenizer("Diese Malerinnen werden schlafen.")["input_ids"]])
    assert len(deep.model.layers) == 8
    assert len(small.model.layers) == 5
    with torch.no_grad():
        assert torch.allclose(deep(ids).logits, small(ids).logits, atol=1e-5)
