"""The extend stage: what a row starts from gets a larger vocabulary, of pieces learnt from the recipe's data."""

import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar, Self, TypedDict, cast

from dragoman.corpora.records import Pair, Text
from dragoman.errors import DataError
from dragoman.methods import Vocabulary
from dragoman.pipeline.data.limit import LEARNT, beside
from dragoman.pipeline.data.record_files import read_learnt
from dragoman.pipeline.models.cast import Model
from dragoman.pipeline.rows import merged_before, start_in_words, vocabulary_of
from dragoman.pipeline.stages.stage import Inputs, Made, RunState, Stage, StageJob
from dragoman.recipe.schema import Recipe
from dragoman.store import Artifact

TEXTS = (beside("texts"), LEARNT)
"""The files that pieces are learnt from, by the data stage."""


class ExtendFacts(TypedDict):
    """What became of a vocabulary: `models.vocabulary.extend.Extension`."""

    pieces: int
    first: int
    rows_before: int
    rows_after: int
    characters: int
    tokens_before: int
    tokens_after: int
    samples: list[str]


@dataclass(frozen=True, slots=True)
class Extend(StageJob[ExtendFacts]):
    """Learns new pieces, and gives them to tokenizer and embeddings."""

    made_by: ClassVar = 1

    recipe: Recipe
    before: Model
    row: str
    data: Path
    out: Path

    @classmethod
    def of(cls, stage: Stage, state: RunState, out: Path) -> Self:
        return cls(state.recipe, state.before(stage.row, stage.seed), stage.row, state.data, out)

    @staticmethod
    def inputs(stage: Stage, state: RunState) -> Inputs:
        data = state.done["data"]
        return {
            "model": state.before(stage.row, stage.seed).digest,
            "vocabulary": _said(state.recipe, stage.row).model_dump(),
            "texts": {name: data.digest(name) for name in TEXTS if (data.folder / name).is_file()},
        }

    @staticmethod
    def models(stage: Stage, state: RunState) -> list[tuple[Model, bool]]:
        made_here = merged_before(state.recipe, stage.row, stage.seed)
        return [] if made_here else [(state.before(stage.row, stage.seed), True)]

    def run(self) -> Made[ExtendFacts]:
        from dragoman.models.vocabulary.extend import extend

        said, model = _said(self.recipe, self.row), self.out / "model"
        shutil.rmtree(model, ignore_errors=True)  # of a run that was cut off
        try:
            made = extend(
                self.before.path,
                model,
                texts_of(self.data, said.languages),
                said.pieces,
                start=said.start,
                trust_remote_code=self.before.trust_remote_code,
                bin_weights=self.before.bin_weights,
            )
        except DataError as error:
            raise DataError(f"methods: {self.row}: {error}") from error
        return Made(cast(ExtendFacts, asdict(made)))

    @staticmethod
    def told(artifact: Artifact) -> list[str]:
        return [sentence(Extend.facts(artifact))]


def sentence(facts: ExtendFacts) -> str:
    """What an extension made of a vocabulary."""
    before, after = facts["tokens_before"], facts["tokens_after"]
    fewer = f"; its text takes {1 - after / before:.0%} fewer tokens" if before else ""
    return f"{facts['pieces']:,} new pieces after {facts['first']:,}{fewer}"


def foretold(recipe: Recipe, row: str) -> str:
    """What an extension will do, in words."""
    said = _said(recipe, row)
    where = f"texts and pairs in {', '.join(said.languages)}" if said.languages else "the recipe's texts and pairs"
    return f"{said.pieces:,} pieces learnt from {where}, for {start_in_words(recipe, row, extended=False)}"


def _said(recipe: Recipe, row: str) -> Vocabulary:
    found = vocabulary_of(recipe, row)
    assert found
    return found


def texts_of(data: Path, languages: tuple[str, ...] = ()) -> Iterator[str]:
    """The data's texts, and the sides of its pairs, in these languages, or in all."""
    for path in (data / name for name in TEXTS):
        for record in read_learnt(path) if path.is_file() else ():
            if isinstance(record, Text):
                said = [(record.language, record.text)]
            elif isinstance(record, Pair):
                said = [(record.source_language, record.source), (record.target_language, record.target)]
            else:
                continue
            yield from (text for language, text in said if not languages or language in languages)
