"""Trainings that begin with a trained adapter and learn the reverse divergence, as a recovery does."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import LlamaForCausalLM

from dragoman.errors import TrainingError
from dragoman.prompts.examples import Example, ExampleTable, Segment, write_examples
from dragoman.recipe.training import Lora, Recovery
from dragoman.training.trainer import fit
from tests.training.training_kit import examples, metrics, replayed, settings

Write = Callable[[list[Example]], ExampleTable]


@pytest.fixture
def trained(tiny: Path, table: Write, tmp_path: Path) -> Path:
    """An adapter that has moved away from its backbone."""
    return fit(tiny, table(examples(16)), settings(epochs=3, learning_rate=3e-2), tmp_path / "trained").adapter


@pytest.fixture
def own(tmp_path: Path) -> ExampleTable:
    """Eight answers of its own, the end included; one is nothing else."""
    nothing = Example((Segment("prompt", (5, 6), 0.0), Segment("own", (2,))))
    write_examples(tmp_path / "own", 0, [*as_own(replayed(7)), nothing])
    return ExampleTable(tmp_path / "own")


@torch.no_grad()
def apart(tiny: Path, adapter: Path, texts: ExampleTable, reverse: bool) -> float:
    """The plain mean divergence of model and backbone over the trained tokens, one example at a time."""
    model = PeftModel.from_pretrained(LlamaForCausalLM.from_pretrained(tiny), adapter)
    found = []
    for row in texts:
        ids = torch.tensor(row.ids.astype("int64"))[None]
        q = model(input_ids=ids).logits[0].double().softmax(-1)
        with model.disable_adapter():
            p = model(input_ids=ids).logits[0].double().softmax(-1)
        first, second = (q, p) if reverse else (p, q)
        each = (first * (first / second).log()).sum(-1)[:-1]
        found += [float(one) for one, weight in zip(each, row.weights[1:], strict=True) if weight]
    return sum(found) / len(found)


def as_own(made: list[Example]) -> list[Example]:
    """Whatever follows the prompt in one segment, as a recovery has it."""
    return [Example((one.segments[0], Segment("own", one.ids[len(one.segments[0].ids) :]))) for one in made]


@pytest.mark.parametrize("kl", ["reverse", "forward"])
def test_the_first_loss_is_the_plain_divergence_of_what_was_trained(
    kl: str, tiny: Path, trained: Path, own: ExampleTable, tmp_path: Path
) -> None:
    chosen = settings().recovering(Recovery(steps=1, prompts=8, rounds=1))
    fit(tiny, own, chosen, tmp_path / "out", start=trained, reverse=kl == "reverse")
    (line,) = metrics(tmp_path / "out")
    assert line["loss"] == pytest.approx(apart(tiny, trained, own, kl == "reverse"), rel=1e-5)


@pytest.mark.parametrize("kl", ["reverse", "forward"])
def test_drift_falls_over_rounds_that_are_one_training(
    kl: str, tiny: Path, trained: Path, general: ExampleTable, tmp_path: Path
) -> None:
    write_examples(tmp_path / "answers", 0, as_own(replayed(32)))
    answers = ExampleTable(tmp_path / "answers")
    chosen = settings().recovering(Recovery(steps=12, prompts=8, rounds=3, learning_rate=1e-2))
    parts = [tmp_path / str(number) for number in (1, 2, 3)]
    begun: dict[str, Any] = {"reverse": kl == "reverse", "general": general}
    fit(tiny, answers, chosen, parts[0], start=trained, until=1, **begun)
    fit(tiny, answers, chosen, parts[1], before=parts[0], until=2, **begun)
    result = fit(tiny, answers, chosen, parts[2], before=parts[1], **begun)
    drift = result.drift["general"]
    assert result.steps == 12
    assert drift[0] == pytest.approx(apart(tiny, trained, general, False), rel=1e-4)  # in either KL the same measure
    assert drift[12] == pytest.approx(apart(tiny, result.adapter, general, False), rel=1e-4)
    assert drift[12] < 0.7 * drift[0]


def test_an_adapter_of_another_rank_is_refused(tiny: Path, trained: Path, own: ExampleTable, tmp_path: Path) -> None:
    other = settings(lora=Lora(rank=2)).recovering(Recovery())
    with pytest.raises(TrainingError, match=r"does not go on with these settings \(training\.lora\)"):
        fit(tiny, own, other, tmp_path / "out", start=trained)
