"""What of the data to learn from is also in the texts that models are judged on: found, counted, listed, or refused."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from dragoman.corpora.contamination import Index, Kind, Shared
from dragoman.corpora.records import Record
from dragoman.errors import DataError

FILE = "contamination.jsonl"
REASONS: dict[Kind, str] = {
    "exact": "with a sentence of the test set",
    "normalised": "with a sentence of the test set, but for case and punctuation",
    "13-gram": "with 13 words in a row of the test set",
    "whole": "also in the test set",
}
EXAMPLES, SHOWN = 3, 80  # in a refusal: how many, and characters of each


@dataclass(frozen=True, slots=True)
class Finding:
    """A record that shares something with a test set. `part` is where a recipe names it, such as `data.lessons`."""

    part: str
    origin: str
    record: Record
    shared: Shared

    def as_line(self) -> dict[str, Any]:
        """What `contamination.jsonl` says of it."""
        return {"part": self.part, "origin": self.origin, **asdict(self.shared), "record": asdict(self.record)}


@dataclass(frozen=True, slots=True)
class Findings:
    """Compares records with the texts of an index, and remembers what was found, each record once."""

    index: Index
    found: dict[tuple[str, str], Finding] = field(default_factory=dict)

    def reason(self, part: str, origin: str, record: Record) -> str | None:
        """Why a record is to be left out; None where it shares nothing with a test set."""
        shared = self.index.find(record)
        if shared is None:
            return None
        self.found.setdefault((part, record.key), Finding(part, origin, record, shared))
        return REASONS[shared.kind]

    def counts(self) -> dict[str, dict[str, dict[str, int]]]:
        """How many were found: by origin, by test set, by kind."""
        counted: dict[str, dict[str, dict[str, int]]] = {}
        for finding in self.found.values():
            by_kind = counted.setdefault(finding.origin, {}).setdefault(finding.shared.test_set, {})
            by_kind[finding.shared.kind] = by_kind.get(finding.shared.kind, 0) + 1
        return counted

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


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"
