"""The report stage: every row's results become the scorecard, its tables and its page."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, ClassVar, Self, TypedDict

import dragoman
from dragoman import suites
from dragoman.json_values import Json
from dragoman.pipeline.data.questions import spelled_out
from dragoman.pipeline.models.cast import writer
from dragoman.pipeline.rows import (
    after_of,
    extended,
    learn_of,
    learnt,
    named_settings,
    own_options,
    recovered,
    replayed,
    rows,
    settings_apart,
    settings_of,
    taught_as,
    titled,
    trained,
    trainings,
)
from dragoman.pipeline.stages.data import MakeData
from dragoman.pipeline.stages.evaluate import Evaluate
from dragoman.pipeline.stages.examples import MakeExamples
from dragoman.pipeline.stages.extend import Extend
from dragoman.pipeline.stages.merge import Merge
from dragoman.pipeline.stages.recover import Recover, RecoverFacts
from dragoman.pipeline.stages.replay import MakeReplay
from dragoman.pipeline.stages.stage import Inputs, Made, RunState, Stage, StageJob, finish_of
from dragoman.pipeline.stages.train import Train
from dragoman.recipe.schema import Recipe
from dragoman.recipe.write import resolved
from dragoman.report.page.page import Details, write_report
from dragoman.scoring.scorecard.card import About, RowResults, scorecard
from dragoman.scoring.scorecard.training import Cost, Moved, Recovery, Replay
from dragoman.store import Artifact
from dragoman.training.curriculum import sentence

READ = {
    "evaluate": "*",
    "replay": "samples.json",
    "examples": "samples.json",
    "train": "metrics.jsonl",
    "recover": "metrics.jsonl",
}  # of each kind of stage, which files


class ReportFacts(TypedDict):
    """A report's manifest has no facts of its own."""


@dataclass(frozen=True, slots=True)
class MakeReport(StageJob[ReportFacts]):
    """Makes the scorecard, its tables and its page from everything that is done."""

    made_by: ClassVar = (
        *("corpora", "methods", "pipeline/stages/report.py", "prompts"),
        *("rationales", "report", "scoring", "suites"),
    )
    holds_model: ClassVar = False

    recipe: Recipe
    done: Mapping[str, Artifact]
    weights: Mapping[str, str]
    """Row → what its weights are, where they are not the published ones; `backbone` is the first."""
    out: Path

    @classmethod
    def of(cls, stage: Stage, state: RunState, out: Path) -> Self:
        names = ["backbone", *rows(state.recipe), *state.cast.finished]
        return cls(state.recipe, state.done, {name: state.cast.voice(name).weights for name in names}, out)

    @staticmethod
    def inputs(stage: Stage, state: RunState) -> Inputs:
        return {
            "name": state.recipe.name,
            "version": dragoman.__version__,
            "judged": {title: made.digest() for title, made in state.done.items() if title in stage.needs},
            "evaluation": state.recipe.evaluation.deciding(),
            "settings": settings_apart(state.recipe),
            "validated": _validated(state),
        }

    @staticmethod
    def artifacts(stage: Stage, state: RunState) -> dict[str, tuple[Artifact, str]]:
        return {title: (made, READ.get(title.split("-")[0], "")) for title, made in state.done.items()}

    def run(self) -> Made[ReportFacts]:
        make_report(self.recipe, self.done, self.weights, self.out)
        return Made(ReportFacts())

    @staticmethod
    def told(artifact: Artifact) -> list[str]:
        return []


def make_report(recipe: Recipe, done: Mapping[str, Artifact], weights: Mapping[str, str], out: Path) -> None:
    """Writes the scorecard, the page, tables and a picture to `out/report`.

    The page shows translations, losses and examples of the first seed.
    """
    seeds = trainings(recipe)
    first = _first_row(recipe)
    results = {first: [_results(done["evaluate-backbone"])]}
    results |= {row: [_results(done[titled("evaluate", row, seed=seed)]) for seed in seeds] for row in rows(recipe)}
    noise = [RowResults.from_json(draw) for draw in done["evaluate-backbone"].read_json("noise.json")]
    results |= {one.row: [_results(done[titled("evaluate", one.row)])] for one in recipe.compare}
    taught = {row: done[learnt(recipe, row, seeds[0])[-1]] for row in rows(recipe)}
    shown = [row for row in rows(recipe) if taught_as(recipe, row) == row]
    fitted = {row: done[trained(recipe, row, seeds[0])[-1]] for row in shown}
    replays = [made for title, made in done.items() if title.split("-")[0] == "replay"]
    told, apart = named_settings(recipe), settings_apart(recipe)
    judged = results[first][0].scores
    card = scorecard(
        results,
        noise,
        recipe.evaluation.bootstrap,
        first,
        rationales={row: MakeExamples.facts(made).get("rationales") for row, made in taught.items()},
        about={first: About(method="backbone", weights=weights["backbone"])}
        | {row: _about(recipe, row, done, apart[row], weights[row], judged) for row in rows(recipe)}
        | {one.row: About(method="finished", weights=weights[one.row]) for one in recipe.compare},
    )
    details = Details(
        name=recipe.name,
        results={row: some[0] for row, some in results.items()},
        losses={row: _lines(made.folder / "metrics.jsonl") for row, made in fitted.items()},
        examples={row: taught[row].read_json("samples.json") for row in shown},
        notes={row: MakeExamples.facts(taught[row])["notes"] for row in shown},
        replay=replays[0].read_json("samples.json") if replays else (),
        facts=_facts(recipe, done),
        recipe=resolved(spelled_out(recipe)),
        options={row: (method, own_options(given) | told[row]) for row, (method, given) in rows(recipe).items()},
    )
    write_report(out / "report", card, details)


def _validated(state: RunState) -> dict[str, str]:
    """The logs of trainings that were measured on held-out text, which other moments change and nothing else."""
    logs = {title: made for title, made in state.done.items() if title.startswith(("train-", "recover-"))}
    measured = {title: made for title, made in logs.items() if {"validation", "drift"} & made.facts.keys()}
    return {title: made.digest("metrics.jsonl") for title, made in measured.items()}


def _first_row(recipe: Recipe) -> str:
    """The name of the backbone's row; where it is the only one, that of the model."""
    return "backbone" if rows(recipe) or recipe.compare else Path(recipe.backbone).name


def _results(judged: Artifact) -> RowResults:
    return RowResults.from_json(judged.read_json("results.json"))


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def _about(
    recipe: Recipe,
    row: str,
    done: Mapping[str, Artifact],
    apart: Mapping[str, Json],
    weights: str,
    judged: Sequence[str],
) -> About:
    method, options = rows(recipe)[row]
    wrote, before, learn = writer(options), after_of(recipe, row), learn_of(recipe, row)
    return About(
        method=method,
        writer=Path(wrote).name if wrote else None,
        seeds=recipe.seeds,
        settings=apart,
        hints=_hints(recipe, row, done),
        replay=_replay(recipe, row, done, judged),
        recovery=_recovery(recipe, row, done),
        cost=_cost(recipe, row, done),
        weights=weights,
        after=str(before) if before else None,
        learnt={"directions": [*learn.directions], "lessons": [*learn.lessons]} if learn else None,
    )


def _hints(recipe: Recipe, row: str, done: Mapping[str, Artifact]) -> list[str]:
    """What went wrong in a row's own trainings, with the seed where there are several."""
    seeds = trainings(recipe) if taught_as(recipe, row) == row else ()
    each = {seed: Train.facts(done[trained(recipe, row, seed)[-1]]).get("hints", []) for seed in seeds}
    return [hint if seed is None else f"with seed {seed}, {hint}" for seed, some in each.items() for hint in some]


def _replay(recipe: Recipe, row: str, done: Mapping[str, Artifact], judged: Sequence[str]) -> Replay | None:
    """What a row learnt beside its task; `judged` are the names of all scores."""
    settings, title = settings_of(recipe, row).replay, replayed(recipe, row, trainings(recipe)[0])
    if settings is None or title is None:
        return None
    facts = MakeReplay.facts(done[title])
    overlapping = sum(
        count for sets in facts["contamination"].values() for kinds in sets.values() for count in kinds.values()
    )
    kinds = {kind for some in facts["prompts"].values() for kind in some}
    return Replay(
        prompts=facts["prompts"],
        near=facts["near"],
        near_families=suites.near_to(recipe, kinds, judged),
        overlapping=overlapping,
        share=settings.share,
    )


def _recovery(recipe: Recipe, row: str, done: Mapping[str, Artifact]) -> Recovery | None:
    """What a recovery was, and how far the row was from the backbone before and after it: means over its trainings."""
    each = [facts for seed in trainings(recipe) if (facts := _recovery_of(recipe, row, seed, done))]
    wanted = settings_of(recipe, row).recovery
    if not each or wanted is None:
        return None
    drift = {
        kind: Moved(
            before=fmean(facts["drift"][kind][0][1] for facts in each),
            after=fmean(facts["drift"][kind][-1][1] for facts in each),
        )
        for kind in each[0].get("drift", {})
    }
    answers = round(fmean(facts["answers"] for facts in each))
    return Recovery(steps=each[0]["steps"], answers=answers, kl=wanted.kl, drift=drift)


def _recovery_of(recipe: Recipe, row: str, seed: int | None, done: Mapping[str, Artifact]) -> RecoverFacts | None:
    title = recovered(recipe, row, seed)
    return Recover.facts(done[title]) if title else None


def _cost(recipe: Recipe, row: str, done: Mapping[str, Artifact]) -> Cost:
    """A row's cost, from the manifests of its stages: the mean over its trainings, all their rounds together."""
    each = [_cost_of(recipe, row, seed, done) for seed in trainings(recipe)]
    tokens = _mean_known([cost["generated_tokens"] for cost in each])
    seconds = _mean_known([cost["generating_seconds"] for cost in each])
    return {
        "examples": round(fmean(cost["examples"] for cost in each)),
        "example_tokens": round(fmean(cost["example_tokens"] for cost in each)),
        "generated_tokens": None if tokens is None else round(tokens),
        "generating_seconds": None if seconds is None else round(seconds, 2),
        "trained_tokens": round(fmean(cost["trained_tokens"] for cost in each)),
        "training_seconds": round(fmean(cost["training_seconds"] for cost in each), 2),
        "steps": round(fmean(cost["steps"] for cost in each)),
    }


def _mean_known(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _cost_of(recipe: Recipe, row: str, seed: int | None, done: Mapping[str, Artifact]) -> Cost:
    made = [MakeExamples.facts(done[title]) for title in learnt(recipe, row, seed)]
    parts = [done[title] for title in trained(recipe, row, seed)]
    last = Train.facts(parts[-1])
    generated = [facts["generated"] for facts in made if "generated" in facts]
    if replay := replayed(recipe, row, seed):
        generated.append(MakeReplay.facts(done[replay])["generated"])
    seconds, tokens, steps = sum(finish_of(part)["seconds"] for part in parts), last["tokens"], last["steps"]
    if (title := recovered(recipe, row, seed)) and (recovery := _recovery_of(recipe, row, seed, done)):
        generated.append(recovery["generated"])
        seconds += max(0.0, finish_of(done[title])["seconds"] - recovery["generated"]["seconds"])
        tokens, steps = tokens + recovery["tokens"], steps + recovery["steps"]
    return {
        "examples": made[-1]["examples"],
        "example_tokens": made[-1]["tokens"],
        "generated_tokens": sum(one.get("tokens", 0) for one in generated) if generated else None,
        "generating_seconds": sum(one.get("seconds", 0) for one in generated) if generated else None,
        "trained_tokens": tokens,
        "training_seconds": seconds,
        "steps": steps,
    }


def _facts(recipe: Recipe, done: Mapping[str, Artifact]) -> dict[str, str]:
    """What a reader asks first: sizes, machine, times, memory, versions."""
    data = MakeData.facts(done["data"])
    judged = done["evaluate-backbone"]
    facts = {
        "backbone": recipe.backbone,
        "training examples" if recipe.data.lessons else "training pairs": _counts(data["train"]) or "none",
        **({"texts": _counts(data["texts"])} if data.get("texts") else {}),
        **({"rated translations": _counts(data["ratings"])} if data.get("ratings") else {}),
        **({"preferences": _counts(data["preferences"])} if data.get("preferences") else {}),
        "test pairs": _counts(data["test"]) or "none",
        "questions": _counts(data["questions"]) or "none",
    }
    if left := _counts(data["left out"]):
        facts["left out"] = left
    facts |= {title: ", ".join(MakeReplay.told(done[title])) for title in done if title.split("-")[0] == "replay"}
    facts["machine"] = Evaluate.facts(judged)["device"]
    facts |= {
        f"questions of {suite}": "; ".join(f"{count:,} {what}" for what, count in told.items())
        for suite, told in data.get("suites", {}).items()
    }
    seeds = trainings(recipe)
    for row in rows(recipe):
        examples = done[learnt(recipe, row, seeds[0])[-1]]
        made, took = MakeExamples.facts(examples), finish_of(examples)["seconds"]
        fitted = [done[trained(recipe, row, seed)[-1]] for seed in seeds]
        last = [done[title] for seed in seeds if (title := recovered(recipe, row, seed))]
        merged = [Merge.facts(done[titled("merge", row, seed=seed)]) for seed in seeds]
        facts[row] = (
            f"{made['examples']:,} examples, {made['tokens']:,} tokens, made in {took:.0f} s; "
            f"{Train.facts(fitted[0])['steps']:,} steps in {_seconds(fitted):.0f} s"
            f"{'' if len(seeds) == 1 else f' with each of {len(seeds)} seeds'}, "
            f"at most {max(finish_of(one)['peak_memory'] for one in fitted) / 1e9:.1f} GB; "
            f"{f'recovered in {_seconds(last):.0f} s; ' if last else ''}"
            f"merged: {min(one['agreement'] for one in merged):.0%} of greedy tokens agree, "
            f"fp32 logits differ by {max(one['fp32_max'] for one in merged):.0e}"
        )
        if title := extended(recipe, row, seeds[0]):
            facts[f"vocabulary of {row}"] = ", ".join(Extend.told(done[title]))
        if joined := Train.facts(fitted[0]).get("curriculum"):
            facts[f"curriculum of {row}"] = sentence(joined)
    facts["versions"] = ", ".join(f"{name} {number}" for name, number in finish_of(judged)["versions"].items())
    return facts


def _seconds(made: Iterable[Artifact]) -> float:
    """The mean duration of some stages."""
    return fmean(finish_of(one)["seconds"] for one in made)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())
