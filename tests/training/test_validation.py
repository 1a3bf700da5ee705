"""Validation while training: the right numbers at the right steps, and a training that is the same without."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import LlamaForCausalLM

from dragoman.errors import TrainingError
from dragoman.prompts.examples import Example, ExampleTable, write_examples
from dragoman.recipe.training import Lora, Replay, Training
from dragoman.training import validation
from dragoman.training.steps import MetricsLog, StepTrainer
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
from dragoman.recipe.training import Lora
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


def overfit(count: int = 12) -> list[Example]:
    """Examples of random tokens: learning them by heart makes others worse."""
    return examples(count, seed=3)


def adapter_of(out: Path) -> bytes:
    return (out / "adapter" / "adapter_model.safetensors").read_bytes()


BEST: dict[str, Any] = {"epochs": 6, "learning_rate": 3e-2, "keep": "best", "validate_every": 2, "schedule": "constant"}


def test_the_best_weights_are_those_of_a_training_that_stopped_there(
    tiny: Path, table: Write, dev: ExampleTable, tmp_path: Path
) -> None:
    rows = table(overfit())
    chosen = settings(**BEST)
    result = fit(tiny, rows, chosen, tmp_path / "best", dev=dev)
    after = {step: loss for step, loss in result.validation.items() if step}
    assert result.kept == min(after, key=lambda step: after[step])
    assert 0 < result.kept < result.steps == 18
    stopped = chosen.model_copy(update={"epochs": result.kept / 3, "keep": "last"})
    fit(tiny, rows, stopped, tmp_path / "stopped", dev=dev)
    last = fit(tiny, rows, chosen.model_copy(update={"keep": "last"}), tmp_path / "last", dev=dev)
    assert last.kept == last.steps
    assert adapter_of(tmp_path / "best") == adapter_of(tmp_path / "stopped") != adapter_of(tmp_path / "last")
    assert not (tmp_path / "best" / "checkpoints").exists()


def test_with_all_weights_the_best_outlives_the_checkpoints_after_it(
    tiny: Path, table: Write, dev: ExampleTable, tmp_path: Path
) -> None:
    chosen = settings(**{**BEST, "lora": None, "learning_rate": 1e-2, "save_every": 1})
    result = fit(tiny, table(overfit()), chosen, tmp_path / "out", dev=dev)
    assert 0 < result.kept < result.steps - 1
    trained = LlamaForCausalLM.from_pretrained(result.adapter)
    assert mean_loss(trained, dev) == pytest.approx(result.validation[result.kept], abs=1e-5)


@pytest.mark.parametrize("stop", [5, 17])
def test_a_run_that_was_stopped_keeps_the_same_best(
    stop: int, tiny: Path, table: Write, dev: ExampleTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, chosen, write = table(overfit()), settings(**BEST, save_every=4), MetricsLog.write

    def write_or_stop(self: MetricsLog, line: dict[str, float]) -> None:
        write(self, line)
        if line["step"] == stop:
            raise KeyboardInterrupt

    monkeypatch.setattr(MetricsLog, "write", write_or_stop)
    with pytest.raises(KeyboardInterrupt):
        fit(tiny, rows, chosen, tmp_path / "out", dev=dev)
    monkeypatch.setattr(MetricsLog, "write", write)
    again = fit(tiny, rows, chosen, tmp_path / "out", dev=dev)
    whole = fit(tiny, rows, chosen, tmp_path / "whole", dev=dev)
    assert again.kept == whole.kept < whole.steps
    assert without_speed(tmp_path / "out") == without_speed(tmp_path / "whole")
    assert adapter_of(tmp_path / "out") == adapter_of(tmp_path / "whole")


def test_the_best_of_a_training_in_parts_may_be_in_its_first(
    tiny: Path, table: Write, dev: ExampleTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = [9.0, 5.0, 3.0, 4.0, 5.0, 6.0, 7.0, 7.0, 7.0, 7.0]
    monkeypatch.setattr(StepTrainer, "_means", lambda self, *_: [values[self.state.global_step], 0.0])
    rows, chosen = table(overfit()), settings(**{**BEST, "validate_every": 1, "epochs": 3})
    whole = fit(tiny, rows, chosen, tmp_path / "whole", dev=dev)
    fit(tiny, rows, chosen, tmp_path / "1", until=1, dev=dev)
    fit(tiny, rows, chosen, tmp_path / "2", before=tmp_path / "1", until=2, dev=dev)
    last = fit(tiny, rows, chosen, tmp_path / "3", before=tmp_path / "2", dev=dev)
    assert last.kept == whole.kept == 2  # of three steps of the first part
    assert adapter_of(tmp_path / "3") == adapter_of(tmp_path / "whole")


SHARED = """
from pathlib import Path
from tests.training.training_kit import settings
from dragoman.prompts.examples import ExampleTable
from dragoman.training.trainer import fit

rows, dev = ExampleTable(Path({table!r})), ExampleTable(Path({dev!r}))
fit({tiny!r}, rows, settings(**{chosen!r}), Path({out!r}), dev=dev)
"""


def test_two_devices_find_the_validation_losses_of_one(
    tiny: Path, table: Write, dev: ExampleTable, tmp_path: Path
) -> None:
    rows, chosen = table(overfit()), {**BEST, "epochs": 3, "batch_tokens": 80}
    one = fit(tiny, rows, settings(**chosen), tmp_path / "one", dev=dev)
    places = {"tiny": str(tiny), "table": str(rows.folder), "dev": str(dev.folder), "out": str(tmp_path / "two")}
    script = tmp_path / "shared.py"
    script.write_text(SHARED.format(**places, chosen=chosen), encoding="utf-8")
    path = f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": path}
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=200)
    assert done.returncode == 0, done.stderr
    found = validated(tmp_path / "two")
    assert [step for step, _ in found] == [0, 2, 4, 6, 8, 9]
    assert [loss for _, loss in found] == pytest.approx([loss for _, loss in validated(tmp_path / "one")], rel=1e-3)
    assert one.kept in dict(found)
    assert (tmp_path / "two" / "adapter" / "adapter_model.safetensors").is_file()


def test_best_without_dev_pairs_is_refused(tiny: Path, table: Write, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"training\.keep is `best`, and there are no dev pairs"):
        fit(tiny, table(examples(4)), settings(keep="best"), tmp_path / "out")


def test_settings_from_before_have_the_names_they_had() -> None:
    assert (
        not {"keep", "replay", "segments", "balance", "budget"} & settings(segments={"rationale": {}}).deciding().keys()
    )
    soft = settings(replay=Replay(share=0.1, weight=1), segments={"end": {}, "own": {"labels": "soft"}}).deciding()
    assert soft["replay"] == {"share": 0.1, "weight": 1}
    assert soft["segments"] == {"own": {"labels": "soft", "weight": None}}
    gated = settings(segments={"own": {"gate": "stm"}, "end": {"weight": 2}}).deciding()["segments"]
    assert gated == {"own": {"labels": "hard", "weight": None, "gate": "stm"}, "end": {"labels": "hard", "weight": 2}}
    assert not {"validate_every", "save_every", "report_to"} & settings(validate_every=5).deciding().keys()
    assert settings(keep="best").deciding()["keep"] == "best"
    assert settings(budget={"drift": 0.1}).deciding()["budget"] == {"drift": 0.1, "then": "stop"}
