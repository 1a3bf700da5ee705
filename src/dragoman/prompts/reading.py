"""Reading a rendered conversation back into turns, by cutting it where the template's own text stands."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Literal, NamedTuple

from dragoman.corpora.records import Role, Turn

_TRIED = 64  # ways of cutting one text, and exchanges; more ways only where a turn repeats what a template writes


class Slot(NamedTuple):
    """A place for words in a rendered conversation: a turn's text, or the input that an instruction is about."""

    role: Role
    part: Literal["text", "input"] = "text"


Shape = tuple[Slot, ...]
_ANSWER = Slot("assistant")
_ASKED: dict[bool, Shape] = {False: (Slot("user"), _ANSWER), True: (Slot("user"), Slot("user", "input"), _ANSWER)}


def shapes(ends: int, inputs: bool = False) -> Iterator[Shape]:
    """The sequences of speakers that a conversation may have in which `ends` tokens end a turn; the last turn may be
    empty.

    The longest come first: a template's own tokens within a turn are more likely the ends of turns. With `inputs`,
    each user's turn may have an input, as long as that does not make too many combinations.
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
    """A conversation of this shape whose words are marks that can be found again in any rendered text."""
    return assembled(shape, [_mark(place) for place in range(len(shape))])


def assembled(shape: Shape, texts: Sequence[str]) -> list[Turn]:
    """The turns of a conversation of this shape, given the words of its slots."""
    turns: list[Turn] = []
    for slot, text in zip(shape, texts, strict=True):
        if slot.part == "input":
            turns[-1] = Turn(slot.role, turns[-1].text, text)
        else:
            turns.append(Turn(slot.role, text))
    return turns


def pieces(shape: Shape, rendered: str) -> list[str] | None:
    """The template's text before each slot of a `marked` conversation; None if it leaves a slot out."""
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
    """The texts between such pieces, for every way of cutting them out, up to a maximal number."""
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
