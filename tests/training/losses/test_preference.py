"""Preferences: against logits held whole, and against the loss of TRL."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from transformers import LlamaForCausalLM
from trl.experimental.cpo.cpo_trainer import CPOTrainer

from dragoman.errors import TrainingError
from dragoman.prompts.examples import Example, ExampleTable, Segment
from dragoman.recipe.training import PreferenceLoss
from dragoman.training.losses.preference import branches, halves
from dragoman.training.trainer import fit
from tests.training.training_kit import VOCABULARY, metrics, replayed, settings

Write = Callable[[list[Example]], ExampleTable]

LOSSES = [
    {},
    {"beta": 0.5, "smoothing": 0.1, "cloning": 0.3},
    {"loss": "hinge", "beta": 0.4},
    {"loss": "simpo", "beta": 2.0, "gamma": 0.8},
]


def preferences(count: int, seed: int = 0) -> list[Example]:
    """Requests of two to five tokens, each with two answers of unlike lengths."""
    dice = np.random.default_rng(seed)

    def ids(low: int, high: int) -> tuple[int, ...]:
        return tuple(int(one) for one in dice.integers(3, VOCABULARY, dice.integers(low, high)))

    made = []
    for number in range(count):
        prompt = Segment("prompt", ids(2, 6), 0.0)
        chosen, rejected = (Segment(name, (*ids(1, 9), 2)) for name in ("chosen", "rejected"))
        made.append(Example((prompt, chosen, prompt, rejected), f"p{number}"))
    return made


def plain(model: LlamaForCausalLM, made: list[Example], how: PreferenceLoss) -> torch.Tensor:
    """The formula on whole logits, one answer at a time."""
    terms, own = [], []
    for example in made:
        said = []
        for prompt, answer in (example.segments[:2], example.segments[2:]):
            ids = torch.tensor(prompt.ids + answer.ids)
            logits = model(input_ids=ids[None]).logits[0, :-1].double()
            found = logits.log_softmax(-1)[torch.arange(len(ids) - 1), ids[1:]][len(prompt.ids) - 1 :]
            said.append(found.mean() if how.loss == "simpo" else found.sum())
            own += [-found] if answer.name == "chosen" else []
        d = how.beta * (said[0] - said[1])
        if how.loss == "hinge":
            terms.append((1 - d).clamp(min=0))
        else:
            d = d - (how.gamma or 0.0)
            terms.append(
                -(1 - how.smoothing) * torch.log(1 / (1 + (-d).exp())) - how.smoothing * torch.log(1 / (1 + d.exp()))
            )
    weight = how.cloning if how.cloning is not None else float(how.loss != "simpo")
    return torch.stack(terms).mean() + weight * torch.cat(own).mean()


def theirs(model: LlamaForCausalLM, made: list[Example], how: PreferenceLoss) -> torch.Tensor:
    """The loss of TRL on the whole batch."""
    batch: dict[str, Any] = {}
    for at, name in ((0, "chosen"), (2, "rejected")):
        rows = [example.segments[at : at + 2] for example in made]
        width = max(len(prompt.ids) + len(answer.ids) for prompt, answer in rows)
        filled = [width - len(prompt.ids) - len(answer.ids) for prompt, answer in rows]
        pairs = list(zip(rows, filled, strict=True))
        batch[f"{name}_input_ids"] = torch.tensor([(*p.ids, *a.ids, *[0] * more) for (p, a), more in pairs])
        labels = [(*[-100] * len(p.ids), *a.ids, *[-100] * more) for (p, a), more in pairs]
        batch[f"{name}_labels"] = torch.tensor(labels)
        mask = [(*[1] * (width - more), *[0] * more) for more in filled]
        batch[f"{name}_attention_mask"] = torch.tensor(mask)
    trainer = SimpleNamespace(
        concatenated_inputs=CPOTrainer.concatenated_inputs,
        get_batch_logps=CPOTrainer.get_batch_logps,
        accelerator=SimpleNamespace(device=torch.device("cpu")),
        is_encoder_decoder=False,
        aux_loss_enabled=False,
        pad_token_id=0,
        alpha=0.0,
        beta=how.beta,
        loss_type=how.loss,
        label_smoothing=how.smoothing,
        simpo_gamma=how.ahead,
        cpo_alpha=how.cloned,
    )
    chosen, rejected, *_, nll = CPOTrainer.concatenated_forward(trainer, model, batch)
    each, _, _ = CPOTrainer.cpo_loss(trainer, chosen, rejected)
    found: torch.Tensor = each.mean() + how.cloned * nll
    return found


@pytest.mark.parametrize("packing", ["off", "on"])
@pytest.mark.parametrize("said", LOSSES)
def test_a_step_has_the_loss_and_gradient_of_the_formula_and_of_trl(
    said: dict[str, Any], packing: str, tiny: Path, table: Write, tmp_path: Path
) -> None:
    """All weights, in several micro-batches."""
    how, made = PreferenceLoss(**said), preferences(7)
    few = settings(preference=how, batch_size=7, batch_tokens=60, packing=packing, lora=None)
    fit(tiny, table(made), few, tmp_path / "out")
    (line,) = metrics(tmp_path / "out")
    for whole in (plain, theirs):
        model = LlamaForCausalLM.from_pretrained(tiny, dtype=torch.float32)
        expected = whole(model, made, how)
        expected.backward()
        norm = torch.stack([weight.grad.norm() for weight in model.parameters() if weight.grad is not None]).norm()
        assert line["loss"] == pytest.approx(float(expected), rel=1e-4)
        assert line["grad_norm"] == pytest.approx(float(norm), rel=1e-3)
    assert line["preference/loss"] + line["term/chosen"] == pytest.approx(line["loss"], rel=1e-4)


def test_a_step_in_many_pieces_is_the_step_in_one(tiny: Path, table: Write, tmp_path: Path) -> None:
    rows = table(preferences(10))
    logs = []
    for budget in (20, 100_000):
        few = settings(preference=PreferenceLoss(), batch_size=5, batch_tokens=budget)
        fit(tiny, rows, few, tmp_path / str(budget))
        logs.append(metrics(tmp_path / str(budget)))
    for one, other in zip(*logs, strict=True):
        names = ("loss", "grad_norm", "preference/loss", "preference/right", "preference/ahead", "loss/rejected")
        assert [one[name] for name in names] == pytest.approx([other[name] for name in names], rel=1e-3)


def test_it_learns_to_prefer(tiny: Path, table: Write, tmp_path: Path) -> None:
    few = settings(preference=PreferenceLoss(), batch_size=8, epochs=15)
    fit(tiny, table(preferences(8)), few, tmp_path / "out")
    log = metrics(tmp_path / "out")
    assert log[-1]["preference/right"] == 1
    assert log[-1]["preference/ahead"] > 10 > log[0]["preference/ahead"]


def test_replay_beside_preferences_has_a_mean_of_its_own(
    tiny: Path, table: Write, replay: ExampleTable, tmp_path: Path
) -> None:
    said = {"replay": {"share": 0.3, "weight": 2}, "segments": {"replay": {"labels": "soft"}}, "epochs": 3}
    few = settings(preference=PreferenceLoss(), batch_size=8, batch_tokens=60, **said)
    fit(tiny, table(preferences(8)), few, tmp_path / "out", replay=replay)
    for line in metrics(tmp_path / "out"):
        parts = line["preference/loss"], line["term/chosen"], line["term/replay"]
        assert sum(parts) == pytest.approx(line["loss"], rel=1e-4)
        assert line["term/replay"] == pytest.approx(2 * line["loss/replay"], rel=1e-4, abs=1e-6)


def test_halves_begin_with_their_prompts(table: Write) -> None:
    made = [*preferences(3), replayed(1)[0]]
    rows = list(table(made))
    names = table(made).names
    for example, row in zip(made, rows, strict=True):
        parts = halves(row, names.index("rejected"))
        ids = [example.segments[:2], example.segments[2:]] if len(parts) > 1 else [example.segments]
        assert [part.ids.tolist() for part in parts] == [[one for s in some for one in s.ids] for some in ids]
    whose = branches(rows, names.index("rejected"))
    assert whose is not None
    counts = [len(example.segments[at].ids) for example in made[:3] for at in (1, 3)]
    assert whose.tolist() == [code for code, count in enumerate(counts) for _ in range(count)] + [-1] * made[3].trained
    assert branches(rows[3:], names.index("rejected")) is None


def test_rejected_answers_are_never_learnt_as_they_stand(tiny: Path, table: Write, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="does not say how that is learnt"):
        fit(tiny, table(preferences(4)), settings(), tmp_path / "out")
    with pytest.raises(ValueError, match="has a gate or soft labels on chosen"):
        settings(segments={"chosen": {"labels": "soft"}})
    for wrong in ({"gamma": 1}, {"loss": "hinge", "smoothing": 0.1}):
        with pytest.raises(ValueError, match="has none"):
            PreferenceLoss(**wrong)
