"""Validation while training: the right numbers at the right steps, and a training that is the same without."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import LlamaForCausalLM

from dragoman.prompts.examples import Example, ExampleTable, write_examples
from dragoman.recipe.schema import Lora, Training
from dragoman.training import validation
from dragoman.training.trainer import fit
from tests import ROOT
from tests.training.training_kit import examples, metrics, settings

Write = Callable[[list[Example]], ExampleTable]


@pytest.fixture
def dev(tmp_path: Path) -> ExampleTable:
    """Eleven examples that no training sees: prompt, reference, end."""
    made = [
        Example(tuple(segment for segment in example.segments if segment.name != "rationale"))
        for example in examples(11, seed=7)
    ]
    write_examples(tmp_path / "dev", 0, made)
    return ExampleTable(tmp_path / "dev")


def mean_loss(model: LlamaForCausalLM, dev: ExampleTable) -> float:
    """The plain mean over the trained tokens, one example at a time."""
    losses = []
    with torch.no_grad():
        for row in dev:
            ids = torch.tensor(row.ids.astype("int64"))
            nll = torch.nn.functional.cross_entropy(
                model(input_ids=ids[None]).logits[0, :-1], ids[1:], reduction="none"
            )
            losses += [float(loss) for loss, weight in zip(nll, row.weights[1:], strict=True) if weight]
    return sum(losses) / len(losses)


def validated(out: Path) -> list[tuple[float, float]]:
    return [(line["step"], line["validation_loss"]) for line in metrics(out) if "validation_loss" in line]


def without_speed(out: Path) -> list[dict[str, float]]:
    return [{key: value for key, value in line.items() if key != "tokens_per_second"} for line in metrics(out)]


def test_the_first_validation_is_the_mean_over_the_references_tokens(
    tiny: Path, table: Write, dev: ExampleTable, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    result = fit(tiny, table(examples(14)), settings(epochs=2), out, dev=dev)
    (step, first), *rest = validated(out)
    assert step == 0
    assert first == pytest.approx(mean_loss(LlamaForCausalLM.from_pretrained(tiny), dev), abs=1e-5)
    assert dict(result.validation) == {0: first, **{int(step): loss for step, loss in rest}}
    assert rest[-1][0] == result.steps == 8
    assert rest[-1][1] != pytest.approx(first, abs=1e-3)


def test_with_all_weights_the_last_validation_is_of_what_is_published(
    tiny: Path, table: Write, dev: ExampleTable, tmp_path: Path
) -> None:
    result = fit(tiny, table(examples(8)), settings(lora=None, learning_rate=1e-3), tmp_path / "out", dev=dev)
    trained = LlamaForCausalLM.from_pretrained(result.adapter)
    assert result.validation[result.steps] == pytest.approx(mean_loss(trained, dev), abs=1e-5)


@pytest.mark.parametrize("lora", [Lora(rank=4, dropout=0.1), None])
def test_training_is_bit_for_bit_the_same_with_and_without(
    lora: Lora | None, tiny: Path, table: Write, dev: ExampleTable, tmp_path: Path
) -> None:
    rows, chosen = table(examples(14)), settings(epochs=2, lora=lora, validate_every=1)
    fit(tiny, rows, chosen, tmp_path / "without")
    fit(tiny, rows, chosen, tmp_path / "with", dev=dev)
    steps = [line for line in without_speed(tmp_path / "with") if "validation_loss" not in line]
    assert steps == without_speed(tmp_path / "without")
    assert [step for step, _ in validated(tmp_path / "with")] == list(range(9))
    names = [path.name for path in (tmp_path / "without" / "adapter").glob("*.safetensors")]
    for name in names:
        both = [(tmp_path / run / "adapter" / name).read_bytes() for run in ("with", "without")]
        assert both[0] == both[1]
    assert names


@pytest.mark.parametrize("packing", ["off", "on"])
def test_micro_batches_change_no_validation(
    packing: str, tiny: Path, table: Write, dev: ExampleTable, tmp_path: Path
) -> None:
    rows = table(examples(8))
    for tokens in (16, 10_000):
        fit(tiny, rows, settings(batch_tokens=tokens, packing=packing), tmp_path / str(tokens), dev=dev)
    few, many = validated(tmp_path / "16"), validated(tmp_path / "10000")
    assert [loss for _, loss in few] == pytest.approx([loss for _, loss in many], abs=1e-5)


KILLED = """
import os, signal
from pathlib import Path
from tests.training.training_kit import settings
from dragoman.prompts.examples import ExampleTable
from dragoman.recipe.schema import Lora
from dragoman.training import steps, trainer

write = steps.MetricsLog.write
def kill_after(self, line):
    write(self, line)
    if line["step"] == {step} and {key!r} in line:
        os.kill(os.getpid(), signal.SIGKILL)
steps.MetricsLog.write = kill_after
chosen = settings(epochs=3, save_every=2, validate_every={every}, lora=Lora(rank=4, dropout=0.1))
trainer.fit({tiny!r}, ExampleTable(Path({table!r})), chosen, Path({out!r}), dev=ExampleTable(Path({dev!r})))
"""


@pytest.mark.parametrize(
    ("step", "key", "every"), [(0, "validation_loss", 3), (6, "validation_loss", 3), (7, "loss", 3), (6, "loss", 2)]
)
def test_a_killed_run_has_each_validation_once(
    step: int, key: str, every: int, tiny: Path, table: Write, dev: ExampleTable, tmp_path: Path
) -> None:
    rows, out = table(examples(14)), tmp_path / "killed"
    chosen = settings(epochs=3, save_every=2, validate_every=every, lora=Lora(rank=4, dropout=0.1))
    text = KILLED.format(
        step=step, key=key, every=every, tiny=str(tiny), table=str(rows.folder), out=str(out), dev=str(dev.folder)
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == -signal.SIGKILL, done.stderr
    again = fit(tiny, rows, chosen, out, dev=dev)
    whole = fit(tiny, rows, chosen, tmp_path / "whole", dev=dev)
    assert without_speed(out) == without_speed(tmp_path / "whole")
    assert dict(again.validation) == dict(whole.validation)
    assert sorted(again.validation) == [0, *range(every, 12, every), 12]


def test_a_training_in_parts_is_validated_as_in_one_piece(
    tiny: Path, table: Write, dev: ExampleTable, tmp_path: Path
) -> None:
    rows, chosen = table(examples(14)), settings(epochs=2, validate_every=3)
    whole = fit(tiny, rows, chosen, tmp_path / "whole", dev=dev)
    fit(tiny, rows, chosen, tmp_path / "first", until=1, dev=dev)
    second = fit(tiny, rows, chosen, tmp_path / "second", before=tmp_path / "first", dev=dev)
    assert dict(second.validation) == dict(whole.validation)
    assert without_speed(tmp_path / "second") == without_speed(tmp_path / "whole")


@pytest.mark.parametrize(
    ("changes", "examples", "dev", "steps"),
    [
        ({}, 1000, 20, [0, *range(25, 200, 25), 200]),
        ({}, 1000, 50, [0, 50, 100, 150, 200]),
        ({}, 1000, 5000, [0, 100, 200]),  # once an epoch at least
        ({"lora": None}, 1000, 50, [0, 33, 67, 100, 133, 167, 200]),  # forward alone is a third of a step then
        ({"epochs": 1.25, "validate_every": 60}, 1000, 20, [0, 60, 120, 125]),
        ({"epochs": 3, "batch_size": 128}, 8, 1, [0, 1, 2, 3]),
    ],
)
def test_validations_are_at_quarters_of_an_epoch_and_rarer_beside_a_large_dev_set(
    changes: dict[str, Any], examples: int, dev: int, steps: list[int]
) -> None:
    chosen = Training(**{"epochs": 2, "batch_size": 10, **changes})
    assert sorted(validation.moments(chosen, examples, dev)) == steps
