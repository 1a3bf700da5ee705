"""Gathering rated translations or preferences: without doubles and what is in the tests, up to each entry's limit."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from dragoman.corpora.formats.judgements.table import Judged, Table
from dragoman.corpora.records import Record, draw, requests_of
from dragoman.errors import DataError
from dragoman.pipeline.data.limit import beside
from dragoman.pipeline.data.record_files import write_lines
from dragoman.prompts.languages import language_name

Shares = Callable[[str, str, Record], str | None]
"""What a record shares with what is judged on, by place, origin and record; None if nothing."""


class Entry(Protocol):
    """An entry of a recipe's ratings or preferences."""

    limit: int | None
    seed: int

    @property
    def name(self) -> str: ...


Said = TypeVar("Said", bound=Entry)


@dataclass(frozen=True, slots=True)
class Gathered:
    """What there is to say of all entries: counts by origin and direction, none for a recipe without any."""

    counts: Mapping[str, int] = field(default_factory=dict)
    records: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    doubts: tuple[str, ...] = ()


def gather(
    field: str,
    entries: Sequence[Said],
    read: Callable[[Said], Table[Judged]],
    counted: Callable[[Judged], int],
    out: Path,
    shares: Shares,
) -> Gathered:
    """Writes what the entries of a field of `data` have. A record is left out if one of its translations shares
    something with what is judged on; each counts as many as `counted` says.

    `DataError` for an entry of which nothing is left.
    """
    if not entries:
        return Gathered()
    kept: dict[str, Judged] = {}
    counts: Counter[str] = Counter()
    dropped: Counter[str] = Counter()
    doubts: tuple[str, ...] = ()
    for number, said in enumerate(entries):
        table = read(said)
        left_out = Counter(table.dropped)
        doubts += table.doubts
        fresh: dict[str, Judged] = {}
        for direction in dict.fromkeys(one.direction for one in table.records):
            check_direction(direction, f"data.{field}.{number}")
        for one in table.records:
            if one.key in kept or one.key in fresh:
                left_out["duplicate"] += 1
            elif reason := _shared(one, field, shares):
                left_out[reason] += 1
            else:
                fresh[one.key] = one
        chosen = _limited(list(fresh.values()), said)
        left_out["over the limit"] += len(fresh) - len(chosen)
        if not chosen:
            listed = ", ".join(f"{count:,} {reason}" for reason, count in (+left_out).items()) or "nothing"
            raise DataError(f"data.{field}.{number} ({said.name}): not one is left to learn; left out: {listed}")
        kept |= {one.key: one for one in chosen}
        for one in chosen:
            counts[f"{said.name} {one.direction}"] += counted(one)
        dropped += left_out
    write_lines(out / beside(field), map(asdict, kept.values()))
    return Gathered(counts, len(kept), dropped, doubts)


def check_direction(direction: str, place: str) -> None:
    """`DataError` for a language without a name."""
    for code in direction.split("-"):
        try:
            language_name(code)
        except DataError as error:
            raise DataError(f"{place}, direction {direction}: {error}") from error


def _shared(one: Judged, field: str, shares: Shares) -> str | None:
    found = (shares(f"data.{field}", one.origin, pair) for pair in requests_of(one))
    return next((reason for reason in found if reason), None)


def _limited(fresh: Sequence[Judged], said: Entry) -> list[Judged]:
    """Those with the smallest draws, in their order."""
    if said.limit is None or len(fresh) <= said.limit:
        return list(fresh)
    last = sorted(draw(one.key, "limit", said.seed) for one in fresh)[said.limit - 1]
    return [one for one in fresh if draw(one.key, "limit", said.seed) <= last]
