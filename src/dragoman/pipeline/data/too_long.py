"""Counting what is too long for a model, exactly but without tokenising everything.

No token is shorter than a byte, so a text has at most as many tokens as bytes; only texts that might be too long by
that are rendered.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

from dragoman.corpora.records import Pair, Question, Record
from dragoman.prompts.examples import Ids

FRAME = 512  # bytes that the instruction and the chat template put around a text, generously
TURN = 128  # and around each further turn of a conversation

T = TypeVar("T")


def too_long(
    records: Iterable[T], render: Callable[[T], Ids], size: Callable[[T], int], limit: int, frame: int = FRAME
) -> int:
    """How many records render to `limit` tokens or more; `size` returns their bytes, `frame` is the bytes around
    them.
    """
    return sum(size(record) + frame >= limit and len(render(record)) >= limit for record in records)


def record_bytes(record: Record) -> int:
    """The bytes of both sides of a pair, or of all turns of a conversation."""
    if isinstance(record, Pair):
        return len(record.source.encode()) + len(record.target.encode())
    return sum(len(turn.whole.encode()) + TURN for turn in record.turns)


def question_bytes(question: Question) -> int:
    return sum(len(turn.whole.encode()) for turn in question.turns)
