"""Training all weights: against plain torch, cut off and resumed, cast and published."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional
from transformers import LlamaConfig, LlamaForCausalLM

from dragoman.errors import StoreError, TrainingError
from dragoman.prompts.examples import Example, ExampleTable
from dragoman.training import checkpoints, trainer
from dragoman.training.batching import Order
from dragoman.training.merge import merge
from dragoman.training.steps import StepTrainer
from dragoman.training.trainer import fit
from tests.tiny_models import llama
from tests.training.training_kit import VOCABULARY, examples, metrics, settings

Write = Callable[[list[Example]], ExampleTable]
PROMPTS = [(5, 6, 7), (1, 2, 3, 4, 8, 9), (90,)]
RATE = 1e-3


@pytest.fixture(scope="module")
def tied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small Llama in bf16 whose head is its embedding, as in many small models."""
    folder = tmp_path_factory.mktemp("tied")
    llama(VOCABULARY, seed=2, tie_word_embeddings=True).to(torch.bfloat16).save_pretrained(folder)
    (folder / "tokenizer.json").write_text('{"a": 1}', encoding="utf-8")
    return folder


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def _textbook(folder: Path, made: list[Example], *, batch: int, decay: float, norm: float) -> dict[str, torch.Tensor]:
    """One epoch of AdamW, written out, on the mean loss of all trained tokens of each step; the rate is constant."""
    model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32)
    weights = dict(model.named_parameters())
    first, second = ({name: torch.zeros_like(weight) for name, weight in weights.items()} for _ in range(2))
    for step, chosen in enumerate(Order(len(made), batch, 0), 1):
        above, below = torch.zeros(()), 0.0
        for example in (made[index] for index in chosen):
            ids = torch.tensor(example.ids)
            trained = torch.tensor([segment.weight for segment in example.segments for _ in segment.ids])[1:]
            logits = model(input_ids=ids[None]).logits[0, :-1]
            above = above + (functional.cross_entropy(logits, ids[1:], reduction="none") * trained).sum()
            below += float(trained.sum())
        model.zero_grad()
        (above / below).backward()
        length = torch.sqrt(sum((weight.grad**2).sum() for weight in weights.values()))
        with torch.no_grad():
            for name, weight in weights.items():
                slope = weight.grad * min(1.0, norm / float(length))
                first[name] = 0.9 * first[name] + 0.1 * slope
                second[name] = 0.999 * second[name] + 0.001 * slope**2
                if "norm" not in name:
                    weight -= RATE * decay * weight
                steady = (second[name] / (1 - 0.999**step)).sqrt() + 1e-8
                weight -= RATE * first[name] / (1 - 0.9**step) / steady
    return {name: weight.detach() for name, weight in weights.items()}


@pytest.mark.parametrize(("batch", "decay", "norm"), [(8, 0.0, 1e9), (3, 0.1, 0.5)])  # one step; three, all settings
def test_the_weights_are_those_of_plain_torch(
    batch: int, decay: float, norm: float, tied: Path, table: Write, tmp_path: Path
) -> None:
    made = examples(8)
    chosen = settings(
        lora=None, batch_size=batch, learning_rate=RATE, schedule="constant", weight_decay=decay, max_grad_norm=norm
    )
    result = fit(tied, table(made), chosen, tmp_path / "out")
    expected = _textbook(tied, made, batch=batch, decay=decay, norm=norm)
    found = _weights(result.adapter)
    assert found.keys() == expected.keys()
    assert "lm_head.weight" not in found
    before = _weights(tied)
    for name, weight in found.items():
        assert weight.dtype == torch.float32
        moved = (expected[name] - before[name].float()).abs().mean()
        torch.testing.assert_close(weight, expected[name], rtol=0, atol=float(moved) / 20, msg=name)
        assert float(moved) > 0.3 * RATE, name


def test_all_weights_learn_in_bf16_and_stay_in_fp32(tied: Path, table: Write, tmp_path: Path) -> None:
    rows = table(examples(12))
    rate, epochs = 1e-4, 6  # weights of 0.3 in bf16 would not see such steps
    for precision in ("fp32", "bf16"):
        chosen = settings(lora=None, epochs=epochs, learning_rate=rate, precision=precision)
        fit(tied, rows, chosen, tmp_path / precision)
    exact, rough = ([line["loss"] for line in metrics(tmp_path / precision)] for precision in ("fp32", "bf16"))
    assert rough == pytest.approx(exact, rel=0.01)
    assert rough[0] != exact[0]
    assert sum(rough[-3:]) < 0.99 * sum(rough[:3])  # three steps an epoch
    start = _weights(tied)
    for name, weight in _weights(tmp_path / "bf16" / "adapter").items():
        assert weight.dtype == torch.float32
        assert (weight != start[name].float()).float().mean() > 0.9, name


def test_micro_batches_packing_and_gradient_checkpoints_change_nothing(
    tiny: Path, table: Write, tmp_path: Path
) -> None:
    rows = table(examples(20))
    runs = {
        "whole": settings(lora=None, batch_size=10, learning_rate=RATE),
        "cut": settings(lora=None, batch_size=10, learning_rate=RATE, batch_tokens=60),
        "packed": settings(lora=None, batch_size=10, learning_rate=RATE, batch_tokens=150, packing="on"),
        "checkpointed": settings(lora=None, batch_size=10, learning_rate=RATE, gradient_checkpointing=True),
    }
    for name, chosen in runs.items():
        fit(tiny, rows, chosen, tmp_path / name)
    expected = metrics(tmp_path / "whole")
    assert expected[1]["loss"] < expected[0]["loss"]
    for name in list(runs)[1:]:
        for line, other in zip(metrics(tmp_path / name), expected, strict=True):
            for key in ("loss", "grad_norm", "loss/reference", "term/end"):
                assert line[key] == pytest.approx(other[key], rel=1e-4), (name, key)


def test_a_run_cut_off_while_it_saves_goes_on_with_the_same_losses_and_leaves_no_checkpoint(
    tied: Path, table: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    rows, out = table(examples(14)), tmp_path / "cut"
    chosen = settings(lora=None, epochs=3, save_every=2, learning_rate=RATE)
    seal = checkpoints.seal

    def cut_off(checkpoint: Path) -> None:
        if checkpoints.step_of(checkpoint) == 6:
            raise KeyboardInterrupt
        seal(checkpoint)

    with monkeypatch.context() as patched:
        patched.setattr(checkpoints, "seal", cut_off)
        with pytest.raises(KeyboardInterrupt):
            fit(tied, rows, chosen, out)
    # the one before is still there, as the newest was not finished
    assert sorted(path.name for path in (out / "checkpoints").iterdir()) == ["checkpoint-4", "checkpoint-6"]

    fit(tied, rows, chosen, out, label="again")
    assert "goes on from step 4 of 12" in capfd.readouterr().err
    fit(tied, rows, chosen, tmp_path / "whole")
    lines, expected = (
        [{key: value for key, value in line.items() if key != "tokens_per_second"} for line in metrics(folder)]
        for folder in (out, tmp_path / "whole")
    )
    assert lines == expected
    assert [line["step"] for line in lines] == list(range(1, 13))
    name = "adapter/model.safetensors"
    assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert sorted(path.name for path in out.iterdir()) == ["adapter", "metrics.jsonl", "training.json"]


def test_a_training_in_parts_is_the_training_in_one_piece(tied: Path, table: Write, tmp_path: Path) -> None:
    made, chosen = table(examples(14)), settings(lora=None, epochs=2, learning_rate=RATE, save_every=1)
    whole = fit(tied, made, chosen, tmp_path / "whole")
    fit(tied, made, chosen, tmp_path / "first", until=1)
    kept = [path.name for path in (tmp_path / "first" / "checkpoints").iterdir()]
    assert kept == ["checkpoint-4"]  # the newest alone
    second = fit(tied, made, chosen, tmp_path / "second", before=tmp_path / "first")
    assert (second.steps, second.tokens, second.loss) == (whole.steps, whole.tokens, whole.loss)
    parts, piece = _weights(second.adapter), _weights(whole.adapter)
    assert all(torch.equal(parts[name], piece[name]) for name in piece)


def test_a_checkpoint_with_other_weights_is_refused(tied: Path, table: Write, tmp_path: Path) -> None:
    rows, chosen = table(examples(8)), settings(lora=None, epochs=2)
    fit(tied, rows, chosen, tmp_path, until=1)
    checkpoint = tmp_path / "checkpoints" / "checkpoint-2"
    weights = _weights(checkpoint)
    weights["model.last.weight"] = weights.pop("model.norm.weight")
    (checkpoint / "model.safetensors").unlink()
    save_file(weights, checkpoint / "model.safetensors", {"format": "pt"})
    checkpoints.seal(checkpoint)
    with pytest.raises(TrainingError, match=r"2 differ in name, such as model\.norm\.weight"):
        fit(tied, rows, chosen, tmp_path)


def test_the_published_model_is_the_trained_one_rounded(tied: Path, table: Write, tmp_path: Path) -> None:
    trained = fit(tied, table(examples(24)), settings(lora=None, learning_rate=RATE), tmp_path / "fit").adapter
    assert checkpoints.is_model(trained)
    parity = merge(tied, trained, tmp_path / "model", PROMPTS)
    assert (parity.fp32_max, parity.cast, parity.tokens) == (0.0, "bfloat16", 48)
    assert 0 < parity.cast_mean < parity.cast_max < 0.5 * parity.spread
    assert parity.agreement >= 0.9
    published, exact = _weights(tmp_path / "model"), _weights(trained)
    assert published.keys() == exact.keys()
    for name, weight in published.items():
        assert torch.equal(weight, exact[name].to(torch.bfloat16)), name
    assert LlamaForCausalLM.from_pretrained(tmp_path / "model").dtype == torch.bfloat16
    assert (tmp_path / "model" / "tokenizer.json").read_text() == '{"a": 1}'
    card = (tmp_path / "model" / "README.md").read_text()
    assert f"# {tied.name}, fully fine-tuned" in card
    assert f"after the cast to bfloat16 | {parity.cast_max:.3g} |" in card
    assert "adapter" not in card
    assert json.loads((tmp_path / "model" / "parity.json").read_text())["agreement"] == parity.agreement


def test_a_model_of_other_sizes_gets_no_tokenizer_of_this_backbone(tied: Path, tiny: Path, tmp_path: Path) -> None:
    config = LlamaConfig.from_pretrained(tiny)
    config.num_hidden_layers = 1
    LlamaForCausalLM(config).save_pretrained(tmp_path / "other")
    with pytest.raises(TrainingError, match="its num_hidden_layers is 1, not 2"):
        merge(tied, tmp_path / "other", tmp_path / "model", PROMPTS)


def test_a_disk_too_small_is_said_first(
    tied: Path, table: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = sum(weight.numel() for weight in _weights(tied).values())
    assert checkpoints.room(weights) == 24 * weights  # weights, two moments, in fp32, twice
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 24 * weights - 1}))
    with pytest.raises(StoreError, match=rf"all {weights:,} weights .* 0\.0 GB left"):
        fit(tied, table(examples(8)), settings(lora=None), tmp_path / "out")
    assert not list((tmp_path / "out" / "checkpoints").iterdir())
    fit(tied, table(examples(8)), settings(), tmp_path / "adapter")  # an adapter needs no such room


def test_large_models_save_less_often(
    tied: Path, table: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[float | None] = []
    make = StepTrainer.__init__

    def watch(self: StepTrainer, *given: Any, **named: Any) -> None:
        seen.append(named["apart"])
        make(self, *given, **named)

    monkeypatch.setattr(StepTrainer, "__init__", watch)
    rows, weights = table(examples(8)), sum(weight.numel() for weight in _weights(tied).values())
    fit(tied, rows, settings(lora=None), tmp_path / "small")
    monkeypatch.setattr(trainer, "SAVE_BYTES_A_SECOND", weights / 10)  # as though the disk were slow
    fit(tied, rows, settings(lora=None), tmp_path / "large")
    fit(tied, rows, settings(lora=None, save_every=5), tmp_path / "told")
    assert seen == [60.0, 120.0, None]
