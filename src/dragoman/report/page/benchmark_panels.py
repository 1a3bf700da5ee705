"""Benchmarks judged by others, one panel each: its parts, the numbers beside the score, what went wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dragoman.report.abilities import SIDES, digits, kept, of_rows, unit
from dragoman.report.compare import methods
from dragoman.report.families import score, split
from dragoman.report.figures.charts import part_bar
from dragoman.report.page.sample_items import Read, to_read
from dragoman.report.phrases import number, plain
from dragoman.scoring.results import RowResults
from dragoman.scoring.scorecard.schema import Ability, Scorecard, Subject

FEW = 16  # parts that are shown at once; of more, on demand
TASKS = "tasks"  # `items are` says so where a task is an item, whatever its size
FACTS: Mapping[str, str] = {
    "score": "score as the program gives it",
    "standard error": "standard error, points",
    "n": "answers counted",
    "discrete win rate": "win rate, each counted whole, %",
    "wins less losses": "wins less losses, %",
    "verdicts that change with the order": "verdicts that change with the order, %",
    "verdicts for the first answer": "verdicts for the answer shown first, %",
    "wins of the longer answer": "wins of the longer answer, %",
    "probability of a verdict": "probability of a verdict, of 1",
    "characters": "characters of an answer",
    "words": "words of an answer",
    "baseline characters": "characters of the baseline’s",
    "characters of the backbone": "characters of the backbone’s",
    "refusals": "refused, %",
}
"""Titles of facts whose own names say too little."""

SETTINGS = ("run by", "metric", "filter", "versions", "shots", "documents", "items are", "score is", "context", "k")
"""Facts about the benchmark rather than the model: shown once if all rows agree."""

Values = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SubjectScores:
    """A category or task: its name, its number of items, and every row's score with a bar."""

    name: str
    n: int
    scores: tuple[tuple[str, Markup], ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Lines that belong together: a name, and a value for each row or one value if all rows have the same."""

    title: str
    lines: tuple[tuple[str, Values], ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """One benchmark."""

    family: str
    title: str
    about: str
    """Its side, and whether it is part of RP."""
    unit: str
    digits: int
    rows: Mapping[str, Ability]
    """Row → its ABILITY, for rows that have one."""
    parts: tuple[SubjectScores, ...]
    facts: tuple[Facts, ...]
    signature: str
    reading: tuple[Read, ...]
    private: bool
    """Whether the models' answers should not be shown unasked."""

    @property
    def folded(self) -> bool:
        return len(self.parts) > FEW


def panels(card: Scorecard, results: Mapping[str, RowResults], colours: Mapping[str, int]) -> list[Panel]:
    """A panel for each benchmark of which the card has more than a score, in the order of the card."""
    every = dict.fromkeys(name for row in card["rows"] for name in [*row["abilities"], *row["skills"]])
    return [_panel(card, family, results, colours) for family in every if _has_more(card, family)]


def _has_more(card: Scorecard, family: str) -> bool:
    found = of_rows(card, family)
    if any(one["facts"] or one["notes"] for one in found):
        return True
    return not split(family) and any(one["subjects"] for one in found)


def _panel(card: Scorecard, family: str, results: Mapping[str, RowResults], colours: Mapping[str, int]) -> Panel:
    rows = {row["name"]: found for row in card["rows"] if (found := score(row, family))}
    first = next(iter(rows.values()))
    side = first["side"]
    named = SIDES.get(side, "a skill")
    counted = " · part of RP" if family in _abilities(card) and kept(card, family) else " · no part of RP"
    return Panel(
        family=family,
        title=plain(family),
        about=named + (counted if methods(card) else ""),
        unit=unit(card, family),
        digits=digits(card, family),
        rows=rows,
        parts=_parts(card, family, rows, results, colours),
        facts=(*_facts(rows), *_notes(rows)),
        signature=first["signature"],
        reading=tuple(to_read(family, results, unit(card, family))),
        private=side == "safety",
    )


def _abilities(card: Scorecard) -> set[str]:
    return {name for row in card["rows"] for name in row["abilities"]}


# Parts


def _parts(
    card: Scorecard,
    family: str,
    rows: Mapping[str, Ability],
    results: Mapping[str, RowResults],
    colours: Mapping[str, int],
) -> tuple[SubjectScores, ...]:
    scores: dict[str, dict[str, Subject]] = {name: one["subjects"] for name, one in rows.items()}
    if not any(scores.values()):
        scores = {name: _tasks(family, rows[name], results.get(name)) for name in rows}
    if all(found["score"] is None for one in scores.values() for found in one.values()):
        return ()
    sizes = {part: found["n"] for one in scores.values() for part, found in one.items()}
    top = float(unit(card, family)[1:]) if unit(card, family) != "%" else 100.0
    places = max(1, digits(card, family))
    return tuple(
        SubjectScores(
            plain(part), n, tuple(_bar(one.get(part), top, places, colours[name]) for name, one in scores.items())
        )
        for part, n in sorted(sizes.items())
    )


def _tasks(family: str, ability: Ability, result: RowResults | None) -> dict[str, Subject]:
    """The tasks of a benchmark that counts each task equally: they are its items."""
    told = str(ability["facts"].get("items are", ""))
    found = next((one for one in result.graded if one.name == family), None) if result else None
    if not told.startswith(TASKS) or found is None:
        return {}
    return {item.key: {"score": item.value, "n": int(item.told.get("documents", 1))} for item in found.items}


def _bar(found: Subject | None, top: float, digits: int, colour: int) -> tuple[str, Markup]:
    value = found["score"] if found else None
    return number(value, digits), Markup() if value is None else part_bar(value / top, colour)


# Facts and notes


def _facts(rows: Mapping[str, Ability]) -> list[Facts]:
    """All facts: first single ones, then those that belong together, each group under its name."""
    told = [_flat(one["facts"]) for one in rows.values()]
    several = any(len(one["seeds"]) > 1 for one in rows.values())
    names = dict.fromkeys(name for one in told for name in one)
    groups: dict[str, list[tuple[str, Values]]] = {}
    for title, name in names:
        values = tuple(one.get((title, name), "–") for one in told)
        alike = len(set(values)) == 1 and (name in SETTINGS or not _is_number(values[0]))
        groups.setdefault(title, []).append((FACTS.get(name, name), values[:1] if alike else values))
    alone = "of the first training" if several else ""
    return [Facts(title or alone, tuple(groups[title])) for title in sorted(groups, key=bool)]


def _notes(rows: Mapping[str, Ability]) -> list[Facts]:
    notes = [one["notes"] for one in rows.values()]
    names = dict.fromkeys(name for one in notes for name in one)
    lines = tuple((name, tuple(f"{one.get(name, 0):,}" for one in notes)) for name in names)
    return [Facts("counted", lines)] if lines else []


def _flat(facts: Mapping[str, object]) -> dict[tuple[str, str], str]:
    """(group, name) → value as text. Who gave a value stands in the heading."""
    found = {}
    for name, value in facts.items():
        if not isinstance(value, Mapping):
            found["", name] = _read(value)
        elif name in SETTINGS and len(value) > 1 and len(set(map(str, value.values()))) == 1:
            found["", name] = f"{_one(name, value)} (all {len(value)})"
        elif len(value) == 1:
            found["", name] = _one(name, value)
        else:
            title = f"{name}, {value['by']}" if "by" in value else name
            found |= {(title, key): text for key, text in _below(value) if key != "by"}
    return found


def _one(name: str, value: Mapping[str, object]) -> str:
    """The value that all entries share; a setting's value is shown as it is, since versions look like numbers."""
    first = next(iter(value.values()))
    return str(first) if name in SETTINGS else _read(first)


def _below(value: Mapping[str, object], above: str = "") -> list[tuple[str, str]]:
    found = []
    for key, one in value.items():
        name = f"{above} · {key}" if above else str(key)
        found += _below(one, name) if isinstance(one, Mapping) else [(name, _read(one))]
    return found


def _read(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}".replace("-", "−")
    if isinstance(value, float):
        places = 1 if abs(value) >= 100 else 2 if abs(value) >= 1 or not value else 4
        return f"{value:,.{places}f}".replace("-", "−")
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_read(one)}" for key, one in value.items())
    return ", ".join(map(_read, value)) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)


def _is_number(text: str) -> bool:
    return text[:1] in "–−0123456789" and not text.endswith(")")
