"""The examples stage: records become examples, chunk by chunk, by a row's method."""

import json
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import ClassVar, NamedTuple, Self, TypedDict

from dragoman.corpora.records import Learnt, requests_of
from dragoman.errors import DataError
from dragoman.generation.door import drive_all
from dragoman.methods import Lesson, Method
from dragoman.models.config import context_of
from dragoman.pipeline.data.limit import LEARNT, beside, kept
from dragoman.pipeline.data.record_files import chunks
from dragoman.pipeline.models.cast import Model, writer
from dragoman.pipeline.models.engines import ModelSpec, answering, open_door
from dragoman.pipeline.models.metered import Metered
from dragoman.pipeline.models.speakers import speaker, spec_of
from dragoman.pipeline.rows import learn_of, limit_of, method_of, rows, spelt_options
from dragoman.pipeline.stages.stage import Inputs, Made, RunState, Stage, StageJob
from dragoman.prompts.examples import Example, ExampleTable, write_examples
from dragoman.prompts.speak import Speaker
from dragoman.rationales.report import RationaleCounts, RationaleReport
from dragoman.recipe.schema import Recipe
from dragoman.store import Artifact, write_atomic
from dragoman.training.checkpoints import is_model

SAMPLES = 8  # examples kept as text, to be read on the page
CHUNK = 1024  # records that a method sees at a time, and that a part of a run is made of
TOGETHER = 16  # chunks whose asks are answered together, so that engines have enough to choose from
SHARDS_AN_ACTOR = 8  # of an ask, so that actors seldom wait for the last of it

SampleText = list[list[tuple[str, str]]]


class ExamplesFacts(TypedDict):
    """What the manifest of a row's examples says."""

    examples: int
    tokens: int
    trained: dict[str, int]
    """Trained tokens of each segment."""
    notes: dict[str, int]
    """What the method left out or changed."""
    generated: dict[str, float]
    """Answers, their tokens, and the engine's seconds."""
    rationales: RationaleCounts | None
    """The rationale report as JSON, if the method has rationales."""


@dataclass(frozen=True, slots=True)
class MakeExamples(StageJob[ExamplesFacts]):
    """The examples of a row. With an adapter, what the row started from is asked with the adapter on it.

    A finished chunk is not made again.
    """

    made_by: ClassVar = (
        *("corpora", "methods", "pipeline/data/limit.py", "pipeline/models/speakers.py"),
        *("pipeline/stages/examples.py", "prompts", "rationales"),
    )

    recipe: Recipe
    start: Model
    others: Mapping[str, Model]
    row: str
    adapter: Path | None
    data: Path
    out: Path
    cache: Path

    @classmethod
    def of(cls, stage: Stage, state: RunState, out: Path) -> Self:
        adapter = state.done[stage.before].folder / "adapter" if stage.before else None
        start = state.spoken(stage.row, stage.seed)
        return cls(state.recipe, start, state.cast.others, stage.row, adapter, state.data, out, state.cache)

    @staticmethod
    def inputs(stage: Stage, state: RunState) -> Inputs:
        recipe, data = state.recipe, state.done["data"]
        method, options = rows(recipe)[stage.row]
        start = state.spoken(stage.row, stage.seed)
        optional: Inputs = {"prompt": start.asked} if start.taught else {}
        for seen in method_of(recipe, stage.row).sees:
            optional[seen] = data.digest(beside(seen))
        if (limit := limit_of(recipe, stage.row)) is not None:
            optional["limit"] = limit
        if learn := learn_of(recipe, stage.row):
            optional["learn"] = learn.model_dump()
        return optional | {
            "pairs": data.digest(LEARNT) if LEARNT in learnt_from(method_of(recipe, stage.row)) else None,
            "method": method,
            "options": spelt_options(recipe, stage.row),
            "backbone": start.digest,
            "adapter": stage.before and state.done[stage.before].digest("adapter/*"),
            "writer": state.cast.others[name].digest if (name := writer(options)) else None,
            "system": recipe.system,
            "engine": answering(recipe.generation),
            "precision": recipe.generation.precision,
            "max_tokens": recipe.data.max_tokens,
        }

    @staticmethod
    def models(stage: Stage, state: RunState) -> list[tuple[Model, bool]]:
        named = writer(rows(state.recipe)[stage.row][1])
        return [*state.opened(stage), *([(state.cast.others[named], True)] if named else [])]

    def run(self) -> Made[ExamplesFacts]:
        out = self.out

        def missing(number: int) -> bool:
            return not _counted(out, number).exists()

        for number, lesson, sampled, spent in _lessons(
            self.recipe, self.start, self.others, self.row, self.adapter, self.data, self.cache, missing
        ):
            if lesson.examples:
                write_examples(out / "examples", number, lesson.examples)
                if not (out / "samples.json").exists():
                    write_atomic(out / "samples.json", json.dumps(sampled, ensure_ascii=False))
            report = lesson.report.to_json() if lesson.report else None
            kept = {"notes": lesson.notes, "rationales": report, "generated": spent}
            write_atomic(_counted(out, number), json.dumps(kept))
        facts = _counts(out, self.row)
        return Made(facts, facts["examples"])

    @staticmethod
    def told(artifact: Artifact) -> list[str]:
        facts = MakeExamples.facts(artifact)
        parts = [f"{facts['examples']:,} examples", f"{facts['tokens']:,} tokens"]
        parts += [f"{count:,} {what}" for what, count in facts["notes"].items()]
        if report := facts.get("rationales"):
            parts.append(RationaleReport.from_json(report).sentence())
        return parts


@dataclass(frozen=True, slots=True)
class AnswerPart:
    """Generates what the examples of some chunks need, and returns how many examples they will make.

    The answers go to the cache; a run without parts makes the examples. `part` is such as (2, 8).
    """

    recipe: Recipe
    start: Model
    others: Mapping[str, Model]
    row: str
    part: tuple[int, int]
    data: Path
    cache: Path

    def run(self) -> int:
        number, parts = self.part

        def of_part(chunk: int) -> bool:
            return chunk % parts == number - 1

        lessons = _lessons(self.recipe, self.start, self.others, self.row, None, self.data, self.cache, of_part)
        return sum(len(lesson.examples) for _, lesson, _, _ in lessons)


def longest_prefix(recipe: Recipe, context: int | None, speak: Speaker) -> int:
    """The most tokens of a request and its reference, leaving room for the turn's end, or at least for one token."""
    return min(recipe.data.max_tokens, (context or sys.maxsize) - max(1, len(speak.renderer.end)))


def learnt_from(method: Method) -> tuple[str, ...]:
    """The files that a method learns from; what it sees of other data follows pairs and conversations."""
    return (*(() if method.only else (LEARNT,)), *map(beside, method.sees))


def fits(record: Learnt, speak: Speaker, longest: int) -> bool:
    """Whether every request of a record, with its answer, has at most so many tokens."""
    return all(len(speak.prefix(one).ids) <= longest for one in requests_of(record))


def together_of(recipe: Recipe) -> int:
    """How many chunks ask together: many actors need many shards."""
    settings = recipe.generation
    actors = settings.ray.actors[1] if settings.engine == "ray" else 1
    return max(TOGETHER, math.ceil(SHARDS_AN_ACTOR * actors * settings.shard / CHUNK))


class _Chunk(NamedTuple):
    """What a method made of a chunk of records."""

    number: int
    lesson: Lesson
    samples: SampleText
    """Some of its examples as text."""
    generated: dict[str, float]


def _lessons(
    recipe: Recipe,
    start: Model,
    others: Mapping[str, Model],
    row: str,
    adapter: Path | None,
    data: Path,
    cache: Path,
    wanted: Callable[[int], bool],
) -> Iterator[_Chunk]:
    """The lessons of the wanted chunks. Several chunks ask together."""
    _, options = rows(recipe)[row]
    method = method_of(recipe, row)
    chosen = method.options.model_validate(spelt_options(recipe, row))
    speak = speaker(recipe, start, others)
    models = {name: spec_of(other, recipe.system) for name, other in others.items()}
    models["backbone"] = _as_trained(spec_of(start, recipe.system), adapter)
    served = None if adapter else writer(options) or "backbone"
    longest = longest_prefix(recipe, context_of(start.path), speak)
    learns = kept(data, limit_of(recipe, row), method.sees, learn_of(recipe, row), only=method.only)
    parted = (chunks(learns.records(data / name), CHUNK) for name in learnt_from(method))
    numbered = enumerate(chain.from_iterable(parted))
    with open_door(recipe.generation, cache, models, served=served) as answers:
        for together in chunks(((number, chunk) for number, chunk in numbered if wanted(number)), together_of(recipe)):
            speaks = {number: speak.counting(chunk, number * CHUNK) for number, chunk in together}
            fitting = {
                number: [record for record in chunk if fits(record, speaks[number], longest)]
                for number, chunk in together
            }
            makings = {
                str(number): Metered(method.make(some, speaks[number], chosen)) for number, some in fitting.items()
            }
            lessons = drive_all(makings, answers)
            for number, chunk in together:
                lesson = lessons[str(number)]
                if not number:
                    lesson.notes["left out: over the row's limit"] += learns.left_out
                lesson.notes[f"left out: longer than {longest:,} tokens"] += len(chunk) - len(fitting[number])
                yield _Chunk(number, lesson, samples(lesson.examples, speak), makings[str(number)].spent)


def _counts(out: Path, row: str) -> ExamplesFacts:
    """The counts of all chunks together. DataError if no record became an example."""
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
        "examples": len(table),
        "tokens": int(table.lengths.sum()),
        "trained": trained,
        "notes": {name: count for name, count in notes.items() if count},
        "generated": dict(generated),
        "rationales": sum(reports[1:], reports[0]).to_json() if reports else None,
    }


def _counted(out: Path, number: int) -> Path:
    """The chunk's file of counts, written last, so that its presence means that the chunk is done."""
    return out / "notes" / f"{number:06d}.json"


def samples(examples: Sequence[Example], speak: Speaker) -> SampleText:
    """Some examples to read: the names and texts of their segments."""
    chosen = examples[:: max(1, len(examples) // SAMPLES)][:SAMPLES]
    return [
        [(segment.name, speak.renderer.tokenizer.decode(list(segment.ids))) for segment in example.segments]
        for example in chosen
    ]


def _as_trained(spec: ModelSpec, trained: Path | None) -> ModelSpec:
    """A model after training: with an adapter, or with other weights if all were trained."""
    if trained is not None and is_model(trained):
        return replace(spec, folder=trained)
    return replace(spec, adapter=trained)
