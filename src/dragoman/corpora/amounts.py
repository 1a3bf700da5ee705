"""Amounts of data, by the kinds of record that methods select by; forecasts are made from them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from dragoman.corpora.records import Dialogue, Learnt, Preference, Rated, Text


@dataclass(frozen=True, slots=True)
class Volume:
    """A number of records, and the tokens of their requests and of their answers."""

    records: float = 0
    asked: float = 0
    answered: float = 0

    def __add__(self, other: "Volume") -> "Volume":
        return Volume(self.records + other.records, self.asked + other.asked, self.answered + other.answered)

    def of(self, records: float) -> "Volume":
        """This many records with the same average length."""
        factor = records / self.records if self.records else 0
        return Volume(records, self.asked * factor, self.answered * factor)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record: pairs or rated translations in two languages, or conversations or texts in one."""

    source: str
    target: str
    pairs: bool = True
    texts: bool = False
    rated: bool = False
    """Whether somebody judged translations in these languages; what counts is each judgement, or preference."""

    @staticmethod
    def of(record: Learnt) -> "Kind":
        if isinstance(record, Dialogue | Text):
            return Kind(record.language, record.language, pairs=False, texts=isinstance(record, Text))
        return Kind(record.source_language, record.target_language, rated=isinstance(record, Rated | Preference))


@dataclass(frozen=True, slots=True)
class Amounts:
    """A volume for each kind of record."""

    volumes: Mapping[Kind, Volume] = field(default_factory=dict)

    @property
    def total(self) -> Volume:
        return sum(self.volumes.values(), Volume())

    def __add__(self, other: "Amounts") -> "Amounts":
        return joined((self, other))

    def where(self, chosen: Callable[[Kind], bool]) -> "Amounts":
        return Amounts({kind: volume for kind, volume in self.volumes.items() if chosen(kind)})

    def times(self, factor: float) -> "Amounts":
        return Amounts({kind: volume.of(factor * volume.records) for kind, volume in self.volumes.items()})

    def of(self, records: float) -> "Amounts":
        """This many records, in the same proportions."""
        there = self.total.records
        return self.times(records / there) if there else self

    def atmost(self, records: float | None) -> "Amounts":
        return self if records is None or records >= self.total.records else self.of(records)

    def each_atmost(self, records: int | None) -> "Amounts":
        """At most this many records of each kind."""
        if records is None:
            return self
        return Amounts({kind: volume.of(min(records, volume.records)) for kind, volume in self.volumes.items()})


def joined(parts: Iterable[Amounts]) -> Amounts:
    """The sum of all parts."""
    found: defaultdict[Kind, Volume] = defaultdict(Volume)
    for part in parts:
        for kind, volume in part.volumes.items():
            found[kind] += volume
    return Amounts(dict(found))
