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
from itertools import chain, islice
from pathlib import Path
from typing import Any

import dragoman.generation.hf.skip_scipy  # noqa: F401  # before what follows

# isort: split
# The server process imports this module, and with it the heavy libraries, once for all stages.
import peft  # noqa: F401
import torch  # noqa: F401
import transformers

from dragoman.errors import DataError
from dragoman.generation.door import drive_all
from dragoman.methods import Lesson
from dragoman.models.config import context_of
from dragoman.pipeline.data.record_files import chunks, read_pairs, read_questions, read_records
from dragoman.pipeline.data.too_long import FRAME, question_bytes, record_bytes, too_long
from dragoman.pipeline.models.cast import Cast, Model, writer
from dragoman.pipeline.models.check_models import check_models
from dragoman.pipeline.models.engines import ModelSpec, check_engine, open_door
from dragoman.pipeline.models.metered import Metered
from dragoman.pipeline.models.speakers import check_voices, device_name, speaker, spec_of
from dragoman.pipeline.plan import method_of, rows, training_of
from dragoman.pipeline.stages import evaluate as judging
from dragoman.prompts.examples import Example, ExampleTable, Ids, write_examples
from dragoman.prompts.speak import Speaker
from dragoman.rationales.report import RationaleReport
from dragoman.recipe.schema import Recipe
from dragoman.store import write_atomic
from dragoman.training.checkpoints import is_model
from dragoman.training.merge import merge
from dragoman.training.trainer import fit

TRIED = 64  # records that are rendered before work begins
SAMPLES = 8  # examples kept as text, to be read on the page
CHUNK = 1024  # records that a method sees at a time, and that a part of a run is made of
TOGETHER = 16  # chunks whose asks are answered together, so that engines have enough to choose from
SHARDS_AN_ACTOR = 8  # of an ask, so that actors seldom wait for the last of it
PROBES = 16  # prompts on which a merged model is compared with its adapter
Facts = dict[str, Any]

transformers.utils.logging.disable_progress_bar()


def check(recipe: Recipe, cast: Cast, data: Path) -> Facts:
    """Whether the engine could start and the chat template works, with some records; what is too long for the model.

    Raises EngineError, TemplateError or DataError with what is wrong, before hours are spent.
    """
    backbone, others = cast.backbone, cast.others
    speak = speaker(recipe, backbone, others)
    check_voices(recipe, cast, speak)
    check_models(recipe, cast, speak)
    check_engine(recipe.generation, spec_of(recipe, next(iter(others.values()), backbone)))
    judging.check(recipe, cast)
    mixes = any(method_of(recipe, row).mixes for row in rows(recipe))
    for name in _learnt_from(mixes):
        for record in islice(read_records(data / name), TRIED):
            speak.prefix(record)
    context = context_of(backbone.path)
    if context is None:
        return {"too long": 0, "longest": recipe.data.max_tokens, "no room": 0}
    frame = FRAME + len((recipe.system or "").encode())
    tested = too_long(read_pairs(data / "test.jsonl"), speak.translate, record_bytes, context, frame)
    questions = [question for drawn in read_questions(data / "questions.jsonl") for question in drawn]
    asked_long = too_long(questions, speak.question, question_bytes, context, frame)
    if tested:
        raise DataError(
            f"{tested:,} of the test sentences leave no room for a translation in the context of {backbone.name}, "
            f"{context:,} tokens. Leave them out, or take another backbone."
        )
    longest = _longest(recipe, context, speak)
    records = chain.from_iterable(read_records(data / name) for name in _learnt_from(mixes))
    left_out = too_long(records, lambda record: speak.prefix(record).ids, record_bytes, longest + 1, frame)
    return {"too long": left_out, "longest": longest, "no room": asked_long}


def make_examples(
    recipe: Recipe,
    cast: Cast,
    row: str,
    adapter: Path | None,
    data: Path,
    out: Path,
    cache: Path,
) -> Facts:
    """Records become examples, chunk by chunk; a chunk that is done is not done again.

    With an adapter, the backbone is asked as it has become by it.
    """

    def missing(number: int) -> bool:
        return not _counted(out, number).exists()

    for number, lesson, sampled, spent in _lessons(recipe, cast, row, adapter, data, cache, missing):
        if lesson.examples:
            write_examples(out / "examples", number, lesson.examples)
            if not (out / "samples.json").exists():
                write_atomic(out / "samples.json", json.dumps(sampled, ensure_ascii=False))
        report = lesson.report.to_json() if lesson.report else None
        kept = {"notes": lesson.notes, "rationales": report, "generated": spent}
        write_atomic(_counted(out, number), json.dumps(kept))
    notes: Counter[str] = Counter()
    generated: Counter[str] = Counter()
    reports: list[RationaleReport] = []
    for path in sorted((out / "notes").glob("*.json")):
        counted = json.loads(path.read_text(encoding="utf-8"))
        notes.update(counted["notes"])
        generated.update(counted["generated"])
        reports += [RationaleReport.from_json(counted["rationales"])] if counted["rationales"] else []
    if not (out / "examples").is_dir():
        raise DataError(f"{row} has nothing to learn: of all records it took none. Look at its options, and at data.")
    table = ExampleTable(out / "examples")
    trained, _ = table.trained()
    return {
        "units": len(table),
        "examples": len(table),
        "tokens": int(table.lengths.sum()),
        "trained": trained,
        "notes": {name: count for name, count in notes.items() if count},
        "generated": dict(generated),
        "rationales": sum(reports[1:], reports[0]).to_json() if reports else None,
    }


def answer_part(
    recipe: Recipe,
    cast: Cast,
    row: str,
    part: tuple[int, int],
    data: Path,
    cache: Path,
) -> Facts:
    """Asks for what the examples of some chunks need. The answers are in the cache; the examples are for later."""
    number, parts = part
    lessons = _lessons(recipe, cast, row, None, data, cache, lambda chunk: chunk % parts == number - 1)
    return {"units": sum(len(lesson.examples) for _, lesson, _, _ in lessons)}


def _lessons(
    recipe: Recipe,
    cast: Cast,
    row: str,
    adapter: Path | None,
    data: Path,
    cache: Path,
    wanted: Callable[[int], bool],
) -> Iterator[tuple[int, Lesson, Any, Mapping[str, float]]]:
    """The lessons of the chunks that are wanted, some of their examples as text, and what was generated for them.

    Several chunks ask together.
    """
    _, options = rows(recipe)[row]
    backbone, others = cast.backbone, cast.others
    method = method_of(recipe, row)
    chosen = method.options.model_validate(options)
    speak = speaker(recipe, backbone, others)
    models = {name: spec_of(recipe, other) for name, other in others.items()}
    models["backbone"] = _as_trained(spec_of(recipe, backbone), adapter)
    served = None if adapter else writer(options) or "backbone"
    longest = _longest(recipe, context_of(backbone.path), speak)
    parted = (chunks(read_records(data / name), CHUNK) for name in _learnt_from(method.mixes))
    numbered = enumerate(chain.from_iterable(parted))
    with open_door(recipe.generation, cache, models, served=served) as answers:
        for together in chunks(((number, chunk) for number, chunk in numbered if wanted(number)), together_of(recipe)):
            fitting = {
                number: [record for record in chunk if len(speak.prefix(record).ids) <= longest]
                for number, chunk in together
            }
            makings = {str(number): Metered(method.make(some, speak, chosen)) for number, some in fitting.items()}
            lessons = drive_all(makings, answers)
            for number, chunk in together:
                lesson = lessons[str(number)]
                lesson.notes[f"left out: longer than {longest:,} tokens"] += len(chunk) - len(fitting[number])
                yield number, lesson, _samples(lesson.examples, speak), makings[str(number)].spent


def _longest(recipe: Recipe, context: int | None, speak: Speaker) -> int:
    """Tokens that a request and its reference may have: the turn's end comes after them, or at least one token more."""
    return min(recipe.data.max_tokens, (context or sys.maxsize) - max(1, len(speak.renderer.end)))


def _learnt_from(mixes: bool) -> tuple[str, ...]:
    """The files that a method learns from: general instruction data comes after what is to be learnt."""
    return ("train.jsonl", "instructions.jsonl") if mixes else ("train.jsonl",)


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
    recipe: Recipe,
    backbone: Model,
    row: str,
    seed: int | None,
    examples: Path,
    out: Path,
    before: Path | None,
    until: int | None,
) -> Facts:
    """Examples become an adapter, or other weights where all are trained.

    `before` is the training that this one continues; it stops after epoch `until`.
    """
    result = fit(
        backbone.path,
        ExampleTable(examples / "examples"),
        training_of(recipe, row, seed),
        out,
        before=before,
        until=until,
        trust_remote_code=backbone.trust_remote_code,
        bin_weights=backbone.bin_weights,
        label=f"training {row}" + ("" if seed is None else f" with seed {seed}"),
        named=backbone.name,
    )
    epochs = 1 if before or until else recipe.training.epochs
    return {
        "units": math.ceil(epochs * len(ExampleTable(examples / "examples"))),
        "steps": result.steps,
        "tokens": result.tokens,
        "loss": result.loss,
        "device": device_name(),
    }


def make_model(recipe: Recipe, backbone: Model, adapter: Path, data: Path, out: Path) -> Facts:
    """Backbone and adapter become one model, which is published only if it does what the two did."""
    speak = speaker(recipe, backbone)
    shutil.rmtree(out / "model", ignore_errors=True)  # of a run that was cut off before it published this
    parity = merge(
        backbone.path,
        adapter,
        out / "model",
        _probes(data, speak),
        trust_remote_code=backbone.trust_remote_code,
        bin_weights=backbone.bin_weights,
        chat=None if backbone.chat == "own" else speak.renderer.tokenizer.chat_template,
    )
    return asdict(parity)


def _probes(data: Path, speak: Speaker) -> list[Ids]:
    """Prompts to try a merged model on: test sentences, or questions, or what it was taught to answer."""
    found = [speak.translate(pair) for pair in islice(read_pairs(data / "test.jsonl"), PROBES)]
    if not found:
        draws = read_questions(data / "questions.jsonl")
        found = [speak.question(question) for question in draws[0][:PROBES]] if draws else []
    return found or [speak.request(record) for record in islice(read_records(data / "train.jsonl"), PROBES)]


def _as_trained(asked: ModelSpec, trained: Path | None) -> ModelSpec:
    """A model as a training left it: with an adapter, or with other weights where all were trained."""
    if trained is not None and is_model(trained):
        return replace(asked, folder=trained)
    return replace(asked, adapter=trained)
