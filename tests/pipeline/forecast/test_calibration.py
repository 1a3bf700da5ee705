"""The calibration of a machine: arithmetic by hand, what is remembered, and what a dry run says of it."""

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from dragoman.commands.recipes import recipe
from dragoman.errors import EngineError
from dragoman.generation.ask import Asking
from dragoman.pipeline.forecast import busy
from dragoman.pipeline.forecast.calibration import Calibration, calibrated
from dragoman.pipeline.forecast.cost import Reckoning
from dragoman.pipeline.forecast.estimate import training_flops
from dragoman.pipeline.forecast.geometry import Geometry, hardware
from dragoman.pipeline.forecast.show import print_plan
from dragoman.pipeline.forecast.trial import Speeds, Trial
from dragoman.pipeline.plan import plan
from dragoman.recipe.engines import Generation
from dragoman.recipe.training import Training
from tests import ROOT

SMALL = Geometry(layers=1, hidden=4, intermediate=8, heads=1, kv_heads=1, vocabulary=10, context=64)
SPEEDS = Speeds(1e9, 5.0, asking_start=2.0, reading=0.001, step=0.01, writing=0.002, together=100)
TRIAL = Trial(SMALL, None, Training(), Generation(), length=60, asked=40, answered=50)


class Tries:
    """Tries out nothing, counts how often it should, and perhaps fails."""

    def __init__(self) -> None:
        self.count = 0
        self.fault: EngineError | None = None

    def __call__(self, trial: Trial) -> Speeds:
        self.count += 1
        if self.fault:
            raise self.fault
        return SPEEDS


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Tries:
    """With an empty folder to remember things in, on an idle machine."""
    monkeypatch.setenv("DRAGOMAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(busy, "busy", lambda: 0.0)
    return Tries()


def test_times_by_hand() -> None:
    found = Calibration(SPEEDS, SMALL, True, True)
    settings = Training(lora=None)
    operations = training_flops(SMALL, settings, 2, 20, 6)
    assert found.training(settings, (2, 20, 6)).seconds == 5 + operations / 1e9
    assert found.merging().seconds == 10
    work = Asking(150, 3000, 1500)  # two batches, whose longest answers are of 30 tokens
    asked = found.generation(SMALL, work)
    assert asked is not None
    assert asked.seconds == pytest.approx(2 + 3000 * 0.001 + 2 * 30 * 0.01 + 1500 * 0.002)
    twice = found.generation(replace(SMALL, layers=2, vocabulary=20), work)
    assert twice is not None
    assert asked.seconds is not None
    assert twice.seconds == pytest.approx(2 * asked.seconds)
    assert Calibration(Speeds(1e9, 5.0), SMALL, True, True).generation(SMALL, work) is None


def test_a_machine_is_tried_once_and_again_if_wanted(tries: Tries, tmp_path: Path) -> None:
    said: list[str] = []
    first, second = (calibrated(TRIAL, tries, say=said.append) for _ in range(2))
    assert first == Calibration(SPEEDS, SMALL, False, True)
    assert second == Calibration(SPEEDS, SMALL, False, False)
    assert tries.count == len(said) == 1
    assert calibrated(TRIAL, tries, again=True, say=said.append) == first
    assert tries.count == 2
    (path,) = (tmp_path / "cache" / "calibrations").iterdir()
    path.write_text(json.dumps({"of an earlier": "version"}))
    assert calibrated(TRIAL, tries, say=said.append) == first


@pytest.mark.parametrize(
    "other",
    [
        replace(TRIAL, geometry=replace(SMALL, layers=2)),
        replace(TRIAL, training=Training(precision="fp32")),
        replace(TRIAL, training=Training(lora=None)),
        replace(TRIAL, training=Training(batch_tokens=512)),
        replace(TRIAL, generation=Generation(engine="hf")),
        replace(TRIAL, length=600),
    ],
)
def test_what_changes_the_speed_is_tried_anew(tries: Tries, other: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    for one in (TRIAL, other):
        calibrated(one, tries, say=lambda _: None)
    assert tries.count == 2
    calibrated(replace(TRIAL, training=Training(epochs=1, learning_rate=0.5)), tries, say=lambda _: None)
    assert tries.count == 2
    monkeypatch.setenv("OMP_NUM_THREADS", "77")
    calibrated(TRIAL, tries, say=lambda _: None)
    assert tries.count == 3


def test_what_cannot_be_tried_is_said_and_the_dry_run_goes_on(tries: Tries) -> None:
    tries.fault = EngineError("memory ran out")
    said: list[str] = []
    assert calibrated(TRIAL, tries, say=said.append) is None
    assert said[-1] == "This machine could not be tried out, so times are not estimated: memory ran out"


def shown(tries: Tries, tmp_path: Path, *changes: str, gpu: str = "") -> str:
    lab = plan(recipe(ROOT / "recipes" / "lab" / "demo.yaml", [f"runs={tmp_path}/runs", *changes]))
    page = StringIO()
    print_plan(
        lab,
        Console(file=page, width=250),
        hardware(gpu) if gpu else None,
        lambda trial: calibrated(trial, tries, say=lambda _: None),
    )
    return page.getvalue()


def test_a_dry_run_tells_times_at_the_first_run(tries: Tries, tmp_path: Path) -> None:
    page = shown(tries, tmp_path)
    lines = {line.split()[0]: line for line in page.splitlines() if line}
    assert all("≈" in lines[name] for name in ("train-radis", "evaluate-vanilla", "merge-radis", "examples-radis"))
    assert "on this machine (≈, calibrated just now; half or double is possible); stages marked ? are not" in page
    assert "calibrated before" in shown(tries, tmp_path)
    assert tries.count == 1
    assert not list((tmp_path / "runs").rglob("artifacts/*"))
    assert "cores are busy" not in page


def test_another_machine_is_never_tried(tries: Tries, tmp_path: Path) -> None:
    assert "calibrated" not in shown(tries, tmp_path, gpu="a100-80gb")
    assert "calibrated" not in shown(tries, tmp_path, "hardware={gpu: a100-80gb}")
    assert tries.count == 0


def test_other_work_is_told(tries: Tries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(busy, "busy", lambda: busy.cores())
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert "now it takes about 2.0 times as long" in shown(tries, tmp_path)
    assert "times as long" not in shown(tries, tmp_path, gpu="a100-80gb")


def test_what_is_tried_is_what_the_recipe_will_do(tmp_path: Path) -> None:
    lab = plan(recipe(ROOT / "recipes" / "lab" / "demo.yaml", [f"runs={tmp_path}/runs", "training.precision=fp32"]))
    trial = Reckoning(lab).trial()
    assert trial is not None
    assert trial.itself
    assert trial.training.precision == "fp32"
    assert trial.training.batch_size == 64
    assert 40 < trial.length < 160
    assert 20 < trial.asked < 100
