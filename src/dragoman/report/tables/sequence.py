"""Skills taught one after the other: what is left of each after every step, as TRACE tells it (arXiv 2310.06762).

With R(t, i) the score of skill i after step t: OP(t) is the mean of R(t, i) over the t skills taught so far, and BWT(t)
the mean of R(t, i) - R(i, i). Both divide by t. ΔR is the mean change of a side's families from the backbone.
"""

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean

from dragoman.report.abilities import kept_of_before, skills
from dragoman.report.phrases import plain
from dragoman.report.tables.table import Cell, Column, Line, Table, line
from dragoman.report.translation import group_score, main, metric_title
from dragoman.scoring.scorecard.schema import Part, Row, Scorecard, TraceSide, ends

KEY = "sequence"
SIDES: Mapping[TraceSide, str] = {"general": "general", "instruction": "instructions", "safety": "safety"}
Skill = tuple[str, ...]
"""Directions whose mean it is, or names of skills other than translation; () is translation in all directions."""


def table(card: Scorecard, titles: Mapping[str, str]) -> Table | None:
    """A line for the backbone and for each step of each chain; None if no row comes after another. `titles` are what
    rows are called.
    """
    found = list(paths(card))
    if not found:
        return None
    taught = list(dict.fromkeys(skill for path in found for row in path for skill in _taught(card, row)))
    columns = [*(Column(_title(skill), "skills") for skill in taught), Column("OP"), Column("BWT")]
    columns += [Column(title, "ΔR, change from the backbone") for title in SIDES.values()]
    columns += [Column("of the backbone", "RP, %"), Column("of the row before", "RP, %")]
    backbone = card["rows"][0]
    lines = [line(backbone, titles[backbone["name"]], [*_scores(card, backbone, taught), *[Cell(None)] * 7])]
    lines += [_step(card, path, taught, titles) for path in found]
    return Table(KEY, "Skills taught one after the other", _caption(card), tuple(columns), tuple(lines))


def paths(card: Scorecard) -> Iterator[Sequence[Row]]:
    """For each row of a chain the rows up to it, itself the last; chain after chain, each in its order."""
    named = {row["name"]: row for row in card["rows"]}
    following: dict[str, list[Row]] = {}
    for row in card["rows"]:
        if "after" in row and row["after"]["row"] in named:
            following.setdefault(row["after"]["row"], []).append(row)
    begun = [row for row in card["rows"] if "after" not in row or row["after"]["row"] not in named]
    waiting = [[row] for row in reversed(begun) if row["name"] in following]
    while waiting:
        path = waiting.pop()
        yield path
        waiting += [[*path, row] for row in reversed(following.get(path[-1]["name"], []))]


def _taught(card: Scorecard, row: Row) -> list[Skill]:
    """The skills that a row was taught: its directions of translation, and, with conversations, all others."""
    others = [tuple(skills(card))] if skills(card) else []
    if "learnt" not in row:
        return [(), *others] if row["translation"] else others
    known = row["translation"]["directions"] if row["translation"] else {}
    directions = tuple(sorted(name for name in row["learnt"]["directions"] if name in known))
    return [*[directions] * bool(directions), *(others if row["learnt"]["lessons"] else [])]


def _title(skill: Skill) -> str:
    """Such as `en↔de` for both directions."""
    if not skill:
        return "translation"
    pairs = [name.split("-") for name in skill if name.count("-") == 1]
    if len(skill) == 2 and len(pairs) == 2 and pairs[0] == pairs[1][::-1]:
        return "↔".join(sorted(pairs[0], key=lambda code: code != "en"))
    return ", ".join("→".join(name.split("-")) if name.count("-") == 1 else plain(name) for name in skill)


def _score(card: Scorecard, row: Row, skill: Skill) -> float | None:
    metric = main(card)
    if not skill:
        whole = group_score(row, "all", metric)
        return whole["score"] if whole else None
    directions = row["translation"]["directions"] if row["translation"] else {}
    if all(name in directions for name in skill):
        return fmean(directions[name][metric]["score"] for name in skill)
    known = [row["skills"][name]["score"] for name in skill if name in row["skills"]]
    found = [score for score in known if score is not None]
    return fmean(found) if len(found) == len(skill) else None


def _scores(card: Scorecard, row: Row, taught: Sequence[Skill]) -> list[Cell]:
    return [Cell(_score(card, row, skill)) for skill in taught]


def _step(card: Scorecard, path: Sequence[Row], taught: Sequence[Skill], titles: Mapping[str, str]) -> Line:
    """The line of the last row of a chain's beginning."""
    row = path[-1]
    now = [(_score(card, row, skill), _score(card, step, skill)) for step in path for skill in _taught(card, step)]
    known = [(score, first) for score, first in now if score is not None and first is not None]
    whole = bool(known) and len(known) == len(now)
    kept = fmean(score for score, _ in known) if whole else None
    back = fmean(score - first for score, first in known) if whole else None
    traced = row["trace"]
    sides = [traced[side] if traced else None for side in SIDES]
    changes = [
        Cell(one["delta"], interval=ends(one["interval"]) if one["interval"] else None) if one else Cell(None)
        for one in sides
    ]
    overall = Cell(row["retention"], interval=ends(row["retention_interval"]) if row["retention_interval"] else None)
    cells = [*_scores(card, row, taught), Cell(kept), Cell(back), *changes, overall, _kept(kept_of_before(row))]
    return line(row, titles[row["name"]], cells)


def _kept(part: Part | None) -> Cell:
    if part is None:
        return Cell(None)
    return Cell(part["retention"], interval=ends(part["interval"]) if part["interval"] else None)


def _caption(card: Scorecard) -> str:
    translated = f" Translation is in {metric_title(card, main(card))}." if card["rows"][0]["translation"] else ""
    return (
        "Each step starts from what the one before became. OP is the mean score of the skills taught so far, BWT their "
        "mean change since each was taught (both over the number of steps, as in TRACE), ΔR the mean change of a "
        f"side’s families from the backbone, in points of 100.{translated} RP: mean of the abilities’ retentions, each "
        "a score over the backbone’s, or over that of the row before. Below a number its 95 % interval."
    )
