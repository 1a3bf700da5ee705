"""Drift while training: the right numbers, a training that is the same without, and budgets that end or slow it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import LlamaForCausalLM

from dragoman.errors import TrainingError
from dragoman.prompts.examples import Example, ExampleTable, write_examples
from dragoman.recipe.training import Lora, Replay
from dragoman.training import checkpoints, validation
from dragoman.training.steps import MetricsLog, StepTrainer
from dragoman.training.trainer import fit
from tests import ROOT
from tests.training.training_kit import examples, metrics, settings

Write = Callable[[list[Example]], ExampleTable]

OFTEN: dict[str, Any] = {"epochs": 3, "validate_every": 2, "schedule": "constant"}


@pytest.fixture
def dev(tmp_path: Path) -> ExampleTable:
    """Six examples that no training sees."""
    write_examples(tmp_path / "dev", 0, examples(6, seed=7))
    return ExampleTable(tmp_path / "dev")


@torch.no_grad()
def kl(tiny: Path, adapter: Path, texts: ExampleTable) -> float:
    """The plain mean of KL(backbone || model) over the trained tokens, one at a time."""
    model = PeftModel.from_pretrained(LlamaForCausalLM.from_pretrained(tiny), adapter)
    found = []
    for row in texts:
        ids = torch.tensor(row.ids.astype("int64"))[None]
        q = model(input_ids=ids).logits[0].double().softmax(-1)
        with model.disable_adapter():
            p = model(input_ids=ids).logits[0].double().softmax(-1)
        each = (p * (p / q).log()).sum(-1)[:-1]
        found += [float(one) for one, weight in zip(each, row.weights[1:], strict=True) if weight]
    return sum(found) / len(found)


def without_speed(out: Path) -> list[dict[str, float]]:
    return [{key: value for key, value in line.items() if key != "tokens_per_second"} for line in metrics(out)]


def measured(out: Path, name: str) -> list[tuple[float, float]]:
    return [(line["step"], line[name]) for line in metrics(out) if name in line]


def rates(out: Path) -> list[float]:
    return [line["learning_rate"] for line in metrics(out) if "loss" in line]


def adapter_of(out: Path) -> bytes:
    return (out / "adapter" / "adapter_model.safetensors").read_bytes()


def stop_after(line_has: str, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupts a training when it has written a line of the log."""
    write = MetricsLog.write

    def write_or_stop(self: MetricsLog, line: dict[str, float]) -> None:
        write(self, line)
        if line["step"] == step and line_has in line:
            raise KeyboardInterrupt

    monkeypatch.setattr(MetricsLog, "write", write_or_stop)


@pytest.mark.parametrize("changes", [{}, {"batch_tokens": 16}, {"packing": "on", "batch_tokens": 150}])
def test_drift_is_the_mean_divergence_from_the_backbone(
    changes: dict[str, Any], tiny: Path, table: Write, dev: ExampleTable, general: ExampleTable, tmp_path: Path
) -> None:
    out, rows = tmp_path / "out", table(examples(14))
    result = fit(tiny, rows, settings(**OFTEN, **changes), out, dev=dev, general=general)
    for kind, texts in (("general", general), ("translation", dev)):
        (start, none), *_, (end, last) = measured(out, f"drift/{kind}")
        assert (start, end) == (0, result.steps)
        assert none == pytest.approx(0, abs=1e-6)
        assert last == pytest.approx(kl(tiny, out / "adapter", texts), rel=1e-3)
        assert last > 0.01
        assert list(result.drift[kind].items()) == measured(out, f"drift/{kind}")


def test_training_is_bit_for_bit_the_same_with_and_without(
    tiny: Path, table: Write, replay: ExampleTable, dev: ExampleTable, general: ExampleTable, tmp_path: Path
) -> None:
    rows = table(examples(14))
    chosen = settings(replay=Replay(share=0.25), **{**OFTEN, "lora": Lora(rank=4, dropout=0.1)})
    runs: dict[str, dict[str, Any]] = {
        "without": {},
        "general": {"general": general},
        "both": {"dev": dev, "general": general},
        "far": {"general": general},
    }
    for name, held_out in runs.items():
        budget = {"budget": {"drift": 99, "then": "lower"}} if name == "far" else {}
        fit(tiny, rows, chosen.changed(budget), tmp_path / name, replay=replay, **held_out)
    for name in list(runs)[1:]:
        steps = [line for line in without_speed(tmp_path / name) if "loss" in line]
        assert steps == without_speed(tmp_path / "without")
        assert adapter_of(tmp_path / name) == adapter_of(tmp_path / "without")
    assert [step for step, _ in measured(tmp_path / "general", "drift/general")] == [0, 2, 4, 6, 8, 10, 12]
    assert measured(tmp_path / "both", "drift/general") == measured(tmp_path / "general", "drift/general")


def test_with_all_weights_there_is_no_backbone_to_measure_from(
    tiny: Path, table: Write, replay: ExampleTable, dev: ExampleTable, general: ExampleTable, tmp_path: Path
) -> None:
    chosen = settings(lora=None, learning_rate=1e-3, replay=Replay())
    alone = fit(tiny, table(examples(8)), chosen, tmp_path / "alone", replay=replay, general=general)
    assert (alone.drift, alone.validation) == ({}, {})
    beside = fit(tiny, table(examples(8)), chosen, tmp_path / "beside", replay=replay, general=general, dev=dev)
    assert beside.drift == {}
    assert sorted(beside.validation) == [0, 2]


def budgeted(tiny: Path, rows: ExampleTable, out: Path, general: ExampleTable) -> float:
    """A budget between the drift after step 4 and that after step 6 of a training that moves far."""
    found = fit(tiny, rows, settings(**OFTEN), out, general=general).drift["general"]
    assert found[2] < found[4] < found[6]
    return (found[4] + found[6]) / 2


def test_over_its_budget_a_training_ends_with_the_weights_it_has(
    tiny: Path, table: Write, dev: ExampleTable, general: ExampleTable, tmp_path: Path
) -> None:
    rows = table(examples(14))
    budget = budgeted(tiny, rows, tmp_path / "free", general)
    chosen = settings(**OFTEN, budget={"drift": budget})
    result = fit(tiny, rows, chosen, tmp_path / "out", dev=dev, general=general)
    assert (result.steps, result.kept) == (6, 6)
    assert validation.over(result.drift, chosen.budget) == [6]
    assert [line["step"] for line in metrics(tmp_path / "out") if "loss" in line] == [1, 2, 3, 4, 5, 6]
    assert not (tmp_path / "out" / "checkpoints").exists()
    fit(tiny, rows, settings(schedule="constant", epochs=1.5), tmp_path / "stopped")
    assert adapter_of(tmp_path / "out") == adapter_of(tmp_path / "stopped") != adapter_of(tmp_path / "free")


def test_without_replay_the_budget_is_for_the_dev_pairs(
    tiny: Path, table: Write, dev: ExampleTable, tmp_path: Path
) -> None:
    result = fit(tiny, table(examples(14)), settings(**OFTEN, budget={"drift": 1e-5}), tmp_path / "out", dev=dev)
    assert result.steps == 2
    assert set(result.drift) == {"translation"}


@pytest.mark.parametrize(("line", "step"), [("drift/general", 6), ("loss", 5), ("drift/general", 4)])
@pytest.mark.parametrize("then", ["stop", "lower"])
def test_an_interrupted_run_brakes_where_the_whole_one_does(
    line: str,
    step: int,
    then: str,
    tiny: Path,
    table: Write,
    general: ExampleTable,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = table(examples(14))
    budget = budgeted(tiny, rows, tmp_path / "free", general)
    chosen = settings(**OFTEN, save_every=2, budget={"drift": budget, "then": then})
    with monkeypatch.context() as patched:
        stop_after(line, step, patched)
        with pytest.raises(KeyboardInterrupt):
            fit(tiny, rows, chosen, tmp_path / "out", general=general)
    fit(tiny, rows, chosen, tmp_path / "out", general=general)
    fit(tiny, rows, chosen, tmp_path / "whole", general=general)
    assert without_speed(tmp_path / "out") == without_speed(tmp_path / "whole")
    assert adapter_of(tmp_path / "out") == adapter_of(tmp_path / "whole")


def test_a_run_that_ended_goes_no_further_when_it_is_called_again(
    tiny: Path, table: Write, general: ExampleTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = table(examples(14))
    chosen = settings(**OFTEN, budget={"drift": 1e-5})

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(checkpoints, "publish", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fit(tiny, rows, chosen, tmp_path / "out", general=general)
    result = fit(tiny, rows, chosen, tmp_path / "out", general=general)
    assert result.steps == 2
    assert [line["step"] for line in metrics(tmp_path / "out")] == [0, 1, 2, 2]


def test_what_ended_in_its_first_part_stays_so(tiny: Path, table: Write, general: ExampleTable, tmp_path: Path) -> None:
    rows, chosen = table(examples(14)), settings(**OFTEN, budget={"drift": 1e-5})
    fit(tiny, rows, chosen, tmp_path / "1", general=general, until=1)
    result = fit(tiny, rows, chosen, tmp_path / "2", general=general, before=tmp_path / "1")
    assert result.steps == 2
    assert adapter_of(tmp_path / "1") == adapter_of(tmp_path / "2")


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_over_its_budget_a_training_goes_on_at_half_the_rate_each_time(
    schedule: str, tiny: Path, table: Write, general: ExampleTable, tmp_path: Path
) -> None:
    rows = table(examples(14))
    lowered = settings(**{**OFTEN, "schedule": schedule}, budget={"drift": 1e-5, "then": "lower"})
    result = fit(tiny, rows, lowered, tmp_path / "lowered", general=general)
    fit(tiny, rows, lowered.changed({"budget": None}), tmp_path / "free", general=general)
    halved = [rate / 2 ** (max(0, number - 1) // 2) for number, rate in enumerate(rates(tmp_path / "free"), 1)]
    assert rates(tmp_path / "lowered") == pytest.approx(halved)
    assert result.steps == 12
    assert validation.over(result.drift, lowered.budget) == [2, 4, 6, 8, 10, 12]
    assert result.drift["general"][12] < 0.5 * measured(tmp_path / "free", "drift/general")[-1][1]


def test_a_budget_within_rounding_is_refused(
    tiny: Path, table: Write, general: ExampleTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StepTrainer, "_means", lambda *_: [2e-6])
    with pytest.raises(TrainingError, match=r"training\.budget\.drift is 1e-06, and rounding alone makes more"):
        fit(tiny, table(examples(4)), settings(budget={"drift": 1e-6}), tmp_path / "out", general=general)


def test_a_budget_with_nothing_to_measure_is_refused(
    tiny: Path, table: Write, replay: ExampleTable, tmp_path: Path
) -> None:
    chosen = settings(replay=Replay(), budget={"drift": 0.1})
    with pytest.raises(TrainingError, match=r"of fewer than ten replay examples none is held out\. Name more prompts"):
        fit(tiny, table(examples(4)), chosen, tmp_path / "out", replay=replay)


SHARED = """
from pathlib import Path
from tests.training.training_kit import settings
from dragoman.prompts.examples import ExampleTable
from dragoman.training.trainer import fit

rows, dev, general = (ExampleTable(Path(one)) for one in {tables!r})
fit({tiny!r}, rows, settings(**{chosen!r}), Path({out!r}), dev=dev, general=general)
"""


def test_two_devices_measure_and_end_as_one_does(
    tiny: Path, table: Write, dev: ExampleTable, general: ExampleTable, tmp_path: Path
) -> None:
    rows = table(examples(14))
    chosen = {**OFTEN, "batch_tokens": 80, "budget": {"drift": budgeted(tiny, rows, tmp_path / "free", general)}}
    fit(tiny, rows, settings(**chosen), tmp_path / "one", dev=dev, general=general)
    tables = [str(one.folder) for one in (rows, dev, general)]
    script = tmp_path / "shared.py"
    script.write_text(SHARED.format(tiny=str(tiny), tables=tables, chosen=chosen, out=str(tmp_path / "two")))
    path = f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": path}
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=200)
    assert done.returncode == 0, done.stderr
    for kind in ("general", "translation"):
        one, two = (measured(tmp_path / name, f"drift/{kind}") for name in ("one", "two"))
        assert [step for step, _ in two] == [0, 2, 4, 6]
        assert [value for _, value in two] == pytest.approx([value for _, value in one], rel=1e-2, abs=1e-6)
