"""How long a training is and how its rate falls: steps and epochs, whichever end first, and transformers' schedules."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from transformers import get_cosine_schedule_with_warmup, get_inverse_sqrt_schedule
from transformers.optimization import get_cosine_with_min_lr_schedule_with_warmup

from dragoman.prompts.examples import Example, ExampleTable
from dragoman.training import validation
from dragoman.training.arguments import arguments_of
from dragoman.training.hints import hints
from dragoman.training.trainer import fit
from tests.training.training_kit import examples, metrics, settings

Write = Callable[[list[Example]], ExampleTable]
Schedule = torch.optim.lr_scheduler.LRScheduler


def rates(schedule: Callable[[torch.optim.Optimizer], Schedule], peak: float, steps: int) -> list[float]:
    """The rates of so many steps by a schedule of transformers' own."""
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=peak)
    made, found = schedule(optimizer), []
    for _ in range(steps):
        found.append(float(made.get_last_lr()[0]))
        optimizer.step()
        made.step()
    return found


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"schedule": "inverse_sqrt", "warmup": 0.3}, lambda one: get_inverse_sqrt_schedule(one, 3)),
        ({"schedule": "inverse_sqrt"}, lambda one: get_inverse_sqrt_schedule(one, 0)),
        ({"warmup": 0.2}, lambda one: get_cosine_schedule_with_warmup(one, 2, 10)),
        (
            {"warmup": 0.2, "min_learning_rate": 1e-3},
            lambda one: get_cosine_with_min_lr_schedule_with_warmup(one, 2, 10, min_lr=1e-3),
        ),
    ],
)
def test_rates_are_those_of_transformers(
    said: dict[str, Any],
    expected: Callable[[torch.optim.Optimizer], Schedule],
    tiny: Path,
    table: Write,
    tmp_path: Path,
) -> None:
    fit(tiny, table(examples(14)), settings(epochs=3, max_steps=10, **said), tmp_path / "out")
    found = [line["learning_rate"] for line in metrics(tmp_path / "out")]
    assert len(found) == 10
    assert found == pytest.approx(rates(expected, 1e-2, 10), rel=1e-6)


def test_without_warm_up_the_root_is_measured_in_ten_thousand_steps() -> None:
    found = rates(lambda one: get_inverse_sqrt_schedule(one, 0), 1.0, 3)
    assert found == pytest.approx([1, (10_000 / 10_001) ** 0.5, (10_000 / 10_002) ** 0.5])


def test_a_cosine_ends_at_its_floor() -> None:
    floor = rates(lambda one: get_cosine_with_min_lr_schedule_with_warmup(one, 0, 10, min_lr=1e-3), 1e-2, 11)[-1]
    assert floor == pytest.approx(1e-3)


def test_what_ends_first_ends_a_training(tiny: Path, table: Write, tmp_path: Path) -> None:
    rows = table(examples(14))  # four steps an epoch
    assert fit(tiny, rows, settings(epochs=2, max_steps=5), tmp_path / "steps").steps == 5
    assert fit(tiny, rows, settings(epochs=1, max_steps=5), tmp_path / "epochs").steps == 4
    lines = metrics(tmp_path / "steps")
    assert [line["epoch"] for line in lines] == [0.25, 0.5, 0.75, 1.0, 1.25]
    first = fit(tiny, rows, settings(epochs=2, max_steps=5), tmp_path / "first", until=1)
    second = fit(tiny, rows, settings(epochs=2, max_steps=5), tmp_path / "second", before=first.adapter.parent)
    assert (first.steps, second.steps) == (4, 5)
    weights = [(tmp_path / run / "adapter/adapter_model.safetensors").read_bytes() for run in ("steps", "second")]
    assert weights[0] == weights[1]


def test_the_best_checkpoint_is_kept_of_a_training_with_steps(tiny: Path, table: Write, tmp_path: Path) -> None:
    rows = table(examples(12, seed=3))
    chosen = settings(epochs=50, max_steps=14, keep="best", validate_every=2, learning_rate=3e-2, schedule="constant")
    result = fit(tiny, rows, chosen, tmp_path / "best", dev=rows)
    assert sorted(result.validation) == [0, 2, 4, 6, 8, 10, 12, 14]
    after = {step: loss for step, loss in result.validation.items() if step}
    assert result.kept == min(after, key=lambda step: (after[step], step))


def test_steps_and_passes_and_moments() -> None:
    chosen = settings(epochs=3, max_steps=10)
    assert (chosen.steps(14), chosen.passes(14)) == (10, 2.5)
    assert (chosen.steps(8), chosen.passes(8)) == (6, 3)
    assert (chosen.steps(14, 1), chosen.steps(14, 3)) == (4, 10)
    assert settings(epochs=1.5).passes(14) == 1.5
    few = settings(epochs=1, max_steps=100)
    assert sorted(validation.moments(few, 40_000, 1)) == [0, 25, 50, 75, 100]  # as often as of a whole epoch
    assert sorted(validation.moments(settings(max_steps=6), 8, 0)) == sorted(validation.moments(settings(), 8, 0))


def test_betas_and_decay_are_told_to_the_optimizer(tmp_path: Path) -> None:
    said = arguments_of(settings(adam_betas=(0.9, 0.95), weight_decay=0.01), tmp_path, 8, autocast=False)
    assert (said.adam_beta1, said.adam_beta2, said.weight_decay, said.max_steps) == (0.9, 0.95, 0.01, -1)


def test_what_was_trained_before_keeps_its_name() -> None:
    new = {"max_steps", "min_learning_rate", "adam_betas"}
    assert not new & settings().deciding().keys()
    said = settings(max_steps=5, min_learning_rate=1e-3, adam_betas=(0.9, 0.95)).deciding()
    assert {name: said[name] for name in new} == {
        "max_steps": 5,
        "min_learning_rate": 1e-3,
        "adam_betas": [0.9, 0.95],
    }


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"schedule": "linear", "min_learning_rate": 1e-5}, "the schedule linear, which has no floor"),
        ({"min_learning_rate": 2e-2}, "above the learning_rate of 0.01; lower it"),
        ({"max_steps": 0}, "greater than or equal to 1"),
        ({"adam_betas": (0.9, 1.0)}, "less than 1"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(said: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        settings(**said)


def test_hints_name_the_steps_where_they_end_the_training() -> None:
    flat = [{"step": at, "loss": 3.9, "loss/reference": 3.9, "epoch": at / 400} for at in range(1, 41)]
    (hint,) = hints(flat, settings(epochs=3, max_steps=40))
    assert "by training.max_steps, now 40 (40 steps in all)" in hint
    (hint,) = hints(flat, settings(epochs=0.1, max_steps=400))
    assert "by training.epochs, now 0.1 (40 steps in all)" in hint
    falling = [{**line, "loss/reference": 3.9 - 0.05 * line["step"]} for line in flat]
    dev = [{"step": step, "validation_loss": loss} for step, loss in ((0, 3.0), (20, 2.0), (40, 2.5))]
    (hint,) = hints([*falling, *dev], settings(epochs=3, max_steps=40))
    assert "train for fewer steps (training.max_steps, now 40; the lowest was after 0.05 epochs)" in hint
