"""Plain text, learnt as a language model learns it: every token of a document, in no conversation."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from dragoman.corpora.amounts import Amounts
from dragoman.corpora.records import Learnt, Text
from dragoman.errors import DataError
from dragoman.methods import Expected, Forecast, Lesson, Making, MethodOptions
from dragoman.prompts.examples import Example, Ids, Segment
from dragoman.prompts.speak import Speaker
from dragoman.recipe.fields import Distinct

TITLE = "Pretraining"
SEES, ONLY = ("texts",), True


class Options(MethodOptions):
    languages: Annotated[tuple[str, ...], Distinct] = ()
    """Languages of the documents that are learnt, such as `de`, or `de-en` for pairs as text; all when empty."""
    max_tokens: Annotated[int, Field(ge=2)] = 4096
    """Longest document, with the token that begins a text; what is beyond is cut off, and no end is learnt there."""
    block: Annotated[int, Field(ge=2)] = 512
    """Most tokens of an example."""
    across: bool = False
    """Lay all documents end to end and cut blocks out of them, so that a document sees those before it in its block, as
    ALMA does; each document is kept apart otherwise."""


@dataclass(frozen=True, slots=True)
class _Document:
    key: str
    ids: Ids
    end: Ids
    whole: bool
    """Whether nothing was cut off, so that its end is learnt."""


def pretrain(records: Sequence[Learnt], speak: Speaker, options: Options) -> Making:
    """L = -log P(d) over all tokens of the documents d. Pairs and conversations are left alone."""
    yield from ()
    if speak.context is not None and options.block > speak.context:
        raise DataError(
            f"pretrain: a block of {options.block:,} tokens is more than the {speak.context:,} that the backbone sees; "
            "lower `block`"
        )
    texts = [one for one in records if isinstance(one, Text) and _is_wanted(one.language, options)]
    documents = [_document(text, speak, options.max_tokens) for text in texts]
    notes = Counter(f"documents in {text.language}" for text in texts)
    notes[f"documents cut at {options.max_tokens:,} tokens"] += sum(not one.whole for one in documents)
    if not options.across:
        return Lesson([example for one in documents for example in _pieces(one, options.block)], notes)
    line = [segment for one in documents for segment in _closed(one)]
    left = sum(len(segment.ids) for segment in line) % options.block
    notes["tokens left over after the last block of a chunk"] += left
    first = documents[0].key if documents else ""
    blocks = _blocks(line, options.block)
    return Lesson([Example(block, f"{first}#{number}") for number, block in enumerate(blocks)], notes)


def forecast(learnt: Amounts, options: Options, expected: Expected) -> Forecast:
    """Documents with what begins and ends each, in pieces or blocks."""
    found = learnt.where(lambda kind: kind.texts and _is_wanted(kind.source, options)).total
    if not found.records:
        return Forecast(0, 0, 0)
    length = min(found.answered / found.records, options.max_tokens) + 2
    tokens = found.records * length
    pieces = found.records * max(1.0, 0.5 + length / options.block)
    examples = tokens / options.block if options.across else pieces
    return Forecast(max(1.0, examples), tokens, tokens)


def _is_wanted(language: str, options: Options) -> bool:
    return not options.languages or language in options.languages


def _document(text: Text, speak: Speaker, longest: int) -> _Document:
    ids, end = speak.document(text.text)
    return _Document(text.key, ids[:longest], end, len(ids) <= longest)


def _closed(document: _Document) -> tuple[Segment, ...]:
    """A document and its end, which is seen and not learnt where something was cut off before it."""
    end = Segment("end", document.end) if document.whole else Segment("prompt", document.end, 0.0)
    return Segment("text", document.ids), end


def _blocks(line: Iterable[Segment], size: int) -> Iterator[tuple[Segment, ...]]:
    """The line in blocks of one size; what is left over at its end is none."""
    block: list[Segment] = []
    room = size
    for segment in line:
        ids = segment.ids
        while ids:
            block.append(replace(segment, ids=ids[:room]))
            room, ids = room - len(block[-1].ids), ids[room:]
            if not room:
                yield tuple(block)
                block, room = [], size


def _pieces(document: _Document, size: int) -> Iterator[Example]:
    """A document in examples of at most one size; each begins with the last token of the one before it, since the first
    token of an example is never learnt.
    """
    ids, end = document.ids, document.end if document.whole else ()
    for number, start in enumerate(range(0, max(1, len(ids) + len(end) - 1), size - 1)):
        stop = start + size
        last = end if stop > len(ids) else ()
        segments = (Segment("text", ids[start:stop]), Segment("end", last))
        key = f"{document.key}#{number}" if number else document.key
        yield Example(tuple(segment for segment in segments if segment.ids), key)
