"""Whole trainings with replay, soft labels and weights of segments, against plain computations."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import LlamaForCausalLM

from dragoman.errors import TrainingError
from dragoman.prompts.examples import Example, ExampleTable, Segment, write_examples
from dragoman.recipe.training import Lora, Replay, SegmentTraining, Training
from dragoman.training.batching import Mixture, ReplayOrder
from dragoman.training.steps import MetricsLog
from dragoman.training.trainer import fit
from tests.training.training_kit import VOCABULARY, examples, metrics, remembered, replayed, settings

Write = Callable[[list[Example]], ExampleTable]

SOFT = {
    "prompt": SegmentTraining(labels="soft", weight=0.05),
    "rationale": SegmentTraining(labels="soft", weight=0.5),
    "replay": SegmentTraining(labels="soft"),
}


def kept(**changes: object) -> Training:
    """Settings with all of it: replay and soft labels."""
    return settings(**{"replay": Replay(share=0.25, weight=0.7), "segments": SOFT, **changes})


def without_speed(out: Path) -> list[dict[str, float]]:
    return [{key: value for key, value in line.items() if key != "tokens_per_second"} for line in metrics(out)]


def adapter_of(out: Path) -> bytes:
    return (out / "adapter" / "adapter_model.safetensors").read_bytes()


def mean(
    made: list[Example], tuned: PeftModel, chosen: dict[str, SegmentTraining], balanced: bool = False
) -> tuple[float, dict[str, float]]:
    """Mean over all trained tokens, token by token, or over all segments of all examples; and that of each segment."""
    above = below = 0.0
    parts: dict[str, list[float]] = {}
    for example in made:
        ids = torch.tensor(example.ids)[None]
        logits = tuned(input_ids=ids).logits[0].double()
        with tuned.disable_adapter():
            base = tuned(input_ids=ids).logits[0].double()
        at = 0
        for segment in example.segments:
            how = chosen.get(segment.name, SegmentTraining())
            weight = segment.weight if how.weight is None else how.weight
            if balanced:  # `examples` have one segment before their end, and the first token is a prompt's
                last = next(one for one in example.segments[::-1] if one.name != "end")
                weight /= len(segment.ids) - (at == 0) if segment.name not in ("end", last.name) else len(last.ids) + 1
            for token in segment.ids:
                if weight and at:
                    p, q = base[at - 1].softmax(0), logits[at - 1].softmax(0)
                    loss = float((p * (p / q).log()).sum() if how.labels == "soft" else -q[token].log())
                    above, below = above + weight * loss, below + weight
                    parts.setdefault(segment.name, []).append(loss)
                at += 1
    return above / below, {name: sum(values) / len(values) for name, values in parts.items()}


@torch.no_grad()
def test_the_loss_is_the_task_s_mean_and_replay_s_mean_beside_it(
    tiny: Path, table: Write, replay: ExampleTable, tmp_path: Path
) -> None:
    made, rows = examples(9), table(examples(9))
    chosen = kept(batch_size=9, epochs=2, batch_tokens=100)
    with torch.enable_grad():
        fit(tiny, rows, chosen, tmp_path / "one", replay=replay, until=1)
        fit(tiny, rows, chosen, tmp_path / "two", replay=replay, before=tmp_path / "one")
    first, second = metrics(tmp_path / "two")
    still = [first[f"loss/{name}"] for name in SOFT]
    assert still == pytest.approx([0, 0, 0], abs=1e-6)  # it is the backbone until the first step

    drawn = ReplayOrder.of(0.25, Mixture(rows, replay, chosen), 1, 0).at(1)
    again = [replayed(5)[index] for index in drawn]
    merged = [Example((one.segments[0], Segment("replay", one.ids[len(one.segments[0].ids) :]))) for one in again]
    tuned = PeftModel.from_pretrained(LlamaForCausalLM.from_pretrained(tiny), tmp_path / "one" / "adapter")
    (task, parts), (other, beside) = mean(made, tuned, SOFT), mean(merged, tuned, SOFT)
    assert second["loss"] == pytest.approx(task + 0.7 * other, rel=1e-4)
    assert second["loss/replay"] == pytest.approx(beside["replay"], rel=1e-4)
    for name in ("reference", "rationale", "end"):
        assert second[f"loss/{name}"] == pytest.approx(parts[name], rel=1e-4)
    assert sum(value for key, value in second.items() if key.startswith("term/")) == pytest.approx(second["loss"])
    assert second["tokens"] - first["tokens"] == sum(map(len, made)) + sum(map(len, again))


@torch.no_grad()
def test_balance_is_a_mean_over_the_segments_of_all_examples(
    tiny: Path, table: Write, replay: ExampleTable, tmp_path: Path
) -> None:
    made, rows = examples(9, longest=90), table(examples(9, longest=90))
    chosen = kept(batch_size=9, epochs=2, batch_tokens=100, balance="examples")
    with torch.enable_grad():
        fit(tiny, rows, chosen, tmp_path / "one", replay=replay, until=1)
        fit(tiny, rows, chosen, tmp_path / "two", replay=replay, before=tmp_path / "one")
        fit(tiny, rows, kept(batch_size=9, balance="examples", packing="on"), tmp_path / "packed", replay=replay)
    assert metrics(tmp_path / "packed")[0]["grad_norm"] == pytest.approx(
        metrics(tmp_path / "one")[0]["grad_norm"], rel=1e-3
    )
    tuned = PeftModel.from_pretrained(LlamaForCausalLM.from_pretrained(tiny), tmp_path / "one" / "adapter")
    (task, parts), (plain, _) = mean(made, tuned, SOFT, balanced=True), mean(made, tuned, SOFT)
    line = metrics(tmp_path / "two")[1]
    assert line["loss"] - line["term/replay"] == pytest.approx(task, rel=1e-4)
    assert task != pytest.approx(plain, rel=1e-2)
    assert line["loss/rationale"] == pytest.approx(parts["rationale"], rel=1e-4)


def test_micro_batches_and_packing_change_nothing(
    tiny: Path, table: Write, replay: ExampleTable, tmp_path: Path
) -> None:
    rows = table(examples(16))
    runs = {
        "whole": kept(batch_size=8),
        "cut": kept(batch_size=8, batch_tokens=60),
        "packed": kept(batch_size=8, batch_tokens=150, packing="on"),
        "checkpointed": kept(batch_size=8, gradient_checkpointing=True),
    }
    for name, chosen in runs.items():
        fit(tiny, rows, chosen, tmp_path / name, replay=replay)
    expected = metrics(tmp_path / "whole")
    for name in list(runs)[1:]:
        for line, other in zip(metrics(tmp_path / name), expected, strict=True):
            for key in ("loss", "grad_norm", "loss/reference", "loss/rationale", "term/replay"):
                assert line[key] == pytest.approx(other[key], rel=1e-3, abs=1e-6), (name, key)


def test_soft_labels_hold_the_model_at_its_backbone(tiny: Path, table: Write, tmp_path: Path) -> None:
    rows = table(examples(16))
    hard = settings(epochs=4)
    soft = settings(epochs=4, segments={"rationale": {"labels": "soft"}})
    heavy = settings(epochs=4, segments={"rationale": {"labels": "soft", "weight": 20}})
    for name, chosen in {"hard": hard, "soft": soft, "heavy": heavy}.items():
        fit(tiny, rows, chosen, tmp_path / name)
    assert metrics(tmp_path / "heavy")[-1]["loss/rationale"] < 0.5 * metrics(tmp_path / "soft")[-1]["loss/rationale"]
    learnt = [metrics(tmp_path / name)[-1]["loss/reference"] for name in ("hard", "soft")]
    assert max(learnt) < metrics(tmp_path / "soft")[0]["loss/reference"]


def test_settings_that_change_nothing_train_the_same_to_the_bit(
    tiny: Path, table: Write, replay: ExampleTable, tmp_path: Path
) -> None:
    rows = table(examples(14))
    fit(tiny, rows, settings(lora=Lora(rank=4, dropout=0.1)), tmp_path / "plain")
    same = settings(
        lora=Lora(rank=4, dropout=0.1), segments={"rationale": {"weight": 1}, "end": {}, "own": {"labels": "soft"}}
    )
    fit(tiny, rows, same, tmp_path / "same", replay=replay)
    assert without_speed(tmp_path / "same") == without_speed(tmp_path / "plain")
    assert adapter_of(tmp_path / "same") == adapter_of(tmp_path / "plain")


def test_an_interrupted_run_goes_on_with_the_same_replay(
    tiny: Path, table: Write, replay: ExampleTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = table(examples(14))
    chosen = kept(epochs=2, save_every=2, lora=Lora(rank=4, dropout=0.1))
    write = MetricsLog.write

    def write_or_stop(self: MetricsLog, line: dict[str, float]) -> None:
        write(self, line)
        if line["step"] == 7:
            raise KeyboardInterrupt

    monkeypatch.setattr(MetricsLog, "write", write_or_stop)
    with pytest.raises(KeyboardInterrupt):
        fit(tiny, rows, chosen, tmp_path / "out", replay=replay)
    monkeypatch.setattr(MetricsLog, "write", write)
    fit(tiny, rows, chosen, tmp_path / "out", replay=replay)
    fit(tiny, rows, chosen, tmp_path / "whole", replay=replay)
    assert without_speed(tmp_path / "out") == without_speed(tmp_path / "whole")
    assert adapter_of(tmp_path / "out") == adapter_of(tmp_path / "whole")
    fit(tiny, rows, chosen, tmp_path / "first", replay=replay, until=1)
    fit(tiny, rows, chosen, tmp_path / "second", replay=replay, before=tmp_path / "first")
    assert adapter_of(tmp_path / "second") == adapter_of(tmp_path / "whole")


def test_hard_replay_needs_no_adapter(tiny: Path, table: Write, replay: ExampleTable, tmp_path: Path) -> None:
    chosen = settings(
        lora=None, learning_rate=1e-3, replay=Replay(share=0.25, weight=1), segments={"replay": {"weight": 2}}
    )
    fit(tiny, table(examples(8)), chosen, tmp_path / "out", replay=replay)
    for line in metrics(tmp_path / "out"):
        assert line["term/replay"] == pytest.approx(line["loss/replay"], rel=1e-5)  # its mean, whatever each weighs


STORED = {name: SegmentTraining(labels="stored") for name in ("rationale", "replay")}
WROTE = ("rationale", "replay", "end")


def test_labels_of_which_all_was_stored_are_soft_labels(
    tiny: Path, table: Write, replay: ExampleTable, tmp_path: Path
) -> None:
    """All of them, or beside those for which the backbone is asked."""
    write_examples(tmp_path / "kept", 0, remembered(replayed(5), tiny, VOCABULARY, WROTE))
    rows = table(remembered(examples(8), tiny, VOCABULARY, WROTE))
    how = {"replay": Replay(share=0.25), "epochs": 2}
    soft = {name: SegmentTraining(labels="soft") for name in STORED}
    fit(tiny, rows, settings(**how, segments=soft), tmp_path / "soft", replay=replay)
    kept = ExampleTable(tmp_path / "kept")
    for name, segments in (("stored", STORED), ("both", {**soft, "rationale": STORED["rationale"]})):
        fit(tiny, rows, settings(**how, segments=segments), tmp_path / name, replay=kept)
        for line, other in zip(metrics(tmp_path / name), metrics(tmp_path / "soft"), strict=True):
            for key in ("loss", "grad_norm", "loss/rationale", "loss/replay", "loss/reference"):
                assert line[key] == pytest.approx(other[key], rel=1e-3, abs=1e-5), (name, key)


@pytest.mark.parametrize("packing", ["off", "on"])
def test_stored_labels_need_no_adapter(packing: str, tiny: Path, table: Write, tmp_path: Path) -> None:
    """Five tokens of the vocabulary, and all weights trained; a dev set is measured as ever."""
    write_examples(tmp_path / "kept", 0, remembered(replayed(5), tiny, 5, WROTE))
    write_examples(tmp_path / "dev", 0, remembered(examples(3, seed=5), tiny, 5, WROTE))
    chosen = settings(lora=None, learning_rate=1e-3, replay=Replay(share=0.25), packing=packing, epochs=2)
    rows = table(remembered(examples(8), tiny, 5, WROTE))
    kept, dev = (ExampleTable(tmp_path / name) for name in ("kept", "dev"))
    found = {}
    for name, segments in (("hard", {}), ("stored", STORED)):
        fit(tiny, rows, chosen.model_copy(update={"segments": segments}), tmp_path / name, replay=kept, dev=dev)
        lines = metrics(tmp_path / name)
        found[name] = [line for line in lines if "loss" in line], [line for line in lines if "loss" not in line]
    first, *_, last = found["stored"][0]
    assert [first["loss/rationale"], first["loss/replay"]] == pytest.approx([0, 0], abs=1e-5)
    assert 0 < last["loss/rationale"] < 0.5
    assert first["loss/reference"] == pytest.approx(found["hard"][0][0]["loss/reference"])
    assert found["stored"][1][0] == found["hard"][1][0]  # before the first step, all of it with hard labels


def test_stored_labels_without_log_probabilities_are_refused(
    tiny: Path, table: Write, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    chosen = settings(segments={"rationale": {"labels": "stored"}})
    with pytest.raises(
        TrainingError, match=r"segments\.rationale: labels are `stored`, and no log-probabilities are kept"
    ):
        fit(tiny, table(examples(4)), chosen, tmp_path / "out")
    made = examples(8)
    some = table([*remembered(made[:4], tiny, 5, ("rationale",)), *made[4:]])
    fit(tiny, some, chosen, tmp_path / "out")
    counts = [sum(len(one.segments[2].ids) for one in part if len(one.segments) > 3) for part in (made, made[4:])]
    said = f"of {counts[0]} tokens of rationale, {counts[1]} have no log-probabilities and learn hard"
    assert said in capfd.readouterr().err


def test_a_prompt_that_is_all_there_is_may_be_trained(tiny: Path, table: Write, tmp_path: Path) -> None:
    """Examples in which nothing else has a weight."""
    alone = [Example((Segment("prompt", (5, 6, 7), 0.0),))] * 4
    fit(tiny, table(alone), settings(segments={"prompt": {"weight": 0.5}}), tmp_path / "out")
    assert [line["loss"] for line in metrics(tmp_path / "out")] == [metrics(tmp_path / "out")[0]["loss/prompt"]]


def test_replay_without_examples_is_refused(tiny: Path, table: Write, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"there are no replay examples. Name prompts \(data\.replay\)"):
        fit(tiny, table(examples(4)), settings(replay=Replay()), tmp_path / "out")


def test_segments_that_no_example_has_are_said(
    tiny: Path, table: Write, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    rows = table(examples(4))
    with pytest.raises(TrainingError, match=r"segment rationales\. The examples have prompt, reference, end"):
        fit(tiny, rows, settings(segments={"rationales": {"labels": "soft"}}), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    fit(
        tiny, rows, settings(segments={"own": {"labels": "soft"}}), tmp_path / "out"
    )  # another row of the recipe has it
    assert "no example has the segment own, so that has no effect" in capfd.readouterr().err
