"""What a stage took, all its parts together."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dragoman.commands.recipes import recipe
from dragoman.pipeline import run as running
from dragoman.pipeline import spent
from dragoman.pipeline.stages.stage import RunState, Stage

KILLED = """
import sys, time
from pathlib import Path
from dragoman.pipeline import spent
spent.EVERY = 0.05
with spent.spending(Path(sys.argv[1])):
    time.sleep(60)
"""


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_time_adds_up_over_the_parts_of_a_stage(
    tmp_path: Path, small_recipe: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, parts = Clock(), iter([2.5, 48.0, 6.5])
    make = running._make
    monkeypatch.setattr(time, "monotonic", clock)
    monkeypatch.setattr(running, "begin", lambda: None)

    def part(*arguments: Any) -> Any:
        took = next(parts)
        clock.now += took
        if took != 6.5:
            raise KeyboardInterrupt
        return make(*arguments)

    monkeypatch.setattr(running, "_make", part)
    small = recipe(small_recipe(tmp_path))
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            running.run(small, upto="data", say=lambda _: None)
        clock.now += 3600  # until it is run again
    said: list[str] = []
    running.run(small, upto="data", say=said.append)
    (manifest,) = tmp_path.glob("runs/.store/artifacts/data-*/manifest.json")
    assert '"seconds": 57.0' in manifest.read_text()
    assert any(line.startswith("✓ data  0:57") for line in said)
    assert not list(tmp_path.glob("runs/.store/spent/*"))


def test_what_a_killed_part_took_is_known_but_for_the_last_moments(tmp_path: Path) -> None:
    path = tmp_path / "spent" / "train"
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(path)])
    deadline = time.monotonic() + 60
    while not path.is_file() or float(path.read_text()) < 0.5:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with spent.spending(path) as seconds:
        assert 0.5 <= seconds() < 60


def test_libraries_are_imported_while_the_data_is_made(
    tmp_path: Path, small_recipe: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    monkeypatch.setattr(running, "begin", lambda: order.append("begin"))

    def make(state: RunState, stage: Stage, out: Path) -> Any:
        order.append(stage.title)
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "_make", make)
    for upto in ("data", "report"):
        with pytest.raises(KeyboardInterrupt):
            running.run(recipe(small_recipe(tmp_path)), upto=upto, say=lambda _: None)
    assert order == ["data", "begin", "data"]
