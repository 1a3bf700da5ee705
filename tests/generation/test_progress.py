"""The progress line: silent for short work, plain off a terminal, live on one."""

import io
from collections.abc import Callable

import pytest
from rich.console import Console

from dragoman.generation import progress as module
from dragoman.generation.progress import Bar, progress


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module.time, "monotonic", clock)
    return clock


def test_short_work_shows_nothing(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with progress("rationales", 10, "prompts") as bar:
        clock.now += 1.9
        bar.advance(10, tokens=100)
    assert capsys.readouterr() == ("", "")


def test_plain_lines_every_few_seconds(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with progress("rationales", 4000, "prompts") as bar:
        for _ in range(4):
            clock.now += 2.6
            bar.advance(1000, tokens=52_000)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "rationales  2,000/4,000 prompts  20,000 tokens/s  0:05 left",
        "rationales  4,000/4,000 prompts  20,000 tokens/s  in 0:10",
        "rationales  4,000/4,000 prompts  20,000 tokens/s  in 0:10",
    ]


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
