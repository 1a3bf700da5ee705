"""A curriculum over directions: when intervals join, that nothing is left out, and that a kill changes nothing."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from dragoman.errors import TrainingError
from dragoman.prompts.examples import Example, ExampleTable
from dragoman.recipe.training import Curriculum
from dragoman.training.batching import Order
from dragoman.training.curriculum import course, sentence
from dragoman.training.trainer import fit
from tests import ROOT
from tests.training.training_kit import examples, metrics, settings

Write = Callable[[list[Example]], ExampleTable]
COUNTS = {"de-en": 100, "en-de": 60, "cs-en": 20, "is-en": 4, "en-is": 2}
SAID = Curriculum(bounds=(10, 50))


def directions(spread: int = 0) -> list[str]:
    every = [direction for direction, count in COUNTS.items() for _ in range(count)]
    return [one for pair in zip(every, [""] * spread, strict=False) for one in pair] + every[spread:]


def test_an_interval_joins_once_the_mean_of_what_is_left_has_fallen_to_its_own() -> None:
    every = directions()
    found = course(every, SAID, seed=0)
    assert sorted(found.order.tolist()) == list(range(len(every)))
    assert [dict(one.directions) for one in found.intervals] == [
        {"de-en": 100, "en-de": 60},
        {"cs-en": 20},
        {"is-en": 4, "en-is": 2},
    ]
    left, playing = Counter(COUNTS), ["de-en", "en-de"]
    waiting = [(["cs-en"], 20.0), (["is-en", "en-is"], 3.0)]
    joins = [0]
    for at, index in enumerate(found.order.tolist()):
        while waiting and sum(left[one] for one in playing) / len(playing) <= waiting[0][1]:
            playing += waiting.pop(0)[0]
            joins.append(at)
        assert every[index] in playing
        left[every[index]] -= 1
    assert joins == [one.first for one in found.intervals] == [0, 120, 171]
    assert {every[index] for index in found.order[:30]} == {"de-en", "en-de"}  # drawn at random among them
    assert {every[index] for index in found.order[120:]} == set(COUNTS)


def test_what_has_no_direction_is_spread_over_all_of_it() -> None:
    every = directions(spread=90)
    found = course(every, SAID, seed=1)
    assert sorted(found.order.tolist()) == list(range(len(every)))
    thirds = [sum(every[index] == "" for index in found.order[at : at + 92]) for at in (0, 92, 184)]
    assert min(thirds) > 20
    for one in found.intervals[1:]:
        assert every[found.order[one.first]] != ""
        assert not set(one.directions) & {every[index] for index in found.order[: one.first]}


def test_what_is_equal_joins_at_once_and_the_order_is_of_the_seed() -> None:
    every = ["de-en"] * 20 + ["en-de"] * 19
    found = course(every, Curriculum(bounds=(20,)), seed=0)
    assert [one.first for one in found.intervals] == [0, 1]
    assert course(every, SAID, seed=0).order.tolist() == course(every, SAID, seed=0).order.tolist()
    assert course(every, SAID, seed=0).order.tolist() != course(every, SAID, seed=1).order.tolist()
    assert len(course(every, Curriculum(bounds=(50,)), seed=0).intervals) == 1


def test_passes_after_the_first_are_of_everything() -> None:
    every = directions()
    order = Order(len(every), 8, 5, course=course(every, SAID, 5))
    first = [index for step in order for index in step]
    assert first == course(every, SAID, 5).order.tolist()
    order.set_epoch(1)
    assert [*order] == [*_at(Order(len(every), 8, 5), 1)]


def _at(order: Order, epoch: int) -> Order:
    order.set_epoch(epoch)
    return order


def test_it_is_told_when_intervals_join(tiny: Path, table: Write, tmp_path: Path) -> None:
    every = ["de-en"] * 12 + ["cs-en"] * 4 + [""] * 2
    chosen = settings(epochs=2, max_steps=7, curriculum={"bounds": [8]})
    result = fit(tiny, table(examples(18)), chosen, tmp_path / "out", directions=every)
    first, second = result.joined
    assert (first, second["directions"]) == ({"directions": {"de-en": 12}, "step": 1}, {"cs-en": 4})
    assert second["step"] in (3, 4)
    seen = [line["intervals"] for line in metrics(tmp_path / "out")]
    assert seen == [1 if step < second["step"] else 2 for step in range(1, 8)]
    assert (
        sentence(result.joined) == f"de-en (12 examples) from the start; cs-en (4 examples) from step {second['step']}"
    )
    sooner = chosen.model_copy(update={"max_steps": 2})
    short = fit(tiny, table(examples(18)), sooner, tmp_path / "short", directions=every)
    assert short.joined[1]["step"] is None
    assert sentence(short.joined).endswith("cs-en (4 examples) not before the end")


KILLED = """
import os, signal
from pathlib import Path
from tests.training.training_kit import settings
from dragoman.prompts.examples import ExampleTable
from dragoman.training import steps, trainer

write = steps.MetricsLog.write
def kill_after(self, line):
    write(self, line)
    if line["step"] == {step}:
        os.kill(os.getpid(), signal.SIGKILL)
steps.MetricsLog.write = kill_after
chosen = settings(epochs=2, save_every=2, curriculum={{"bounds": [8]}}, lora={{"rank": 4, "dropout": 0.1}})
trainer.fit({tiny!r}, ExampleTable(Path({table!r})), chosen, Path({out!r}), directions={every!r})
"""


@pytest.mark.parametrize("step", [3, 7])
def test_a_kill_changes_nothing(step: int, tiny: Path, table: Write, tmp_path: Path) -> None:
    rows, every, out = table(examples(16)), ["de-en"] * 12 + ["cs-en"] * 4, tmp_path / "killed"
    text = KILLED.format(step=step, tiny=str(tiny), table=str(rows.folder), out=str(out), every=every)
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, cwd=ROOT, env=environment)
    assert done.returncode == -signal.SIGKILL, done.stderr
    chosen = settings(epochs=2, save_every=2, curriculum={"bounds": [8]}, lora={"rank": 4, "dropout": 0.1})
    again = fit(tiny, rows, chosen, out, directions=every)
    whole = fit(tiny, rows, chosen, tmp_path / "whole", directions=every)
    name = "adapter_model.safetensors"
    assert (again.adapter / name).read_bytes() == (whole.adapter / name).read_bytes()
    assert [line["intervals"] for line in metrics(out)] == [line["intervals"] for line in metrics(tmp_path / "whole")]
    assert again.joined == whole.joined


def test_without_pairs_there_is_no_curriculum(tiny: Path, table: Write, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"training\.curriculum is set, and no example is a pair"):
        fit(tiny, table(examples(8)), settings(curriculum={"bounds": [8]}), tmp_path / "out", directions=[""] * 8)
    with pytest.raises(ValidationError, match=r"bounds that do not rise; take \[10, 100\]"):
        Curriculum(bounds=(100, 10))
    assert "curriculum" not in settings().deciding()
    assert settings(curriculum={"bounds": [8]}).deciding()["curriculum"] == {"bounds": [8]}
