"""Reading a rendered conversation back: cutting it where the template's own text stands."""

from collections.abc import Iterator, Sequence

from dragoman.corpora.records import Role, Turn

_TRIED = 64  # ways of cutting one text, and exchanges; more ways only where a turn repeats what a template writes


def shapes(ends: int) -> Iterator[tuple[Role, ...]]:
    """Who may have spoken in a conversation in which `ends` tokens end a turn; the last turn may be empty.

    The longest come first: a template's own tokens in a turn's text are rather the ends of turns.
    """
    most = min(ends, _TRIED) + 1
    exchanges: list[tuple[Role, ...]] = [("user", "assistant") * count for count in range(most, 0, -1)]
    yield from exchanges
    for roles in exchanges:
        yield ("system", *roles)


def marked(roles: Sequence[Role]) -> list[Turn]:
    """A conversation of this shape whose turns are found again in any text."""
    return [Turn(role, f"Dragoman{place}Here") for place, role in enumerate(roles)]


def pieces(turns: Sequence[Turn], rendered: str) -> list[str] | None:
    """What a template puts before each of these turns; None where it leaves one out."""
    found = []
    for turn in turns:
        piece, mark, rendered = rendered.partition(turn.text)
        if not mark:
            return None
        found.append(piece)
    return found


def cuts(text: str, between: Sequence[str]) -> Iterator[list[str]]:
    """The texts that stand between such pieces, in every way that they can be cut out, up to a number."""
    first, *others = between
    if text.startswith(first):
        for _, found in zip(range(_TRIED), _cuts(text[len(first) :], others), strict=False):
            yield found


def _cuts(text: str, between: Sequence[str]) -> Iterator[list[str]]:
    if not between:
        yield [text]
        return
    piece, *others = between
    at = text.find(piece)
    while at >= 0 and piece:
        for rest in _cuts(text[at + len(piece) :], others):
            yield [text[:at], *rest]
        at = text.find(piece, at + 1)
