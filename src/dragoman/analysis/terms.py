"""Terms: finding the two terms of a method's loss in the examples that it was trained on.

- RaDis: one example, `prompt · reference · rationale · end`. Translation: the reference. Regulariser:
  the rationale. With several samples of one pair: the first.
- Seq-KD: two examples of one pair, `prompt · reference · end` and `prompt · own · end`. Translation:
  the first. Regulariser: the second.

The token that ends a turn belongs to what it ends: in Seq-KD to either term, in RaDis to the rationale, since the
reference is continued there. So the two terms add up to the loss that is trained on; segment weights are left out,
since they do not change a gradient's direction. With `ends` off, no end belongs to either term: then RaDis' and
Seq-KD's translation terms are identical.
"""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dragoman.analysis.gradients import Case, Term
from dragoman.corpora.records import Pair, Record, draw
from dragoman.errors import DataError
from dragoman.methods import available
from dragoman.prompts.examples import ExampleTable

END = "end"


@dataclass(frozen=True, slots=True)
class Terms:
    """The examples in a table that have both terms: a record's key → its translation example and its regulariser
    example.
    """

    table: ExampleTable
    regulariser: str
    found: Mapping[str, tuple[int, int]]

    def case(self, key: str, direction: str, ends: bool = True) -> Case:
        """The two losses of a record."""
        translation, regulariser = self.found[key]
        together = translation == regulariser
        ending = (END,) if ends else ()
        return Case(
            direction,
            self._term(translation, ("reference",) if together else ("reference", *ending)),
            self._term(regulariser, (self.regulariser, *ending)),
        )

    def _term(self, index: int, names: Sequence[str]) -> Term:
        row = self.table[index]
        numbers = [self.table.names.index(name) for name in names if name in self.table.names]
        places = np.flatnonzero(np.isin(row.segments, numbers))
        return Term(tuple(row.ids.tolist()), tuple(places[places > 0].tolist()))


def terms_of(table: ExampleTable, row: str) -> Terms:
    """The pairs of terms in a row's examples.

    Raises DataError if the row's method has no such pair (vanilla, SDFT and multi-task have none).
    """
    methods = [method for method in available().values() if method.regulariser]
    name = next((method.regulariser for method in methods if method.regulariser in table.names), None)
    translations: dict[str, int] = {}
    found: dict[str, tuple[int, int]] = {}
    owns: dict[str, int] = {}
    for index, (key, example) in enumerate(zip(table.keys, table, strict=True)):
        record = key.partition("#")[0]
        present = {table.names[number] for number in np.unique(example.segments)}
        if name in present and "reference" in present:
            found.setdefault(record, (index, index))
        elif name in present:
            owns.setdefault(record, index)
        elif "reference" in present:
            translations.setdefault(record, index)
    found |= {record: (translations[record], index) for record, index in owns.items() if record in translations}
    if name is None or not found:
        raise DataError(
            f"{row} has no pair of terms to compare: a reference, and beside it a rationale or the backbone's own "
            f"answer to the same request. Methods that have both: {', '.join(method.name for method in methods)}. Name "
            "other rows with --rows."
        )
    return Terms(table, name, found)


def chosen(records: Iterable[Record], tables: Sequence[Terms], examples: int, seed: int) -> dict[str, list[str]]:
    """Direction → keys of at most `examples` records that have both terms in every row, drawn by the seed.

    All rows are compared on the same records. A conversation's direction is where it comes from. Raises DataError if
    there is no such record.
    """
    heaps: dict[str, list[tuple[float, str]]] = {}
    seen: set[str] = set()
    for record in records:
        key = record.key
        direction = record.direction if isinstance(record, Pair) else record.origin
        if key in seen or not all(key in terms.found for terms in tables):
            continue
        seen.add(key)
        heap = heaps.setdefault(direction, [])
        entry = (-draw(key, "gradients", seed), key)
        if len(heap) < examples:
            heapq.heappush(heap, entry)
        else:
            heapq.heappushpop(heap, entry)
    if not heaps:
        raise DataError("no record has both terms in all of the rows; compare fewer of them with --rows")
    return {direction: [key for _, key in sorted(heap, reverse=True)] for direction, heap in sorted(heaps.items())}
