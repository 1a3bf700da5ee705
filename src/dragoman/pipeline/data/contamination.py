"""Contamination of a recipe's training data by its test texts: found, counted, listed, or refused.

What a few records share by accident can be left out. If a good part of a test set is in the data, it was put there,
and whoever judges with it should choose: that is refused, unless the recipe says what to do.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from dragoman.corpora.contamination import Index, Kind, Shared, index
from dragoman.corpora.records import Pair, Question, Record, Request, Text, requests_of
from dragoman.errors import DataError
from dragoman.pipeline.data.record_files import read_learnt

FILE = "contamination.jsonl"
REASONS: dict[Kind, str] = {
    "exact": "with a sentence of the test set",
    "normalised": "with a sentence of the test set, but for case and punctuation",
    "13-gram": "with 13 words in a row of the test set",
    "whole": "also in the test set",
}
EXAMPLES, SHOWN = 3, 80  # in a refusal: how many, and characters of each
SHARE, FEWEST = 0.1, 10  # of a test set's items: what is no accident any more


@dataclass(frozen=True, slots=True)
class Finding:
    """A record that shares something with a test set. `part` is where the recipe names it, such as `data.lessons`."""

    part: str
    origin: str
    record: Record | Request | Text
    shared: Shared

    def as_line(self) -> dict[str, object]:
        """Its line in `contamination.jsonl`."""
        return {"part": self.part, "origin": self.origin, **asdict(self.shared), "record": asdict(self.record)}


@dataclass(frozen=True, slots=True)
class Overlap:
    """How much of a test set is in the training data: the items of which a record has a whole or a sentence."""

    test_set: str
    found: int
    of: int
    origins: Mapping[str, int]
    """How many records of each origin share something with this test set."""
    examples: tuple[str, ...] = ()

    @property
    def much(self) -> bool:
        """Whether it is too much for an accident."""
        return self.found >= FEWEST and self.found >= SHARE * self.of


@dataclass(frozen=True, slots=True)
class Findings:
    """Compares records with the texts of an index, and collects what is found, each record once."""

    index: Index
    found: dict[tuple[str, str], Finding] = field(default_factory=dict)
    held: set[int] = field(default_factory=set)
    """The items of test sets that are in the records."""
    compared: str = "test set"
    """What the index is of, in words."""

    def reason(self, part: str, origin: str, record: Record | Request | Text) -> str | None:
        """Why a record is to be left out; None if it shares nothing with a test set."""
        shared = self.index.find(record)
        if shared is None:
            return None
        self.found.setdefault((part, record.key), Finding(part, origin, record, shared))
        self.held.update(self.index.held(record))
        return REASONS[shared.kind].replace("test set", self.compared)

    def overlaps(self) -> list[Overlap]:
        """How much of each test set was found, for those of which something was; the largest share first."""
        held = Counter(self.index.items[item] for item in self.held)
        found = []
        for number, size in sorted(self.index.sizes().items()):
            name = self.index.names[number]
            sharing = [finding for finding in self.found.values() if finding.shared.test_set == name]
            if held[number] or sharing:
                first = tuple(dict.fromkeys(finding.shared.text for finding in sharing))[:EXAMPLES]
                origins = Counter(finding.origin for finding in sharing)
                found.append(Overlap(name, held[number], size, dict(origins), first))
        return sorted(found, key=lambda overlap: -overlap.found / overlap.of)

    def refuse(self) -> None:
        """Raises `DataError` with counts and the first examples, if anything was found."""
        if not self.found:
            return
        counted = Counter(
            (finding.origin, finding.shared.test_set, REASONS[finding.shared.kind]) for finding in self.found.values()
        )
        lines = [f"  {origin}: {many:,} {reason} ({name})" for (origin, name, reason), many in counted.most_common()]
        first = [
            f"  {finding.origin}: {_short(finding.shared.text)!r}" for finding in list(self.found.values())[:EXAMPLES]
        ]
        raise DataError(
            f"{len(self.found):,} of the records to learn from share text with what models are judged on, and "
            "data.contamination is `refuse`:\n"
            + "\n".join(lines)
            + "\nThe first:\n"
            + "\n".join(first)
            + "\nWith `contamination: remove` they are left out and listed; or choose other data."
        )


def counts(found: Iterable[Finding]) -> dict[str, dict[str, dict[str, int]]]:
    """How many were found: by origin, by test set, by kind."""
    counted: dict[str, dict[str, dict[str, int]]] = {}
    for finding in found:
        by_kind = counted.setdefault(finding.origin, {}).setdefault(finding.shared.test_set, {})
        by_kind[finding.shared.kind] = by_kind.get(finding.shared.kind, 0) + 1
    return counted


def refuse_trained_on(overlaps: Iterable[Overlap], advice: str) -> None:
    """Raises `DataError` if much of a test set is in the data: how much, where, the first examples, the advice."""
    much = [overlap for overlap in overlaps if overlap.much]
    if not much:
        return
    lines = []
    for overlap in much:
        records = ", ".join(f"{many:,} records of {origin}" for origin, many in overlap.origins.items())
        part = f"  {overlap.test_set}: {overlap.found:,} of {overlap.of:,} ({overlap.found / overlap.of:.0%})"
        lines.append(part + (f", in {records}" if records else ""))
    examples = list(dict.fromkeys(f"  {_short(text)!r}" for overlap in much for text in overlap.examples))[:EXAMPLES]
    raise DataError(
        "what is judged on was trained on, and a score would tell what was remembered. Of these test sets so much is "
        "in the data to learn from:\n" + "\n".join([*lines, "The first:", *examples, advice])
    )


REMOVE = (
    "Choose other data to learn from or to be judged on; or write `data: {contamination: remove}`, and these records "
    "are left out of training and listed."
)


def trained_on(
    data: Path,
    *,
    pairs: Iterable[Pair] = (),
    questions: Iterable[Question] = (),
    prompts: Mapping[str, Iterable[str]] | None = None,
    one_grammar: bool = False,
    instructions: bool = True,
) -> list[Overlap]:
    """How much of these test texts a finished recipe learnt from; `data` is the folder of its data stage.

    `prompts` are plain texts by the name of their suite, `one_grammar` says that the pairs are the lab's. Without
    `instructions`, general instruction data, which only some methods see, is not compared. `refuse_trained_on` would
    refuse those with `much`.
    """
    findings = Findings(index(questions, pairs, one_grammar, prompts))
    names = ["train.jsonl", *(["instructions.jsonl"] if instructions else [])]
    names += [name for name in ("texts.jsonl", "ratings.jsonl", "preferences.jsonl") if (data / name).is_file()]
    for name in names:
        for record in read_learnt(data / name):
            for one in (record,) if isinstance(record, Text) else requests_of(record):
                origin = one.direction if isinstance(one, Pair) else one.origin
                findings.reason(name, origin or name, one)
    return findings.overlaps()


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"
