"""Record files: pairs, conversations and questions as they are stored between stages, one JSON record per line."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from dragoman.corpora.records import (
    Check,
    Dialogue,
    Learnt,
    Pair,
    Preference,
    Question,
    Rated,
    RatedTranslation,
    Record,
    Text,
    TranslationError,
    Turn,
)

T = TypeVar("T")


def read_pairs(path: Path) -> Iterator[Pair]:
    return (Pair(**record) for record in read_lines(path))


def read_records(path: Path) -> Iterator[Record]:
    """Pairs and dialogues, in their order."""
    return map(record_of, read_lines(path))


def read_learnt(path: Path) -> Iterator[Learnt]:
    """All that a method may learn from, in its order."""
    return map(_learnt, read_lines(path))


def _learnt(record: dict[str, Any]) -> Learnt:
    if "text" in record:
        return Text(**record)
    if "chosen" in record:
        return Preference(**record)
    if "translations" in record:
        return Rated(**record | {"translations": tuple(map(_rated, record["translations"]))})
    return record_of(record)


def _rated(record: dict[str, Any]) -> RatedTranslation:
    return RatedTranslation(**record | {"errors": tuple(TranslationError(**error) for error in record["errors"])})


def record_of(record: dict[str, Any]) -> Record:
    """Reads a pair or a dialogue back from its JSON object."""
    return _dialogue(record) if "turns" in record else Pair(**record)


def _dialogue(record: dict[str, Any]) -> Dialogue:
    return Dialogue(tuple(Turn(**turn) for turn in record["turns"]), record["origin"], record.get("language", "en"))


def read_questions(path: Path) -> list[list[Question]]:
    """The draws of questions, the one that counts first. Empty draws are left out."""
    draws: dict[int, list[Question]] = {}
    for record in read_lines(path):
        number = record.pop("draw")
        record["turns"] = tuple(Turn(**turn) for turn in record["turns"])
        record["check"] = Check(**record["check"])
        record["texts"] = tuple(record.get("texts", ()))
        draws.setdefault(number, []).append(Question(**record))
    return [draws[number] for number in sorted(draws)]


def write_lines(path: Path, records: Iterable[object]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def read_lines(path: Path) -> Iterator[Any]:
    with path.open(encoding="utf-8", newline="\n") as file:
        for line in file:
            yield json.loads(line)


def chunks(records: Iterable[T], size: int) -> Iterator[Sequence[T]]:
    """The records in runs of `size`; the last may be shorter."""
    iterator = iter(records)
    while chunk := list(islice(iterator, size)):
        yield chunk
