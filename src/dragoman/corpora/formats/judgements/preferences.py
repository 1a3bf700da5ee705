"""Preferences: of two translations of a sentence the chosen one and the rejected one.

A record has `source` (or `prompt`), `chosen` and `rejected`; or, as in ALMA-R's data, a `translation` with both sides,
`NAME_LANGUAGE` for the translations of further systems, and `NAME_LANGUAGE_SCORE` for what a metric says of each, the
sides themselves included as `ref`. There the best is chosen and the worst rejected, unless `Delta` says what a person
preferred: above 0 GPT-4's translation to ALMA's, below 0 the reverse.
"""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dragoman.corpora.formats.judgements.table import Table, listed_lines
from dragoman.corpora.formats.values import json_records
from dragoman.corpora.records import Preference
from dragoman.errors import DataError, refuse
from dragoman.json_values import Json, JsonObject

REFERENCE = "ref"
JUDGED = ("gpt4", "alma")
"""Whose translations `Delta` compares."""


@dataclass(frozen=True, slots=True)
class Choice:
    """By which score of scored translations the best and the worst are told, and how far apart they must be."""

    score: str = "kiwi_xcomet"
    margin: float = 0.0


def read(path: Path, direction: str | None = None, choice: Choice | None = None, origin: str = "") -> Table[Preference]:
    """The preferences of a file of records, in one direction or in all that are there. `DataError` with the places of
    all that is wrong.
    """
    faults: list[str] = []
    dropped: Counter[str] = Counter()
    found: list[Preference] = []
    equal: list[int] = []
    for number, (place, record) in enumerate(json_records(path, faults=faults), start=1):
        try:
            reading = _Record(record, place, direction, choice or Choice(), origin)
            for one in reading.preferences():
                if one is None:
                    dropped["closer than the margin"] += 1
                elif one.chosen == one.rejected:
                    equal.append(number)
                else:
                    found.append(one)
        except DataError as error:
            faults.append(str(error))
    refuse(faults)
    doubts: tuple[str, ...] = ()
    if equal:
        dropped["equal sides"] += len(equal)
        told = listed_lines(list(dict.fromkeys(equal)))
        doubts = (f"{path}: {len(equal):,} preferences between equal translations are left out ({told})",)
    if not found:
        why = ", ".join(f"{count:,} {reason}" for reason, count in dropped.items())
        said = f" {direction}" if direction else ""
        raise DataError(f"{path}: no{said} preference is in it" + (f"; left out: {why}" if why else ""))
    return Table(found, dropped, doubts)


@dataclass(frozen=True, slots=True)
class _Record:
    """A record, where it stands, and what is wanted of it."""

    record: JsonObject
    place: str
    direction: str | None
    choice: Choice
    origin: str

    def preferences(self) -> Iterator[Preference | None]:
        """Those of the record in the wanted directions; None for one whose translations are too close."""
        inner = self.record.get("translation")
        if isinstance(inner, dict):
            for direction in self._directions(inner):
                if self.direction in (None, direction):
                    yield self._chosen(inner, direction)
        else:
            yield self._plain()

    def _plain(self) -> Preference:
        record = self.record
        if self.direction is None:
            raise DataError(f"{self.place}: of which languages? Name them in the recipe, as in `direction: de-en`")
        source = "prompt" if "source" not in record and "prompt" in record else "source"
        names = (source, "chosen", "rejected")
        texts = [value.strip() for name in names if isinstance(value := record.get(name), str) and value.strip()]
        if len(texts) < len(names):
            wrong = next(name for name in names if not isinstance(value := record.get(name), str) or not value.strip())
            has = ", ".join(record) or "nothing"
            raise DataError(
                f"{self.place}: {wrong!r} must be a text. The record has {has}; it needs {', '.join(names)}."
            )
        return Preference(texts[0], texts[1], texts[2], *self._languages(self.direction), self.origin)

    def _directions(self, inner: JsonObject) -> list[str]:
        """The directions that a record says it is for; both where it says nothing."""
        pair = inner.get("language_pair")
        if not isinstance(pair, str) or pair.count("-") != 1:
            raise DataError(f"{self.place}: 'language_pair' must name two languages, as in de-en, not {pair!r}")
        both = [pair, "-".join(reversed(pair.split("-")))]
        required = inner.get("required_directions") or ""
        wanted = [one.strip() for one in str(required).split(",") if one.strip()]
        if unknown := [one for one in wanted if one not in both]:
            raise DataError(f"{self.place}: required_directions has {unknown[0]!r}, and the sides are {pair}")
        return wanted or both

    def _chosen(self, inner: JsonObject, direction: str) -> Preference | None:
        source, target = self._languages(direction)
        texts = {REFERENCE: self._text(inner, target)}
        ends = f"_{target}"
        for name, value in inner.items():
            if name.endswith(ends) and isinstance(value, str) and name not in ("language_pair",):
                texts[name.removesuffix(ends)] = self._text(inner, name)
        delta = self._number(inner, "Delta") if inner.get("Delta") is not None else 0.0
        if delta:
            if missing := [name for name in JUDGED if name not in texts]:
                raise DataError(
                    f"{self.place}: Delta compares {' and '.join(JUDGED)}, and {missing[0]}{ends} is missing"
                )
            best, worst = JUDGED if delta > 0 else reversed(JUDGED)
        else:
            if len(texts) < 2:
                raise DataError(f"{self.place}: there is no translation beside {target!r} to compare it with")
            scores = {name: self._number(inner, f"{name}{ends}_{self.choice.score}") for name in texts}
            best, worst = max(scores, key=scores.__getitem__), min(scores, key=scores.__getitem__)
            if scores[best] - scores[worst] < self.choice.margin:
                return None
        return Preference(self._text(inner, source), texts[best], texts[worst], source, target, self.origin)

    def _languages(self, direction: str) -> tuple[str, str]:
        source, target = direction.split("-")
        return source, target

    def _text(self, inner: JsonObject, name: str) -> str:
        value = inner.get(name)
        if not isinstance(value, str) or not value.strip():
            raise DataError(f"{self.place}: {name!r} must be a text")
        return value.strip()

    def _number(self, inner: JsonObject, name: str) -> float:
        value: Json = inner.get(name)
        try:
            found = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
        except ValueError:
            found = math.nan
        if not math.isfinite(found):
            what = f"has no score {name!r}" if value is None else f"{name!r} is no number"
            raise DataError(f"{self.place}: {what}; name another under `score` in the recipe, or leave the record out")
        return found
