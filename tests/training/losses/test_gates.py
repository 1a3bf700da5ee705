"""Gates against plain computations over the whole vocabulary, and in whole trainings."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import PeftModel
from torch import nn
from torch.nn import functional
from transformers import LlamaForCausalLM

from dragoman.errors import TrainingError
from dragoman.prompts.examples import Example, ExampleTable, Segment
from dragoman.recipe.training import Lora, Replay, SegmentTraining
from dragoman.training.adapters import adapt
from dragoman.training.batching import Batcher, Mixture, pack, pad
from dragoman.training.losses import loss
from dragoman.training.losses.gates import eaft_weight, in_loss, others_divergence, surprising
from dragoman.training.losses.loss import teach_forward
from dragoman.training.trainer import fit
from tests.training.training_kit import VOCABULARY, examples, metrics, settings

Write = Callable[[list[Example]], ExampleTable]
CPU = torch.device("cpu")
COMMON = 90.0  # a perplexity that about half of the tokens have under weights that are drawn at random
GATES: dict[str, dict[str, dict[str, Any]]] = {
    "stm": {"reference": {"gate": "stm", "degree": COMMON}},
    "eaft": {"reference": {"gate": "eaft", "degree": 2}, "rationale": {"gate": "eaft"}},
    "mask_target": {"reference": {"gate": "mask_target", "degree": 0.7}, "rationale": {"labels": "soft"}},
    "two": {"reference": {"gate": "mask_target"}, "rationale": {"gate": "eaft", "weight": 0.5}},
}


def plain_weight(logits: torch.Tensor, power: float) -> torch.Tensor:
    """Of one place: the entropy of the 20 likeliest tokens, renormalised, over 3."""
    top = logits.double().sort(descending=True).values[:20].exp()
    p = top / top.sum()
    return (-(p * p.log()).sum() / 3) ** power


def plain_others(logits: torch.Tensor, target: int, base: torch.Tensor) -> torch.Tensor:
    """Of one place: KL between the two distributions over a vocabulary without the target."""
    others = [token for token in range(len(logits)) if token != target]
    p, q = base.double()[others].softmax(0), logits.double()[others].softmax(0)
    return (p * (p / q).log()).sum()


@pytest.mark.parametrize("entries", [7, 20, 50])
def test_formulas_and_gradients_are_the_textbook_s(entries: int) -> None:
    torch.manual_seed(0)
    base, logits = torch.randn(6, entries) * 2, (torch.randn(6, entries) * 2).requires_grad_()
    targets = torch.randint(0, entries, (6,))
    found = eaft_weight(logits, 1.5)
    assert not found.requires_grad
    torch.testing.assert_close(found, torch.stack([plain_weight(one, 1.5) for one in logits.detach()]).float())
    found = others_divergence(logits, targets, base)
    known = zip(logits, targets.tolist(), base, strict=True)
    expected = torch.stack([plain_others(*one) for one in known])
    torch.testing.assert_close(found, expected.float(), rtol=1e-5, atol=1e-5)
    (slope,) = torch.autograd.grad(found.sum(), logits)
    torch.testing.assert_close(slope, torch.autograd.grad(expected.sum(), logits)[0], rtol=1e-5, atol=1e-5)
    assert (slope[torch.arange(6), targets] == 0).all()


def test_certainty_is_finite() -> None:
    sure, unsure = torch.full((1, 30), -200.0), torch.zeros(1, 30)
    sure[0, 3] = 200.0
    assert eaft_weight(sure, 0.5).tolist() == [0]
    assert eaft_weight(unsure, 1).item() == pytest.approx(np.log(20) / 3)
    for base, logits in ((sure, unsure), (unsure, sure), (sure, sure)):
        for target in (3, 4):
            leaf = logits.clone().requires_grad_()
            found = others_divergence(leaf, torch.tensor([target]), base)
            assert found.isfinite().all()
            assert torch.autograd.grad(found.sum(), leaf)[0].isfinite().all()


@pytest.mark.parametrize("targets", ["all-linear", ("q_proj", "lm_head")])
@pytest.mark.parametrize("line", [0, 64])
@pytest.mark.parametrize("gate", ["eaft", "mask_target", "two"])
def test_gated_tokens_and_their_gradients_are_the_plain_ones(
    gate: str, line: int, targets: Any, tiny: Path, table: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(loss.CHUNK, "cpu", 5 * VOCABULARY)
    chosen = settings(segments=GATES[gate])
    mixture = Mixture(table(examples(6)), None, chosen)
    rows = [mixture[index] for index in range(6)]
    micro = pack(rows, line) if line else pad(rows)
    soft = torch.from_numpy(mixture.soft)[micro.segments]
    backbone = LlamaForCausalLM.from_pretrained(tiny)
    causal = LlamaForCausalLM.from_pretrained(tiny)
    network = adapt(causal, Lora(rank=4, targets=targets)).train()
    torch.manual_seed(3)
    for name, weight in network.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(weight, std=0.1)
    trained = {name: weight for name, weight in network.named_parameters() if weight.requires_grad}
    with torch.no_grad():
        asked = backbone(input_ids=micro.ids, position_ids=micro.places, use_cache=False).logits
    logits = network(input_ids=micro.ids, position_ids=micro.places, use_cache=False).logits
    asked, logits = (some.flatten(0, 1)[micro.positions] for some in (asked, logits))
    expected = []
    for at, (target, segment) in enumerate(zip(micro.targets.tolist(), micro.segments.tolist(), strict=True)):
        how = chosen.segments.get(mixture.names[segment], SegmentTraining())
        nll, value = -logits[at].log_softmax(0)[target], torch.tensor(0.0)
        if how.labels == "soft":
            nll = functional.kl_div(logits[at].log_softmax(0), asked[at].softmax(0), reduction="sum")
        learnt = nll
        if how.gate == "eaft":
            value = plain_weight(logits[at].detach(), how.gate_degree)
            learnt = nll * value
        if how.gate == "mask_target":
            value = plain_others(logits[at], target, asked[at])
            learnt = nll + how.gate_degree * value
        expected.append(torch.stack([learnt.double(), nll.double(), value.double()]))
    slopes = torch.autograd.grad((torch.stack(expected)[:, 0] * micro.weights).sum(), list(trained.values()))

    with network.disable_adapter():
        teach_forward(causal, in_loss(mixture))
    found = network(
        input_ids=micro.ids,
        position_ids=micro.places,
        positions=micro.positions,
        targets=micro.targets,
        soft=soft if mixture.asked.any() else None,
        segments=micro.segments,
    )
    torch.testing.assert_close(found, torch.stack(expected).float(), rtol=1e-5, atol=1e-5)
    gradients = torch.autograd.grad((found[:, 0] * micro.weights).sum(), list(trained.values()))
    for name, one, other in zip(trained, gradients, slopes, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5, msg=name)


def test_stm_leaves_out_what_surprises_the_backbone_and_no_end(tiny: Path, table: Write) -> None:
    rows = table(examples(9))
    chosen = settings(segments=GATES["stm"])
    mixture = Mixture(rows, None, chosen)
    backbone = LlamaForCausalLM.from_pretrained(tiny)
    expected = []
    with torch.no_grad():
        for row in rows:
            ids = torch.from_numpy(row.ids.astype(np.int64))
            p = backbone(input_ids=ids[None]).logits[0, :-1].softmax(-1)[torch.arange(len(ids) - 1), ids[1:]]
            far = np.concatenate([[False], (1 / p > COMMON).numpy()])
            expected.append(far & np.array([mixture.names[at] == "reference" for at in row.segments]))
    teach_forward(backbone)
    for budget in (60, 10_000):
        found = surprising(backbone, mixture, budget, CPU, "gate")
        assert found is not None
        assert found.tolist() == np.concatenate(expected).tolist()
    assert 0 < np.concatenate(expected).sum() < rows.trained()[0]["reference"]
    mixture.leave_out(np.concatenate(expected))
    for index, row in enumerate(rows):
        assert mixture[index].weights.tolist() == np.where(expected[index], 0, row.weights).tolist()
    assert surprising(backbone, Mixture(rows, None, settings()), 60, CPU, "gate") is None


@pytest.mark.parametrize("gate", list(GATES))
def test_a_step_is_the_plain_mean_however_it_is_cut(
    gate: str, tiny: Path, table: Write, replay: ExampleTable, tmp_path: Path
) -> None:
    made = examples(9)
    rows, again = table(made), Replay(share=0.1, weight=1)
    usual: dict[str, Any] = {"batch_size": 9, "segments": GATES[gate], "epochs": 2, "replay": again}
    runs: dict[str, dict[str, Any]] = {
        "whole": {},
        "cut": {"batch_tokens": 60},
        "packed": {"batch_tokens": 150, "packing": "on"},
        "checkpointed": {"gradient_checkpointing": True},
    }
    for name, changes in runs.items():
        chosen = settings(**usual, **changes)
        fit(tiny, rows, chosen, tmp_path / f"{name}-1", replay=replay, until=1)
        fit(tiny, rows, chosen, tmp_path / name, replay=replay, before=tmp_path / f"{name}-1")
    lines = metrics(tmp_path / "whole")
    for name in list(runs)[1:]:
        for line, other in zip(metrics(tmp_path / name), lines, strict=True):
            for key in {*other} - {"tokens_per_second"}:
                assert line[key] == pytest.approx(other[key], rel=1e-3, abs=1e-5), (name, key)

    tuned = PeftModel.from_pretrained(LlamaForCausalLM.from_pretrained(tiny), tmp_path / "whole-1" / "adapter")
    above = below = 0.0
    values: dict[str, list[float]] = {}
    for example in made:
        ids = torch.tensor(example.ids)[None]
        with torch.no_grad():
            logits = tuned(input_ids=ids).logits[0]
            with tuned.disable_adapter():
                base = tuned(input_ids=ids).logits[0]
        names = [segment.name for segment in example.segments for _ in segment.ids]
        for at, (name, token) in enumerate(zip(names, example.ids, strict=True)):
            how = SegmentTraining.model_validate(GATES[gate].get(name, {}))
            if name == "prompt" or (how.gate == "stm" and -base[at - 1].log_softmax(0)[token] > np.log(COMMON)):
                continue
            one = -logits[at - 1].double().log_softmax(0)[token]
            if how.labels == "soft":
                one = functional.kl_div(logits[at - 1].log_softmax(0), base[at - 1].softmax(0), reduction="sum")
            if how.gate == "eaft":
                values.setdefault(name, []).append(float(plain_weight(logits[at - 1], how.gate_degree)))
                one = one * values[name][-1]
            if how.gate == "mask_target":
                values.setdefault(name, []).append(float(plain_others(logits[at - 1], token, base[at - 1])))
                one = one + how.gate_degree * values[name][-1]
            weight = 1 if how.weight is None else how.weight
            above, below = above + weight * float(one), below + weight
    assert lines[1]["loss"] - lines[1]["term/replay"] == pytest.approx(above / below, rel=1e-4)
    assert lines[1]["term/replay"] == pytest.approx(lines[1]["loss/replay"], rel=1e-4)
    assert {key for key in lines[1] if key.startswith("gate/")} == {f"gate/{name}" for name in values}
    for name, found in values.items():
        assert lines[1][f"gate/{name}"] == pytest.approx(np.mean(found), rel=1e-4)


@pytest.mark.parametrize("gate", ["stm", "eaft", "mask_target"])
def test_a_gate_on_what_no_example_has_trains_the_same_to_the_bit(
    gate: str, tiny: Path, table: Write, tmp_path: Path
) -> None:
    rows, lora = table(examples(14)), Lora(rank=4, dropout=0.1)
    fit(tiny, rows, settings(lora=lora), tmp_path / "plain")
    fit(tiny, rows, settings(lora=lora, segments={"own": {"gate": gate}}), tmp_path / "gated")
    one, other = (tmp_path / name / "adapter" / "adapter_model.safetensors" for name in ("plain", "gated"))
    assert one.read_bytes() == other.read_bytes()


def test_validation_and_drift_are_not_gated(tiny: Path, table: Write, tmp_path: Path) -> None:
    rows = table(examples(9))
    starts = {}
    for name, segments in {"plain": {}, **GATES}.items():
        fit(tiny, rows, settings(segments=segments, batch_size=9), tmp_path / name, dev=rows)
        starts[name] = metrics(tmp_path / name)[0]
    assert all(start == starts["plain"] for start in starts.values())


def test_a_gate_that_leaves_nothing_is_refused_and_a_step_of_nothing_changes_nothing(
    tiny: Path, table: Write, tmp_path: Path
) -> None:
    rows = table(examples(4))
    with pytest.raises(TrainingError, match=r"segments\.reference: the gate stm leaves nothing to learn: all"):
        fit(tiny, rows, settings(segments={"reference": {"gate": "stm"}}), tmp_path / "none")
    backbone = LlamaForCausalLM.from_pretrained(tiny)
    teach_forward(backbone)
    cut = [Example((Segment("prompt", (3, 4), 0.0), Segment("answer", (token,)))) for token in (5, 6, 7, 8)]
    ids = torch.tensor([one.ids for one in cut])
    with torch.no_grad():
        losses = backbone(input_ids=ids, position_ids=None, positions=torch.arange(1, 12, 3), targets=ids[:, 2])
    most = float(losses.min().exp()) * 1.0001
    chosen = settings(batch_size=1, segments={"answer": {"gate": "stm", "degree": most}}, max_grad_norm=0)
    fit(tiny, table(cut), chosen, tmp_path / "out")
    assert sorted(line["loss"] > 0 for line in metrics(tmp_path / "out")) == [False, False, False, True]


def test_all_devices_ask_the_backbone_in_the_same_rounds(table: Write) -> None:
    mixture = Mixture(table(examples(9)), None, settings(segments={"rationale": {"gate": "mask_target"}}))
    rows = [mixture[index] for index in range(9)]
    parts = [Batcher(1, 0, at, 2, soft=mixture.soft, asked=mixture.asked)(rows) for at in range(2)]
    asked = [[micro.soft is not None for micro in some] for some in zip(*(part.micros for part in parts), strict=True)]
    assert all(one == other for one, other in asked)
    assert {one for one, _ in asked} == {True, False}
    micros = [micro for part in parts for micro in part.micros]
    assert not any(micro.soft.any() for micro in micros if micro.soft is not None)


@pytest.mark.parametrize("gate", ["stm", "eaft"])
def test_all_weights_may_be_gated_by_what_needs_no_backbone_beside_them(
    gate: str, tiny: Path, table: Write, tmp_path: Path
) -> None:
    chosen = settings(lora=None, learning_rate=1e-3, segments=GATES[gate])
    fit(tiny, table(examples(8)), chosen, tmp_path / "out")
    assert all(np.isfinite(line["loss"]) for line in metrics(tmp_path / "out"))
