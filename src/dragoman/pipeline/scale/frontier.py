"""The frontier of a row: a run of its own with what the row was taught at several strengths, and the one to take.

The run is called `NAME-scale-ROW`, or `NAME-scale-ROW-by-layer`, and shares the store: what the recipe's own run has
made is not made again.
"""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path

from dragoman import suites
from dragoman.analysis.results import ScaleResult, Strength
from dragoman.errors import RecipeError
from dragoman.pipeline.publish import link
from dragoman.pipeline.rows import rows, rows_before, scale_of, starts_apart, titled, trainings
from dragoman.pipeline.run import run
from dragoman.progress import note
from dragoman.recipe.schema import Recipe
from dragoman.recipe.training import as_scale
from dragoman.report.analyses import frontier as frontiers
from dragoman.report.analyses.frontier import unscaled
from dragoman.report.compare import floor
from dragoman.report.figures.figure1 import skill_of, skill_title
from dragoman.scoring.scorecard.read import read_scorecard
from dragoman.scoring.scorecard.schema import Row, Scorecard
from dragoman.store import write_atomic


def read_strengths(text: str, *, by_layer: bool = False) -> tuple[float, ...]:
    """Strengths such as `0.5,1`, in ascending order; 0 is left out where it is the backbone, which is judged anyway.

    RecipeError if it is something else.
    """
    try:
        found = sorted({float(part) for part in text.split(",")})
    except ValueError:
        found = []
    if not found or not all(0 <= one < math.inf for one in found):
        raise RecipeError(f"--strengths: '{text}' should be numbers from 0 up, as in 0.25,0.5,1")
    if by_layer:
        return tuple(found)
    if found == [0]:
        raise RecipeError("--strengths: 0 is the backbone, which is judged anyway; name others besides, as in 0.5,1")
    return tuple(one for one in found if one)


def at_strengths(recipe: Recipe, row: str, strengths: Sequence[float], *, by_layer: bool = False) -> Recipe:
    """The recipe of a row at these strengths. RecipeError if there is no such row, or no ability is judged.

    `by_layer`: strengths are those of the first layer, and rise to 1 at the last.
    """
    known = rows(recipe)
    if row not in known:
        there = f"its rows are {', '.join(known)}" if known else "it has no methods, so nothing was trained"
        raise RecipeError(f"{recipe.name} has no row {row}; {there}")
    if all(suite.kind in ("translation", "drift") for suite in suites.of(recipe)):
        raise RecipeError(
            f"{recipe.name} judges no abilities (evaluate), so how much of them is kept can't be told; name questions "
            "or benchmarks, as in `evaluate: [translation, probes]`"
        )
    method, options = known[row]
    made = [
        {method: {**options, "scale": _said(one, by_layer), "label": _label(recipe, row, one, by_layer)}}
        for one in strengths
    ]
    if starts_apart(recipe, row):  # what it started from is not judged anyway
        made.insert(0, {method: {**options, "scale": 0.0, "label": unscaled(row)}})
    name = f"{recipe.name}-scale-{row}{'-by-layer' * by_layer}"
    before = [dict([known[one]]) for one in rows_before(recipe, row)]  # which it starts from
    return recipe.model_copy(update={"name": name, "methods": (*before, *made), "compare": ()})


def frontier(
    recipe: Recipe,
    row: str,
    strengths: Sequence[float],
    *,
    by_layer: bool = False,
    trust: bool = False,
    say: Callable[[str], None] = note,
) -> tuple[ScaleResult, Path]:
    """A row at these strengths, and the folder with table and picture; the model of the picked one is linked to
    `models/ROW-scaled` in the recipe's own folder.
    """
    derived = at_strengths(recipe, row, strengths, by_layer=by_layer)
    folder = run(derived, trust=trust, say=say)
    card = read_scorecard(folder / "scorecard.json")
    result = _result(recipe, row, strengths, by_layer, card)
    write_atomic(folder / "frontier.json", json.dumps(result, ensure_ascii=False, indent=1) + "\n")
    write_atomic(folder / "frontier.md", frontiers.markdown(result))
    (folder / "frontier.svg").unlink(missing_ok=True)
    if picture := frontiers.picture(card, result):
        write_atomic(folder / "frontier.svg", picture + "\n")
    _publish_pick(recipe, row, folder, result)
    return result, folder


def models(recipe: Recipe, row: str) -> list[Path]:
    """Where the picked model is; one for each seed."""
    folder = Path(recipe.runs) / recipe.name / "models"
    return [folder / _seeded(f"{row}-scaled", seed) for seed in trainings(recipe)]


def _said(strength: float, by_layer: bool) -> float | dict[str, float]:
    """A strength as a recipe says it."""
    return {"first_layer": strength} if by_layer else strength


def _label(recipe: Recipe, row: str, strength: float, by_layer: bool) -> str:
    """The row's own name at its own strength; otherwise as a sweep would name it."""
    if as_scale(_said(strength, by_layer)) == scale_of(recipe, row):
        return row
    return f"{row}-{'first_layer' if by_layer else 'scale'}={strength:g}"


def _seeded(row: str, seed: int | None) -> str:
    return titled("", row, seed=seed).removeprefix("-")


def _publish_pick(recipe: Recipe, row: str, folder: Path, result: ScaleResult) -> None:
    """Links to the model that was picked, and to the data that it learnt from, which evaluating it elsewhere looks at;
    takes an earlier link away if none was picked.
    """
    for seed, place in zip(trainings(recipe), models(recipe, row), strict=True):
        if result["picked"] is not None:
            label = _label(recipe, row, result["picked"], result["by_layer"])
            link(place, (folder / "models" / _seeded(label, seed)).resolve())
            link(place.parents[1] / "data", (folder / "data").resolve())
        elif place.is_symlink():
            place.unlink()


def _result(recipe: Recipe, row: str, strengths: Sequence[float], by_layer: bool, card: Scorecard) -> ScaleResult:
    by_name = {one["name"]: one for one in card["rows"]}
    keep = recipe.pick.keep
    nothing = unscaled(row) if starts_apart(recipe, row) else card["backbone"]
    start = _strength(card, by_name[nothing], 0.0, keep)
    found = [_strength(card, by_name[_label(recipe, row, one, by_layer)], one, keep) for one in strengths]
    return {
        "recipe": recipe.name,
        "backbone": recipe.backbone,
        "row": row,
        "skill": skill_title(card),
        "keep": keep,
        "by_layer": by_layer,
        "noise": floor(card),
        "strengths": [start, *found],
        "picked": max((one["strength"] for one in found if one["keeps"]), default=None),
    }


def _strength(card: Scorecard, row: Row, strength: float, keep: float) -> Strength:
    skill, kept = skill_of(card, row), row["retention_interval"]
    return {
        "strength": strength,
        "row": row["name"],
        "skill": skill and skill["score"],
        "skill_interval": skill and skill["interval"],
        "gain": skill and skill["delta"],
        "gain_interval": skill and skill["delta_interval"],
        "kept": row["retention"],
        "kept_interval": kept,
        "keeps": kept is not None and kept[0] >= 100 * keep,
    }
