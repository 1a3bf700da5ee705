"""Reading a rendered conversation back: cutting it where the template's own text stands."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Literal, NamedTuple

from dragoman.corpora.records import Role, Turn

_TRIED = 64  # ways of cutting one text, and exchanges; more ways only where a turn repeats what a template writes


class Slot(NamedTuple):
    """Where a turn's words stand in a rendered conversation: its text, or the input that an instruction is about."""

    role: Role
    part: Literal["text", "input"] = "text"


Shape = tuple[Slot, ...]
_ANSWER = Slot("assistant")
_ASKED: dict[bool, Shape] = {False: (Slot("user"), _ANSWER), True: (Slot("user"), Slot("user", "input"), _ANSWER)}


def shapes(ends: int, inputs: bool = False) -> Iterator[Shape]:
    """Who may have spoken in a conversation in which `ends` tokens end a turn; the last turn may be empty.

    The longest come first: a template's own tokens in a turn's text are rather the ends of turns. With
    `inputs` each turn of the user may have one, as far as there are not too many ways.
    """
    most = min(ends, _TRIED) + 1
    exchanges = [shape for count in range(most, 0, -1) for shape in _exchanges(count, inputs)]
    yield from exchanges
    for shape in exchanges:
        yield (Slot("system"), *shape)


def _exchanges(count: int, inputs: bool) -> Iterator[Shape]:
    choices = (True, False) if inputs and 2**count <= _TRIED else (False,)
    for ways in product(choices, repeat=count):
        yield tuple(slot for way in ways for slot in _ASKED[way])


def marked(shape: Shape) -> list[Turn]:
    """A conversation of this shape whose words are found again in any text."""
    return assembled(shape, [_mark(place) for place in range(len(shape))])


def assembled(shape: Shape, texts: Sequence[str]) -> list[Turn]:
    """The turns of a conversation of this shape, from the words of its slots."""
    turns: list[Turn] = []
    for slot, text in zip(shape, texts, strict=True):
        if slot.part == "input":
            turns[-1] = Turn(slot.role, turns[-1].text, text)
        else:
            turns.append(Turn(slot.role, text))
    return turns


def pieces(shape: Shape, rendered: str) -> list[str] | None:
    """What a template puts before each slot of a `marked` conversation; None where it leaves one out."""
    found = []
    for place in range(len(shape)):
        piece, mark, rendered = rendered.partition(_mark(place))
        if not mark:
            return None
        found.append(piece)
    return found


def _mark(place: int) -> str:
    return f"Dragoman{place}Here"


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
