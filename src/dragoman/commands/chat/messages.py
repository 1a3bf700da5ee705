"""Reading messages at a terminal, of one line or of several."""

import select
import sys
from collections.abc import Callable
from contextlib import suppress

PROMPT, MORE = "you: ", "...  "
QUOTES = '"""'
AT_ONCE = 0.05  # seconds within which the lines of a paste follow each other
HOW = 'A line that ends in \\ goes on in the next, """ begins and ends a block, and what is pasted is one message.'


def read_message(read: Callable[[str], str]) -> str:
    """One message. `read` shows a prompt and returns a line, or the lines of a paste. EOFError at the end."""
    text = read(PROMPT)
    before, quotes, rest = text.partition(QUOTES)
    if quotes and (not before.strip() or before.startswith("/")):
        while QUOTES not in rest:
            rest += f"\n{read(MORE)}"
        block, _, after = rest.partition(QUOTES)
        return f"{before}{block}{after}".strip()
    while text.endswith("\\"):
        text = f"{text[:-1]}\n{read(MORE)}"
    return text.strip()


def terminal_lines(prompt: str) -> str:
    """A line from the terminal, with all that a paste brings at once; with bracketed paste where readline has it."""
    with suppress(ImportError):
        import readline  # noqa: F401  # input() edits with it, and keeps a history
    lines = [input(prompt)]
    while select.select([sys.stdin], [], [], AT_ONCE)[0]:
        try:
            lines.append(input())
        except EOFError:
            break
    return "\n".join(lines)
