"""Training examples of a recipe as the model will see them, segment by segment."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from dragoman.corpora.records import Text
from dragoman.pipeline.data.limit import beside
from dragoman.pipeline.data.make_data import make_data
from dragoman.pipeline.data.record_files import read_learnt, read_records
from dragoman.pipeline.data.texts.gather import LEARNT as TEXTS
from dragoman.pipeline.models.cast import Model
from dragoman.pipeline.models.speakers import speaker
from dragoman.pipeline.plan import plan
from dragoman.pipeline.rows import method_of, rows, spelt_options
from dragoman.prompts.examples import ExampleTable
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker
from dragoman.recipe.schema import Recipe

JUDGED = ("ratings", "preferences")


@dataclass(frozen=True, slots=True)
class Part:
    """A segment as text, special tokens included; `trained` is false if it carries no loss."""

    name: str
    text: str
    tokens: int
    trained: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """An example of one method, or of replay (`row` is `replay`); of the data alone (`row` is empty) if no examples
    have been made yet.
    """

    row: str
    parts: tuple[Part, ...]


def made_of(recipe: Recipe, count: int) -> Iterator[Shown]:
    """`count` examples of each method for which a run has made some, and of replay; otherwise of the data.

    Nothing is generated or stored. If the backbone is not on this machine, there are none.
    """
    found = plan(recipe)
    if found.backbone.folder is None:
        return
    renderer = _renderer(recipe, found.backbone)
    made = {step.stage.row: step.artifact for step in found.steps if step.stage.kind == "examples" and step.artifact}
    for row in rows(recipe):
        if row in made:
            table = ExampleTable(made[row].folder / "examples")
            yield from (Shown(row, _stored(renderer, table, at)) for at in range(min(count, len(table))))
    replay = next((step.artifact for step in found.steps if step.stage.kind == "replay"), None)
    if replay:
        table = ExampleTable(replay.folder / "examples")
        yield from (Shown("replay", _stored(renderer, table, at)) for at in range(min(count, len(table))))
    if not made:
        speak = Speaker(renderer)
        with TemporaryDirectory() as folder:
            make_data(recipe, Path(folder))
            for record in islice(read_records(Path(folder) / "train.jsonl"), count):
                prefix = speak.prefix(record)
                runs = (("prompt", prefix.prompt), ("reference", prefix.reference), ("end", prefix.end))
                yield Shown("", tuple(_part(renderer, name, ids, name != "prompt") for name, ids in runs))
            texts = Path(folder) / TEXTS
            learnt = read_learnt(texts) if texts.is_file() else ()
            for text in islice((record for record in learnt if isinstance(record, Text)), count):
                ids, end = speak.document(text.text)
                yield Shown("", (_part(renderer, "text", ids, True), _part(renderer, "end", end, True)))
            for row in rows(recipe):
                for name in JUDGED:
                    if name in method_of(recipe, row).sees:
                        yield from _of_judged(recipe, row, found.cast.voice(row), Path(folder) / beside(name), count)


def _of_judged(recipe: Recipe, row: str, voice: Model, path: Path, count: int) -> Iterator[Shown]:
    """Some of what a row would make of the first judged translations."""
    method, speak = method_of(recipe, row), speaker(recipe, voice)
    records = list(islice(read_learnt(path), count))
    try:
        next(method.make(records, speak, method.options.model_validate(spelt_options(recipe, row))))
    except StopIteration as end:  # it asks nothing
        made, last = end.value.examples, len(end.value.examples) - 1
        for example in [made[at * last // max(1, count - 1)] for at in range(min(count, len(made)))]:
            parts = (_part(speak.renderer, one.name, one.ids, bool(one.weight)) for one in example.segments)
            yield Shown("", tuple(parts))


def _renderer(recipe: Recipe, backbone: Model) -> Renderer:
    return backbone.renderer(recipe.system)


def _stored(renderer: Renderer, table: ExampleTable, at: int) -> tuple[Part, ...]:
    row = table[at]
    numbers = list(dict.fromkeys(row.segments.tolist()))
    return tuple(
        _part(
            renderer,
            table.names[number],
            tuple(row.ids[row.segments == number].tolist()),
            bool(row.weights[row.segments == number].any()),
        )
        for number in numbers
    )


def _part(renderer: Renderer, name: str, ids: tuple[int, ...], trained: bool) -> Part:
    return Part(name, renderer.tokenizer.decode(list(ids)), len(ids), trained)
