"""Tables and coloured text on the terminal, laid out by rich; text is never read as markup or as control codes."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderHook, RenderResult
from rich.segment import Segment

from dragoman.terminal import visible


def console(*, err: bool = False, **options: Any) -> Console:
    """A console to print with. Brackets and emoji names are plain text to it, and terminal control codes are made
    visible.
    """
    made = Console(stderr=err, markup=False, emoji=False, **options)
    made.push_render_hook(_Everything())
    return made


class _Everything(RenderHook):
    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Visible(one) for one in renderables]


class _Visible:
    """Something for rich to print, with all control codes in it made visible."""

    def __init__(self, inner: ConsoleRenderable):
        self._inner = inner

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        segments: Iterable[Segment] = console.render(self._inner, options)
        return (one if one.control else Segment(visible(one.text), one.style) for one in segments)
