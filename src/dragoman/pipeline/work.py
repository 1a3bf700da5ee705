"""What is done in a process of its own: the stages that hold a model.

Each function works in the folder that it is given, goes on with what an interrupted run left there,
and returns the facts that its artifact's manifest records.
"""

import json
import math
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

# The server process imports this module, and with it the heavy libraries, once for all stages.
import peft  # noqa: F401
import torch
import transformers

from dragoman import methods
from dragoman.errors import DataError
from dragoman.evaluation.abilities import AbilityResult, abilities
from dragoman.evaluation.scores import RowResults
from dragoman.evaluation.translation import TranslationResult, translation
from dragoman.generation.door import drive_all
from dragoman.generation.models import pick_device
from dragoman.generation.rationales import RationaleReport
from dragoman.methods import Lesson
from dragoman.pipeline.backbone import Backbone, writer
from dragoman.pipeline.engines import Asked, check_engine, open_door
from dragoman.pipeline.lengths import FRAME, context_of, pair_bytes, question_bytes, too_long
from dragoman.pipeline.plan import rows
from dragoman.pipeline.sources import chunks, read_pairs, read_questions
from dragoman.prompts.examples import Example, ExampleTable, write_examples
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker
from dragoman.recipe.schema import Recipe
from dragoman.store import write_atomic
from dragoman.training.merge import merge
from dragoman.training.trainer import fit

TRIED = 64  # pairs that are rendered before work begins
SAMPLES = 8  # examples kept as text, to be read on the page
CHUNK = 1024  # pairs that a method sees at a time, and that a part of a run is made of
TOGETHER = 16  # chunks whose asks are answered together, so that engines have enough to choose from
SHARDS_AN_ACTOR = 8  # of an ask, so that actors seldom wait for the last of it
PROBES = 16  # prompts on which a merged model is compared with its adapter
Facts = dict[str, Any]

transformers.utils.logging.disable_progress_bar()


def check(recipe: Recipe, backbone: Backbone, others: Mapping[str, Backbone], data: Path) -> Facts:
    """Whether the engine could start and the chat template works, with a few pairs too; what is too long for the model.

    Raises EngineError, TemplateError or DataError with what is wrong, before hours are spent.
    """
    speak = speaker(recipe, backbone, others)
    check_engine(recipe.generation, _asked(recipe, next(iter(others.values()), backbone)))
    for pair, _ in zip(read_pairs(data / "train.jsonl"), range(TRIED), strict=False):
        speak.prefix(pair)
    context = context_of(backbone.path)
    if context is None:
        return {"too long": 0, "longest": recipe.data.max_tokens}
    frame = FRAME + len((recipe.system or "").encode())
    tested = too_long(read_pairs(data / "test.jsonl"), speak.translate, pair_bytes, context, frame)
    asked = [question for drawn in read_questions(data / "questions.jsonl") for question in drawn]
    asked_long = too_long(asked, speak.question, question_bytes, context, frame)
    if tested or asked_long:
        raise DataError(
            f"{tested:,} of the test sentences and {asked_long:,} of the questions leave no room for an answer in the "
            f"context of {backbone.name}, {context:,} tokens. Leave them out, or take another backbone."
        )
    longest = min(recipe.data.max_tokens, context - 1)
    pairs = read_pairs(data / "train.jsonl")
    left_out = too_long(pairs, lambda pair: speak.prefix(pair).ids, pair_bytes, longest + 1, frame)
    return {"too long": left_out, "longest": longest}


def make_examples(
    recipe: Recipe,
    backbone: Backbone,
    others: Mapping[str, Backbone],
    row: str,
    adapter: Path | None,
    data: Path,
    out: Path,
    cache: Path,
) -> Facts:
    """Pairs become examples, chunk by chunk; a chunk that is done is not done again.

    With an adapter, the backbone is asked as it has become by it.
    """

    def missing(number: int) -> bool:
        return not _counted(out, number).exists()

    for number, lesson, sampled in _lessons(recipe, backbone, others, row, adapter, data, cache, missing):
        write_examples(out / "examples", number, lesson.examples)
        if number == 0:
            write_atomic(out / "samples.json", json.dumps(sampled, ensure_ascii=False))
        report = lesson.report.to_json() if lesson.report else None
        write_atomic(_counted(out, number), json.dumps({"notes": lesson.notes, "rationales": report}))
    notes: Counter[str] = Counter()
    reports: list[RationaleReport] = []
    for path in sorted((out / "notes").glob("*.json")):
        counted = json.loads(path.read_text(encoding="utf-8"))
        notes.update(counted["notes"])
        reports += [RationaleReport.from_json(counted["rationales"])] if counted["rationales"] else []
    table = ExampleTable(out / "examples")
    trained, _ = table.trained()
    return {
        "units": len(table),
        "examples": len(table),
        "tokens": int(table.lengths.sum()),
        "trained": trained,
        "notes": {name: count for name, count in notes.items() if count},
        "rationales": sum(reports[1:], reports[0]).to_json() if reports else None,
    }


def answer_part(
    recipe: Recipe,
    backbone: Backbone,
    others: Mapping[str, Backbone],
    row: str,
    part: tuple[int, int],
    data: Path,
    cache: Path,
) -> Facts:
    """Asks for what the examples of some chunks need. The answers are in the cache; the examples are for later."""
    number, parts = part
    lessons = _lessons(recipe, backbone, others, row, None, data, cache, lambda chunk: chunk % parts == number - 1)
    return {"units": sum(len(lesson.examples) for _, lesson, _ in lessons)}


def _lessons(
    recipe: Recipe,
    backbone: Backbone,
    others: Mapping[str, Backbone],
    row: str,
    adapter: Path | None,
    data: Path,
    cache: Path,
    wanted: Callable[[int], bool],
) -> Iterator[tuple[int, Lesson, Any]]:
    """The lessons of the chunks that are wanted, with some of their examples as text. Several chunks ask together."""
    name, options = rows(recipe)[row]
    method = methods.available()[name]
    chosen = method.options.model_validate(options)
    speak = speaker(recipe, backbone, others)
    asked = {name: _asked(recipe, other) for name, other in others.items()}
    asked["backbone"] = replace(_asked(recipe, backbone), adapter=adapter)
    served = None if adapter else writer(options) or "backbone"
    longest = min(recipe.data.max_tokens, (context_of(backbone.path) or sys.maxsize) - 1)
    numbered = enumerate(chunks(read_pairs(data / "train.jsonl"), CHUNK))
    with open_door(recipe.generation, cache, asked, served=served) as answers:
        for together in chunks(((number, chunk) for number, chunk in numbered if wanted(number)), together_of(recipe)):
            fitting = {
                number: [pair for pair in chunk if len(speak.prefix(pair).ids) <= longest] for number, chunk in together
            }
            makings = {str(number): method.make(pairs, speak, chosen) for number, pairs in fitting.items()}
            lessons = drive_all(makings, answers)
            for number, chunk in together:
                lesson = lessons[str(number)]
                lesson.notes[f"left out: longer than {longest:,} tokens"] += len(chunk) - len(fitting[number])
                yield number, lesson, _samples(lesson.examples, speak)


def together_of(recipe: Recipe) -> int:
    """How many chunks ask together: many actors want many shards."""
    settings = recipe.generation
    actors = settings.ray.actors[1] if settings.engine == "ray" else 1
    return max(TOGETHER, math.ceil(SHARDS_AN_ACTOR * actors * settings.shard / CHUNK))


def _counted(out: Path, number: int) -> Path:
    """Written last of a chunk, so its presence says that the chunk is done."""
    return out / "notes" / f"{number:06d}.json"


def _samples(examples: Sequence[Example], speak: Speaker) -> list[list[tuple[str, str]]]:
    """Some examples to read: the names and texts of their segments."""
    chosen = examples[:: max(1, len(examples) // SAMPLES)][:SAMPLES]
    return [
        [(segment.name, speak.renderer.tokenizer.decode(list(segment.ids))) for segment in example.segments]
        for example in chosen
    ]


def train(
    recipe: Recipe, backbone: Backbone, row: str, examples: Path, out: Path, before: Path | None, until: int | None
) -> Facts:
    """Examples become an adapter. `before` is the training that this one continues; it stops after epoch `until`."""
    result = fit(
        backbone.path,
        ExampleTable(examples / "examples"),
        recipe.training,
        out,
        before=before,
        until=until,
        trust_remote_code=backbone.trust_remote_code,
        label=f"training {row}",
    )
    epochs = 1 if before or until else recipe.training.epochs
    return {
        "units": math.ceil(epochs * len(ExampleTable(examples / "examples"))),
        "steps": result.steps,
        "tokens": result.tokens,
        "loss": result.loss,
        "device": device_name(),
    }


def make_model(recipe: Recipe, backbone: Backbone, adapter: Path, data: Path, out: Path) -> Facts:
    """Backbone and adapter become one model, which is published only if it does what the two did."""
    speak = speaker(recipe, backbone)
    pairs = [pair for pair, _ in zip(read_pairs(data / "test.jsonl"), range(PROBES), strict=False)]
    shutil.rmtree(out / "model", ignore_errors=True)  # of a run that was cut off before it published this
    parity = merge(
        backbone.path,
        adapter,
        out / "model",
        [speak.translate(pair) for pair in pairs],
        trust_remote_code=backbone.trust_remote_code,
    )
    return asdict(parity)


def evaluate(
    recipe: Recipe, backbone: Backbone, row: str, model: Path | None, data: Path, out: Path, cache: Path
) -> Facts:
    """A model is judged by all suites of the recipe; the backbone answers other draws of questions as well."""
    speak = speaker(recipe, backbone)
    settings = recipe.evaluation
    judged = "backbone" if model is None else row
    draws = read_questions(data / "questions.jsonl")
    asking: dict[str, Any] = {}
    if "translation" in recipe.evaluate:
        asking["translation"] = translation(judged, list(read_pairs(data / "test.jsonl")), speak, settings)
    for number, questions in enumerate(draws if model is None else draws[:1]):
        asking[f"abilities {number}"] = abilities(judged, questions, speak, settings)
    weights = _asked(recipe, backbone)
    with open_door(recipe.generation, cache, {judged: replace(weights, folder=model or weights.folder)}) as answers:
        results = drive_all(asking, answers)
    translated: TranslationResult | None = results.pop("translation", None)
    kept: list[AbilityResult] = list(results.values())
    found = RowResults(translated, kept[0] if kept else None)
    write_atomic(out / "results.json", json.dumps(found.to_json(), ensure_ascii=False))
    write_atomic(out / "noise.json", json.dumps([draw.to_json() for draw in kept[1:]], ensure_ascii=False))
    asked = len(translated.items if translated else ()) + sum(len(draw.items) for draw in kept)
    return {"units": asked, "device": device_name()}


def speaker(recipe: Recipe, backbone: Backbone, others: Mapping[str, Backbone] | None = None) -> Speaker:
    """Speaks to the backbone, and through `of` to the other models."""

    def load(model: Backbone) -> Renderer:
        return Renderer.load(model.path, model.trust_remote_code, recipe.system)

    return Speaker(load(backbone), others={name: Speaker(load(model)) for name, model in (others or {}).items()})


def _asked(recipe: Recipe, model: Backbone) -> Asked:
    return Asked(model.path, model.path, None, model.trust_remote_code, recipe.system)


def device_name() -> str:
    device = pick_device()
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"{torch.get_num_threads()} CPU threads"
