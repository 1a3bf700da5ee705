"""The evaluate stage: a row is judged by rules, other models, lm-evaluation-harness and COMET."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self, TypedDict, TypeVar

from dragoman import suites
from dragoman.generation.door import Asking, drive_all
from dragoman.pipeline.data.questions import StoredMaterial, outside
from dragoman.pipeline.data.record_files import read_pairs, read_questions
from dragoman.pipeline.models.cast import Cast, Model
from dragoman.pipeline.models.engines import answering, check_engine, judge_engine, open_door
from dragoman.pipeline.models.judging import judging_inputs
from dragoman.pipeline.models.speakers import device_name, judge_speaker, speaker, spec_of
from dragoman.pipeline.rows import starts_apart
from dragoman.pipeline.stages.stage import Inputs, Made, RunState, Stage, StageJob, finish_of
from dragoman.prompts.speak import Speaker
from dragoman.recipe.judging import Comet, Evaluation
from dragoman.recipe.schema import Recipe
from dragoman.scoring.comet.model import Comet as CometModel
from dragoman.scoring.comet.model import Triple, open_comet
from dragoman.scoring.results import RowResults
from dragoman.store import Artifact, Digests, write_atomic
from dragoman.suites import Graded, JudgedSuite, Material, ModelFiles, is_skill
from dragoman.suites.drift import suite as drift
from dragoman.suites.questions.suite import AbilityResult, QuestionResults, questions_asked
from dragoman.suites.translation.suite import TranslationResult, extracted_by, translation

Place = tuple[int, str]
"""A draw, and the name of the suite that asks; empty for the questions with a rule, of all suites."""
Outcome = TranslationResult | QuestionResults | list[Graded] | drift.Texts
M = TypeVar("M", bound=Material)
GUARDED = "Llama Guard's prompt"


class EvaluateFacts(TypedDict):
    """What the manifest of a row's evaluation says."""

    device: str


@dataclass(frozen=True, slots=True)
class Evaluate(StageJob[EvaluateFacts]):
    """A row is judged by all suites of the recipe. The backbone also answers other draws of questions."""

    made_by: ClassVar = (
        *("analysis/drift.py", "corpora", "pipeline/models/drift.py", "pipeline/models/speakers.py"),
        *("pipeline/stages/evaluate.py", "prompts", "rationales/faults.py", "sandbox"),
        *("scoring/comet", "scoring/results.py", "suites", "training/batching.py", "training/losses/loss.py"),
    )

    recipe: Recipe
    cast: Cast
    voice: Model
    """What the row's vocabulary and chat format are of."""
    row: str
    model: Path | None
    """The folder of a trained row's weights."""
    data: Path
    out: Path
    cache: Path

    @classmethod
    def of(cls, stage: Stage, state: RunState, out: Path) -> Self:
        model = state.done[stage.needs[1]].folder / "model" if len(stage.needs) > 1 else None
        voice = state.voice(stage.row, stage.seed)
        return cls(state.recipe, state.cast, voice, stage.row, model, state.data, out, state.cache)

    @staticmethod
    def inputs(stage: Stage, state: RunState) -> Inputs:
        recipe, cast, row = state.recipe, state.cast, stage.row
        data, voice = state.done["data"], state.voice(row, stage.seed)
        model = state.done[stage.needs[1]].digest("model/*") if len(stage.needs) > 1 else voice.digest
        compared = row != "backbone" and any(suite.compares for suite in suites.of(recipe))
        return {
            "model": model,
            "prompt": voice.asked,
            "test": data.digest("test.jsonl"),
            "questions": data.digest("questions.jsonl"),
            "judged": data.digest("judged.json"),
            "judges": {name: judge.digest for name, judge in cast.judges.items()},
            **({"own judges": own} if (own := own_judges(recipe)) else {}),
            "compared with": cast.backbone.digest if compared else None,
            "evaluation": recipe.evaluation.deciding(but={"noise_seeds"} if row != "backbone" else ()),
            **judging_inputs(recipe, state.store.digests),
            "system": recipe.system,
            "engine": answering(recipe.generation, judging=True),
            "precision": recipe.generation.precision,
            "suites": list(recipe.evaluate),
            "role": "backbone" if row == "backbone" else "model",
        }

    @staticmethod
    def models(stage: Stage, state: RunState) -> list[tuple[Model, bool]]:
        trained = len(stage.needs) > 1
        compared = stage.row != "backbone" and any(suite.compares for suite in suites.of(state.recipe))
        judges = [(judge, True) for judge in state.cast.judges.values()]
        backbone = [(state.cast.backbone, True)] if compared else []
        spoken = [] if starts_apart(state.recipe, stage.row) else [(state.cast.voice(stage.row), not trained)]
        return [*spoken, *judges, *backbone]

    def run(self) -> Made[EvaluateFacts]:
        return evaluate(self.recipe, self.cast, self.voice, self.row, self.model, self.data, self.out, self.cache)

    @staticmethod
    def told(artifact: Artifact) -> list[str]:
        return [f"{finish_of(artifact)['rate']['units']:,} answers"]


def own_judges(recipe: Recipe) -> dict[str, Any]:
    """The settings of judges that a single suite has; shared judges are in `evaluation`."""
    return {name: judge.model_dump() for name, judge in suites.judges(recipe).items() if name not in ("judge", "guard")}


def check(recipe: Recipe, cast: Cast) -> None:
    """Checks that everything for judging is there and could begin. DataError or EngineError with what is missing."""
    for suite in suites.of(recipe):
        suite.check(recipe)
    if "translation" in recipe.evaluate:
        for one in recipe.evaluation.comet:
            open_comet(one.checkpoint, one.encoder, one.precision)
    parts = suites.parts(recipe)
    for name, judge in cast.judges.items():
        check_engine(judge_engine(recipe, name), spec_of(judge), written=GUARDED * (parts[name] == "guard"))


def evaluate(
    recipe: Recipe, cast: Cast, voice: Model, row: str, model: Path | None, data: Path, out: Path, cache: Path
) -> Made[EvaluateFacts]:
    """A row is judged by all suites of the recipe. The backbone also answers other draws of questions.

    `model` is the folder of a trained row's weights. Writes `results.json`, and for the backbone `noise.json`.
    """
    judges, settings = suites.judges(recipe), recipe.evaluation
    speak = speaker(recipe, voice)
    speak.others = {name: judge_speaker(judge, judges[name]) for name, judge in cast.judges.items()}
    if voice != cast.backbone:
        plain = speaker(recipe, cast.backbone)
        speak.others = {**speak.others, "backbone": plain}
        if row not in cast.finished:
            speak.alone = plain.alone and speak.format is None  # as all rows are asked
    draws = 1 + (settings.noise_seeds if row == "backbone" else 0)
    asking = _asking(recipe, row, data, speak, draws)
    weights = spec_of(voice, recipe.system)
    models = {"backbone": spec_of(cast.backbone, recipe.system)}
    models |= {name: spec_of(judge) for name, judge in cast.judges.items()}
    models[row] = replace(weights, folder=model or weights.folder)
    engines = {name: judge_engine(recipe, name) for name in cast.judges}
    with open_door(recipe.generation, cache, models, engines=engines) as answers:
        outcomes = drive_all(asking, answers)
    found = [_results(recipe, number, outcomes) for number in range(draws)]
    first = found[0]
    if first.translation:
        digests = Digests(cache / "weights.json")
        translated = with_comet(first.translation, settings.comet, cache / "comet", digests)
        first = replace(first, translation=translated)
    for texts in outcomes.values():
        if isinstance(texts, drift.Texts):
            first = replace(first, drift=_drift(recipe, cast.backbone, voice, row, model, texts))
    first = replace(first, graded=(*first.graded, *_run_outside(recipe, voice, model, cache)))
    write_atomic(out / "results.json", json.dumps(first.to_json(), ensure_ascii=False))
    noise = [draw.to_json() for draw in found[1:] if draw.abilities or draw.graded]
    write_atomic(out / "noise.json", json.dumps(noise, ensure_ascii=False))
    return Made(EvaluateFacts(device=device_name()), max(1, sum(map(_answers, [first, *found[1:]]))))


def with_comet(result: TranslationResult, comets: Sequence[Comet], cache: Path, digests: Digests) -> TranslationResult:
    """The same translations with a score by each COMET model, times 100; each text is encoded once."""
    opened = [open_comet(one.checkpoint, one.encoder, one.precision, digest_of=digests.of) for one in comets]
    digests.save()
    for name, comet in _named(opened).items():
        triples = [Triple(item.pair.source, item.hypothesis, item.pair.target) for item in result.items]
        scores = comet.score(triples, cache)
        signature = extracted_by(f"{comet.signature}|times:100", result.alone)
        rows = [(100 * score, 1.0) for score in scores]
        result = result.with_metric(f"comet:{name}", rows, dict.fromkeys(result.signatures, signature))
    return result


def _named(comets: Sequence[CometModel]) -> dict[str, CometModel]:
    """COMET models by unique names: the folder's, with precision or contents added if several share it."""
    found = {}
    for comet in comets:
        alike = [other for other in comets if other.name == comet.name]
        precisions = Counter(other.precision for other in alike)
        more = comet.precision if precisions[comet.precision] == 1 else comet.fingerprint[:8]
        found[comet.name if len(alike) == 1 else f"{comet.name}-{more}"] = comet
    return found


def _asking(recipe: Recipe, row: str, data: Path, speak: Speaker, draws: int) -> dict[Place, Asking[Outcome]]:
    """The generators that ask the models, for each draw; questions with a rule are asked together, for all suites."""
    settings = recipe.evaluation
    asking: dict[Place, Asking[Outcome]] = {}
    pairs = list(read_pairs(data / "test.jsonl"))
    if "translation" in recipe.evaluate:
        asking[0, "translation"] = translation(row, pairs, speak, settings)
    for number, questions in enumerate(read_questions(data / "questions.jsonl")[:draws]):
        asking[number, ""] = questions_asked(row, questions, speak, settings, several=number == 0)
    materials: dict[str, StoredMaterial] = json.loads((data / "judged.json").read_text(encoding="utf-8"))
    for suite in suites.of(recipe):
        if isinstance(suite, JudgedSuite):
            for number in range(draws if suite.drawn else 1):
                seeded = settings.model_copy(update={"seed": settings.seed + number})
                material = materials[suite.name]["material"]
                asking[number, suite.name] = _judged(recipe, suite, row, material, speak, seeded)
        elif isinstance(suite, drift.Drift):
            prompts: Any = materials[suite.name]["material"]
            asking[0, suite.name] = suite.ask(prompts, pairs, speak.of("backbone"), settings)
    return asking


def _judged(
    recipe: Recipe, suite: JudgedSuite[M], row: str, material: M, speak: Speaker, settings: Evaluation
) -> Asking[list[Graded]]:
    """A suite's asks to a row and its judge, which may be a judge of its own."""
    part, name = suite.who or ("", "")
    if name == part:
        return suite.ask(row, material, speak, settings)
    settings = settings.model_copy(update={part: suites.judges(recipe)[name]})
    return _asked_instead(suite.ask(row, material, speak.but({part: speak.of(name)}), settings), part, name)


def _asked_instead(asking: Asking[list[Graded]], model: str, other: str) -> Asking[list[Graded]]:
    """The same asks, with those to `model` redirected to `other`."""
    try:
        ask = next(asking)
        while True:
            ask = asking.send((yield replace(ask, model=other) if ask.model == model else ask))
    except StopIteration as end:
        found: list[Graded] = end.value
        return found


def _results(recipe: Recipe, number: int, outcomes: Mapping[Place, Outcome]) -> RowResults:
    """The results of one draw. A benchmark has the name that the recipe gives it: there may be two of a kind."""
    kinds = {suite.name: suite.kind for suite in suites.of(recipe)}
    translated: TranslationResult | None = None
    kept: AbilityResult | None = None
    graded: list[Graded] = []
    for (draw, name), found in outcomes.items():
        if draw != number:
            continue
        if isinstance(found, TranslationResult):
            translated = found
        elif isinstance(found, drift.Texts):
            continue  # they are measured afterwards
        elif isinstance(found, QuestionResults):
            kept = found.abilities
            graded += found.programs
        else:
            graded += [replace(one, name=one.name.replace(kinds[name], name, 1)) for one in found]
    return RowResults(translated, kept, tuple(_as_skill(one, recipe.evaluation.skills) for one in graded))


def _drift(
    recipe: Recipe, backbone: Model, voice: Model, row: str, model: Path | None, texts: drift.Texts
) -> drift.DriftResult:
    from dragoman.pipeline.models.drift import moved, unmoved

    if row == "backbone":
        return unmoved(recipe, backbone, texts)
    return moved(recipe, backbone, replace(voice, folder=model or voice.path), texts)


def _as_skill(graded: Graded, skills: Sequence[str]) -> Graded:
    """Marked as learnt rather than kept, if the recipe says so."""
    return replace(graded, side="skill", kept=False) if is_skill(graded.name, skills) else graded


def _answers(found: RowResults) -> int:
    asked = (found.translation, found.abilities, *found.graded)
    return sum(len(one.items) for one in asked if one)


def _run_outside(recipe: Recipe, voice: Model, folder: Path | None, cache: Path) -> list[Graded]:
    """The results of other programs, each of which opens the model itself."""
    model = ModelFiles(
        folder or voice.path,
        recipe.generation,
        cache,
        voice.chat,
        recipe.system,
        voice.trust_remote_code,
        voice.bin_weights,
    )
    ran = [one for kind, some in outside(recipe).items() for one in kind.run(some, model, recipe.evaluation)]
    return [_as_skill(one, recipe.evaluation.skills) for one in ran]
