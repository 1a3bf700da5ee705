"""What is printed: shown as it is, never obeyed; and nothing is printed by another way."""

import ast
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Group
from rich.table import Table
from rich.text import Text

import dragoman
from dragoman.screen import console
from dragoman.terminal import put, say, visible

SOURCE = Path(dragoman.__file__).parent
PRINTERS = {"print", "echo", "secho", "Console", "rprint", "pprint", "print_exc"}
"""Functions that put text on the terminal, by whatever way they were imported."""
ALLOWED = {
    "terminal.py": {"secho", "write"},
    "screen.py": {"Console"},
    "suites/harness/child.py": {"print", "print_exc"},  # to the pipe of its parent, which shows it
}
EVIL = "\x1b[2J\x07\r\x9b31m\u202e[/b][red]\ud83d"


def test_what_a_terminal_acts_upon_is_spelled_out() -> None:
    assert visible("ein\x1b[2Jzwei\r\n\tdrei\u2028\x9b\x7f") == "ein\\x1b[2Jzwei\\r\n\tdrei\\u2028\\x9b\\x7f"
    assert visible("\u202eevil\u2066\ud83d") == "\\u202eevil\\u2066\\ud83d"
    as_it_is = "Ça\u00a0va\u202f? می\u200cخواهم \u3000👩\u200d👩 שלום\u200f [b] :smile:"
    assert visible(as_it_is) == as_it_is


def test_said_and_put(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    say(EVIL, fg="red")
    say(Path("a\x1b"), err=True)
    put("data\x1b\ud83d")
    said = capsys.readouterr()
    assert said.out == f"{visible(EVIL)}\ndata\x1b\\ud83d\n"
    assert said.err == "a\\x1b\n"
    monkeypatch.setattr("sys.stdout", _Screen())
    put("data\x1b\nmore", nl=False)
    assert _Screen.written() == "data\\x1b\nmore"


class _Screen(io.StringIO):
    """A standard output that somebody looks at."""

    last: "_Screen"

    def __init__(self) -> None:
        super().__init__()
        _Screen.last = self

    def isatty(self) -> bool:
        return True

    @classmethod
    def written(cls) -> str:
        return cls.last.getvalue()


def test_a_terminal_with_few_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", screen)
    say("a → b")
    screen.flush()
    assert screen.buffer.getvalue() == b"a \\u2192 b\n"  # type: ignore[attr-defined]


def test_nothing_is_markup_or_obeyed_in_what_rich_sets() -> None:
    page = io.StringIO()
    screen = console(file=page, width=200, force_terminal=True, color_system=None)
    table = Table(EVIL, title=EVIL)
    table.add_column(Text(EVIL))
    table.add_row(EVIL, Text(EVIL, style="bold"))
    screen.print(table)
    screen.print(Group(EVIL, Text(EVIL)), soft_wrap=True)
    screen.print(f":smile: {EVIL}", soft_wrap=True)
    said = page.getvalue()
    assert said.count("[/b][red]\\ud83d") == 8
    assert ":smile:" in said
    assert not [sign for sign in "\x07\r\x9b\u202e\ud83d" if sign in said]
    assert "\x1b[2J" not in said


def printing() -> Iterator[tuple[str, int, str]]:
    """File, line and name of each call in the source that prints."""
    for path in sorted(SOURCE.rglob("*.py")):
        name = str(path.relative_to(SOURCE))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = node.func
            if isinstance(called, ast.Name) and called.id in PRINTERS:
                yield name, node.lineno, called.id
            elif isinstance(called, ast.Attribute):
                whose = ast.unparse(called.value)
                if called.attr in PRINTERS - {"print"} or (called.attr == "write" and whose.startswith("sys.std")):
                    yield name, node.lineno, called.attr


def test_nothing_is_printed_by_another_way() -> None:
    found = list(printing())
    assert {"terminal.py", "screen.py"} <= {file for file, _, _ in found}
    assert [one for one in found if one[2] not in ALLOWED.get(one[0], ())] == []
