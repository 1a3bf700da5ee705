"""The progress line of long work: what, how much, how fast, and the time left.

On a terminal the line is redrawn in place; elsewhere a plain line is printed at most every ten seconds, and at the
end. Work of less than two seconds shows nothing.
"""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, Timer

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from dragoman.screen import console
from dragoman.terminal import say, visible

PATIENCE = 2.0
EVERY = 10.0
RECENT = 60.0  # seconds that the shown pace is of: what was slow at first, or is slow now, should not be averaged away


def note(text: str) -> None:
    """Prints one sentence on the error stream, without disturbing the progress line."""
    say(text, err=True)


@contextmanager
def progress(label: str, total: int, unit: str) -> Iterator["Bar"]:
    """Shows the progress of the work in the block, which calls `advance` on the bar as parts get done."""
    bar = Bar(label, total, unit, console(err=True))
    try:
        yield bar
    finally:
        bar.close()


class Bar:
    """Counts what is done. It holds the live display, so it lives as long as the work."""

    def __init__(self, label: str, total: int, unit: str, console: Console):
        self.label, self.total, self.unit = label, total, unit
        self.done = 0
        self.tokens = 0
        self._remark = ""
        self._console = console
        self._start = self._printed = time.monotonic()
        self._passed = deque([(self._start, 0, 0)])  # moments, with what was done by then, and its tokens
        self._live: Progress | None = None
        self._lock = Lock()  # the timer shows the line in a thread of its own
        self._closed = False
        self._timer = Timer(PATIENCE, self._show)
        self._timer.daemon = True
        if console.is_terminal:
            self._timer.start()

    def advance(self, count: int = 1, tokens: int = 0, remark: str = "") -> None:
        """Counts `count` more as done, with `tokens` more tokens; `remark` is shown at the end of the line."""
        self.done += count
        self.tokens += tokens
        self._remark = visible(remark) or self._remark
        now = time.monotonic()
        if now - self._passed[-1][0] >= 1:  # moments a second apart are enough, however many parts get done
            self._passed.append((now, self.done, self.tokens))
        while len(self._passed) > 1 and now - self._passed[1][0] >= RECENT:
            self._passed.popleft()
        if self._live is not None:
            self._live.update(self._live.task_ids[0], completed=self.done, line=self.line())
        elif self.done < self.total and now - self._printed >= EVERY and not self._console.is_terminal:
            self._printed = now
            note(f"{self.label}  {self.line()}")

    def line(self) -> str:
        """Such as `120/1,000 prompts  5,400 tokens/s  0:12 left`, at the pace of the last minute; when done, at the
        overall pace.
        """
        over = self.done >= self.total
        since, done, tokens = (self._start, 0, 0) if over else self._passed[0]
        seconds = max(time.monotonic() - since, 1e-9)
        pace = (self.done - done) / seconds
        rate = f"{(self.tokens - tokens) / seconds:,.0f} tokens/s" if self.tokens else f"{pace:,.1f} {self.unit}/s"
        parts = [f"{self.done:,}/{self.total:,} {self.unit}", rate]
        if over and self.done:
            parts.append(f"in {_clock(seconds)}")
        elif pace:
            parts.append(f"{_clock((self.total - self.done) / pace)} left")
        return "  ".join([*parts, self._remark] if self._remark else parts)

    def close(self) -> None:
        """Removes the live line; if the work took its time, one plain line about it stays."""
        self._timer.cancel()
        with self._lock:
            self._closed = True
            if self._live is not None:
                self._live.stop()
        if time.monotonic() - self._start >= PATIENCE:
            note(f"{self.label}  {self.line()}")

    def _show(self) -> None:
        with self._lock:
            if self._closed:
                return
            live = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(24),
                TextColumn("{task.fields[line]}", markup=False),
                console=self._console,
                transient=True,
            )
            live.add_task(visible(self.label), total=self.total, completed=self.done, line=self.line())
            live.start()
            self._live = live


def _clock(seconds: float) -> str:
    whole = int(seconds + 0.5)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
