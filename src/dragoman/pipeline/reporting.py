"""The last stage: every row's results become one scorecard, its tables and its page."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dragoman.evaluation.abilities import AbilityResult
from dragoman.evaluation.scores import RowResults, scorecard
from dragoman.pipeline.plan import rows
from dragoman.recipe.schema import Recipe
from dragoman.recipe.write import resolved
from dragoman.report.page import Details, write_report
from dragoman.store import Artifact


def make_report(recipe: Recipe, done: Mapping[str, Artifact], out: Path) -> dict[str, Any]:
    """Writes the scorecard, the page, a table and a picture to `out/report`."""
    named = ["backbone", *rows(recipe)]
    results = {row: RowResults.from_json(done[f"evaluate-{row}"].read_json("results.json")) for row in named}
    noise = [
        AbilityResult.from_json(draw) for draw in done["evaluate-backbone"].read_json("noise.json") if draw["items"]
    ]
    learnt_from = {row: done[f"examples-{row}"].facts.get("rationales") for row in rows(recipe)}
    card = scorecard(results, noise, recipe.evaluation.bootstrap, rationales=learnt_from)
    details = Details(
        name=recipe.name,
        results=results,
        losses={row: _lines(done[f"train-{row}"].folder / "metrics.jsonl") for row in rows(recipe)},
        examples={row: done[f"examples-{row}"].read_json("samples.json") for row in rows(recipe)},
        notes={row: done[f"examples-{row}"].facts["notes"] for row in rows(recipe)},
        facts=_facts(recipe, done),
        recipe=resolved(recipe),
    )
    write_report(out / "report", card, details)
    return {}


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def _facts(recipe: Recipe, done: Mapping[str, Artifact]) -> dict[str, str]:
    """What a reader asks first: sizes, machine, times, memory, versions."""
    data = done["data"].facts
    judged = done["evaluate-backbone"].facts
    facts = {
        "backbone": recipe.backbone,
        "training pairs": _counts(data["train"]),
        "test pairs": _counts(data["test"]),
        "questions": _counts(data["questions"]) or "none",
        "left out": _counts(data["left out"]) or "nothing",
        "machine": judged["device"],
    }
    for row in rows(recipe):
        made, trained = done[f"examples-{row}"].facts, done[f"train-{row}"].facts
        merged = done[f"merge-{row}"].facts
        facts[row] = (
            f"{made['examples']:,} examples, {made['tokens']:,} tokens, made in {made['seconds']:.0f} s; "
            f"{trained['steps']:,} steps in {trained['seconds']:.0f} s, at most {trained['peak_memory'] / 1e9:.1f} GB; "
            f"merged: {merged['agreement']:.0%} of greedy tokens agree, fp32 logits differ by {merged['fp32_max']:.0e}"
        )
    facts["versions"] = ", ".join(f"{name} {number}" for name, number in judged["versions"].items())
    return facts


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())
