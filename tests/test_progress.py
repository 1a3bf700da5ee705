"""The progress line: silent for short work, plain off a terminal, live on one."""

import io
import time
from collections.abc import Callable

import pytest
from rich.console import Console

from dragoman.progress import Bar, progress


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    return clock


def test_short_work_shows_nothing(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with progress("rationales", 10, "prompts") as bar:
        clock.now += 1.9
        bar.advance(10, tokens=100)
    assert capsys.readouterr() == ("", "")


def test_plain_lines_ten_seconds_apart_and_a_last_one(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with progress("training", 5, "steps") as bar:
        for _ in range(5):
            clock.now += 6
            bar.advance(1, tokens=120)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "training  2/5 steps  20 tokens/s  0:18 left",
        "training  4/5 steps  20 tokens/s  0:06 left",
        "training  5/5 steps  20 tokens/s  in 0:30",
    ]


def test_the_pace_is_that_of_the_last_minute(clock: Clock) -> None:
    bar = Bar("training", 1000, "steps", Console(file=io.StringIO()))
    for _ in range(90):  # a machine with other work
        clock.now += 10
        bar.advance(1, tokens=100)
    assert bar.line() == "90/1,000 steps  10 tokens/s  2:31:40 left"
    for _ in range(610):  # alone
        clock.now += 0.1
        bar.advance(1, tokens=100)
    assert bar.line() == "700/1,000 steps  1,000 tokens/s  0:30 left"
    clock.now += 150  # a step that takes longer than a minute is looked at whole
    bar.advance(1, tokens=100)
    clock.now += 150
    bar.advance(1, tokens=100)
    assert bar.line() == "702/1,000 steps  1 tokens/s  12:25:00 left"


def test_time_left_and_a_remark(clock: Clock) -> None:
    bar = Bar("training", 100, "steps", Console(file=io.StringIO()))
    clock.now += 80
    bar.advance(2, remark="loss 1.25")
    assert bar.line() == "2/100 steps  0.0 steps/s  1:05:20 left  loss 1.25"


def test_a_live_line_on_a_terminal(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    screen = io.StringIO()
    bar = Bar("rationales", 10, "prompts", Console(file=screen, force_terminal=True, width=100))
    clock.now += 3
    show: Callable[[], None] = bar._show
    show()
    bar.advance(3, tokens=30)
    bar.close()
    show()  # a timer that comes late shows nothing any more
    assert "3/10 prompts" in screen.getvalue()
    assert capsys.readouterr().err == "rationales  3/10 prompts  10 tokens/s  0:07 left\n"
