"""A model is judged: by rules, by other models, by lm-evaluation-harness, by COMET. In a process of its own."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dragoman.corpora.records import Question
from dragoman.errors import DataError
from dragoman.generation.door import drive_all
from dragoman.pipeline import judged
from dragoman.pipeline.data.record_files import read_pairs, read_questions
from dragoman.pipeline.models.cast import Cast, Model
from dragoman.pipeline.models.engines import ModelSpec, check_engine, open_door
from dragoman.pipeline.models.speakers import device_name, judge_speaker, speaker, spec_of
from dragoman.prompts.speak import Speaker
from dragoman.recipe.engines import Generation
from dragoman.recipe.judging import Comet, Evaluation
from dragoman.recipe.schema import Recipe
from dragoman.sandbox.sandbox import require
from dragoman.scoring.comet.model import Comet as CometModel
from dragoman.scoring.comet.model import Triple, open_comet
from dragoman.scoring.results import RowResults
from dragoman.store import Digests, write_atomic
from dragoman.suites.graded import Graded
from dragoman.suites.harness import suite as harness
from dragoman.suites.humaneval.pass_at_k import programs_drawn
from dragoman.suites.questions.suite import abilities, is_skill
from dragoman.suites.translation.suite import TranslationResult, extracted_by, translation

Facts = dict[str, Any]


def check(recipe: Recipe, cast: Cast) -> None:
    """Whether everything that judges is there and could begin. DataError or EngineError with what is missing."""
    if tasks := judged.harness_tasks(recipe):
        if recipe.evaluation.harness.backend == "openai" and (recipe.methods or recipe.compare):
            raise DataError(
                "evaluation.harness.backend: a server answers for the one model that it serves, and this recipe judges "
                "several; take `auto`, `hf` or `vllm`, or judge that model alone"
            )
        harness.verify(tasks, recipe.evaluation.harness)
    if {"programs", "humaneval"} & set(recipe.evaluate):
        require()
    if "translation" in recipe.evaluate:
        for one in recipe.evaluation.comet:
            open_comet(one.checkpoint, one.encoder, one.precision)
    parts = {who[1]: who[0] for suite in recipe.evaluate if (who := recipe.judged_by(suite))}
    for name, judge in cast.judges.items():
        check_engine(_engine(recipe, name), _as_judge(judge), written=parts[name] == "guard")


def evaluate(recipe: Recipe, cast: Cast, row: str, model: Path | None, data: Path, out: Path, cache: Path) -> Facts:
    """A row is judged by all suites of the recipe. The backbone answers other draws of questions as well.

    `model` is the folder of a trained row's weights. Leaves `results.json`, and of the backbone `noise.json`.
    """
    voice = cast.voice(row)
    speak = speaker(recipe, voice)
    speak.others = {name: judge_speaker(judge, recipe.judges[name]) for name, judge in cast.judges.items()}
    if row in cast.finished:
        speak.others = {**speak.others, "backbone": speaker(recipe, cast.backbone)}
    draws = 1 + (recipe.evaluation.noise_seeds if row == "backbone" else 0)
    materials: dict[str, Any] = json.loads((data / "judged.json").read_text(encoding="utf-8"))
    asking = _asking(recipe, row, data, materials, speak, draws)
    weights = spec_of(recipe, voice)
    models = {"backbone": spec_of(recipe, cast.backbone)}
    models |= {name: _as_judge(judge) for name, judge in cast.judges.items()}
    models[row] = replace(weights, folder=model or weights.folder)
    engines = {name: _engine(recipe, name) for name in cast.judges}
    with open_door(recipe.generation, cache, models, engines=engines) as answers:
        results = drive_all(asking, answers)
    translated: TranslationResult | None = results.pop("translation", None)
    if translated:
        digests = Digests(cache / "weights.json")
        translated = with_comet(translated, recipe.evaluation.comet, cache / "comet", digests)
    kinds = {suite: one["kind"] for suite, one in materials.items()}
    skills = recipe.evaluation.skills
    found = [_results(number, results, kinds, skills) for number in range(draws)]
    ran = [_as_skill(one, skills) for one in _of_the_harness(recipe, voice, model, cache / "harness")]
    first = RowResults(translated, found[0].abilities, (*found[0].graded, *ran))
    write_atomic(out / "results.json", json.dumps(first.to_json(), ensure_ascii=False))
    noise = [draw.to_json() for draw in found[1:] if draw.abilities or draw.graded]
    write_atomic(out / "noise.json", json.dumps(noise, ensure_ascii=False))
    return {"units": max(1, sum(map(_answers, [first, *found[1:]]))), "device": device_name()}


def with_comet(result: TranslationResult, comets: Sequence[Comet], cache: Path, digests: Digests) -> TranslationResult:
    """The same translations with a score of each COMET model, times 100; each text is encoded once."""
    opened = [open_comet(one.checkpoint, one.encoder, one.precision, digest_of=digests.of) for one in comets]
    digests.save()
    for name, comet in _named(opened).items():
        triples = [Triple(item.pair.source, item.hypothesis, item.pair.target) for item in result.items]
        scores = comet.score(triples, cache)
        signature = extracted_by(f"{comet.signature}|times:100")
        rows = [(100 * score, 1.0) for score in scores]
        result = result.with_metric(f"comet:{name}", rows, dict.fromkeys(result.signatures, signature))
    return result


def _named(comets: Sequence[CometModel]) -> dict[str, CometModel]:
    """Each by a name of its own: its folder's, with the precision or the contents where that is also another's."""
    found = {}
    for comet in comets:
        alike = [other for other in comets if other.name == comet.name]
        precisions = Counter(other.precision for other in alike)
        more = comet.precision if precisions[comet.precision] == 1 else comet.fingerprint[:8]
        found[comet.name if len(alike) == 1 else f"{comet.name}-{more}"] = comet
    return found


def _asking(
    recipe: Recipe, row: str, data: Path, materials: Mapping[str, Any], speak: Speaker, draws: int
) -> dict[str, Any]:
    """What asks the models: of each suite a generator for each draw, by the suite's name and the draw's number."""
    settings = recipe.evaluation
    asking: dict[str, Any] = {}
    if "translation" in recipe.evaluate:
        asking["translation"] = translation(row, list(read_pairs(data / "test.jsonl")), speak, settings)
    for number, questions in enumerate(read_questions(data / "questions.jsonl")[:draws]):
        ruled, programs = _apart(questions, settings)
        if ruled:
            asking[f"{number} abilities"] = abilities(row, ruled, speak, settings)
        if programs and number == 0:
            asking[f"{number} programs"] = programs_drawn(row, programs, speak, settings)
    for suite, one in materials.items():
        for number in range(draws if judged.KINDS[one["kind"]].drawn else 1):
            seeded = settings.model_copy(update={"seed": settings.seed + number})
            asking[f"{number} {suite}"] = _judged(recipe, suite, row, one, speak, seeded)
    return asking


def _judged(
    recipe: Recipe, suite: str, row: str, one: Mapping[str, Any], speak: Speaker, settings: Evaluation
) -> judged.Asking:
    """What a suite asks of a row and of who judges it, which may be a judge of its own."""
    part, name = recipe.judged_by(suite) or ("", "")
    if name == part:
        return judged.make(one["kind"], row, one["material"], speak, settings)
    settings = settings.model_copy(update={part: recipe.judges[name]})
    asking = judged.make(one["kind"], row, one["material"], speak.but({part: speak.of(name)}), settings)
    return judged.asked_instead(asking, part, name)


def _apart(questions: Iterable[Question], settings: Evaluation) -> tuple[list[Question], list[Question]]:
    """Questions with one greedy answer, and programs of which several are drawn."""
    several = settings.code.samples > 1
    ruled: list[Question] = []
    programs: list[Question] = []
    for question in questions:
        (programs if several and question.check.name == "unit_tests" else ruled).append(question)
    return ruled, programs


def _results(
    number: int, results: Mapping[str, Any], kinds: Mapping[str, str], skills: Sequence[str] = ()
) -> RowResults:
    """What came of one draw. A benchmark goes by the name that the recipe gives it: there may be two of a kind."""
    mine = {name.split(" ", 1)[1]: found for name, found in results.items() if name.startswith(f"{number} ")}
    kept = mine.pop("abilities", None)
    named = [
        replace(one, name=one.name.replace(kinds[suite], suite, 1) if suite in kinds else one.name)
        for suite, graded in mine.items()
        for one in graded
    ]
    return RowResults(None, kept, tuple(_as_skill(one, skills) for one in named))


def _as_skill(graded: Graded, skills: Sequence[str]) -> Graded:
    """To be learnt rather than kept, where the recipe says so."""
    return replace(graded, side="skill", kept=False) if is_skill(graded.name, skills) else graded


def _answers(found: RowResults) -> int:
    asked = (found.translation, found.abilities, *found.graded)
    return sum(len(one.items) for one in asked if one)


def _of_the_harness(recipe: Recipe, voice: Model, model: Path | None, cache: Path) -> list[Graded]:
    tasks = judged.harness_tasks(recipe)
    if not tasks:
        return []
    return harness.judged(
        tasks,
        model or voice.path,
        recipe.evaluation.harness,
        chat=voice.chat,
        system=recipe.system,
        trust_remote_code=voice.trust_remote_code,
        bin_weights=voice.bin_weights,
        generation=recipe.generation,
        cache=cache,
    )


def _engine(recipe: Recipe, judge: str) -> Generation:
    settings = recipe.judges[judge].generation
    if settings is None and recipe.generation.engine == "openai":  # that server has another model
        return recipe.generation.model_copy(update={"engine": "auto"})
    return settings or recipe.generation


def _as_judge(judge: Model) -> ModelSpec:
    return ModelSpec(judge.path, judge.path, None, judge.trust_remote_code, None, judge.chat, judge.bin_weights)
