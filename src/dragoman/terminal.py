"""What is printed. Text from elsewhere (corpora, answers, servers, names of files) is shown, and never obeyed.

Everything that goes to the terminal goes through here, or through `screen` where it is set with rich; a test looks for
prints elsewhere.
"""

import re
import sys
from typing import Any

import typer

# Control characters but for line feed and tab, overrides of the direction of writing, and halves of characters.
_ACTED_UPON = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u206f\ud800-\udfff\ufffe\uffff]")


def visible(text: str) -> str:
    """The text with everything that a terminal would act upon spelled out, as in `\\x1b`; lines and tabs stay."""
    return _ACTED_UPON.sub(lambda found: ascii(found[0])[1:-1], text)


def say(text: object = "", *, err: bool = False, nl: bool = True, **style: Any) -> None:
    """Prints some text, perhaps in a colour (`fg`), `bold` or `dim`."""
    typer.secho(_encodable(visible(str(text)), err), err=err, nl=nl, **style)


def put(text: str, nl: bool = True) -> None:
    """Prints data, such as a translation: exactly as it is into files and pipes, made visible on a terminal."""
    sys.stdout.write(_encodable(visible(text) if on_screen() else text, err=False) + "\n" * nl)
    sys.stdout.flush()


def on_screen() -> bool:
    """Whether somebody looks at what goes to standard output."""
    return sys.stdout.isatty()


def _encodable(text: str, err: bool) -> str:
    """The text with what the stream has no characters for spelled out."""
    encoding = (sys.stderr if err else sys.stdout).encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)
