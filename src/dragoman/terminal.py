"""Printing: text from elsewhere (corpora, answers, servers, names of files) is shown, never obeyed.

Everything that goes to the terminal goes through here, or through `screen` if rich lays it out; a test looks for
prints elsewhere.
"""

import re
import sys
from typing import Any

import typer

# Control characters but for line feed and tab, overrides of the direction of writing, and halves of characters.
_ACTED_UPON = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u206f\ud800-\udfff\ufffe\uffff]")


def visible(text: str) -> str:
    """The text with every control code spelled out, as in `\\x1b`; lines and tabs stay."""
    return _ACTED_UPON.sub(lambda found: ascii(found[0])[1:-1], text)


def say(text: object = "", *, err: bool = False, nl: bool = True, **style: Any) -> None:
    """Prints some text, perhaps in a colour (`fg`), `bold` or `dim`."""
    typer.secho(_encodable(visible(str(text)), err), err=err, nl=nl, **style)


def put(text: str, nl: bool = True) -> None:
    """Prints data, such as a translation: unchanged to files and pipes, made visible on a terminal."""
    sys.stdout.write(_encodable(visible(text) if on_screen() else text, err=False) + "\n" * nl)
    sys.stdout.flush()


def ask(question: str) -> str:
    """What a person at the terminal answers, without surrounding whitespace; empty where they end the input."""
    say(f"{question}: ", nl=False)
    try:
        return input().strip()
    except EOFError:
        say()
        return ""


def on_screen() -> bool:
    """Whether standard output is a terminal."""
    return sys.stdout.isatty()


def _encodable(text: str, err: bool) -> str:
    """The text with characters that the stream cannot encode spelled out."""
    encoding = (sys.stderr if err else sys.stdout).encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)
