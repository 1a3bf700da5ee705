"""The check before work begins: nothing starts that cannot finish."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from dragoman.corpora.records import requests_of
from dragoman.errors import DataError
from dragoman.models.config import context_of
from dragoman.pipeline.data.record_files import read_learnt, read_pairs, read_questions
from dragoman.pipeline.data.too_long import FRAME, question_bytes, record_bytes, too_long
from dragoman.pipeline.models.cast import Cast
from dragoman.pipeline.models.engines import check_engine
from dragoman.pipeline.models.speakers import check_voices, speaker, spec_of
from dragoman.pipeline.rows import method_of, rows
from dragoman.pipeline.stages import evaluate
from dragoman.pipeline.stages.examples import learnt_from, longest_prefix
from dragoman.prompts.speak import Speaker
from dragoman.recipe.schema import Recipe

TRIED = 64  # records that are rendered before work begins


@dataclass(frozen=True, slots=True)
class Checked:
    """Counts of what will be left out because it is too long for the backbone."""

    longest: int
    """The most tokens that a training example may have together with its request."""
    too_long: int = 0
    """The number of longer records."""
    no_room: int = 0
    """The number of questions that leave no room for an answer."""

    def remarks(self, recipe: Recipe, backbone: str) -> list[str]:
        """What a user should know about it."""
        found = []
        if self.too_long:
            what = "examples" if recipe.data.lessons or recipe.data.instructions else "pairs"
            found.append(
                f"{self.too_long:,} training {what} are longer than {self.longest:,} tokens with their "
                f"request (data.max_tokens, and the context of {backbone}): they will be left out."
            )
        if self.no_room:
            found.append(
                f"{self.no_room:,} questions leave no room for an answer in the context of {backbone}: they will "
                "not be asked, and count as wrong."
            )
        return found


@dataclass(frozen=True, slots=True)
class Check:
    """Checks that the engine can start and the chat template works on some records; counts what is too long for the
    model.

    Raises EngineError, TemplateError or DataError with what is wrong, before hours are spent.
    """

    recipe: Recipe
    cast: Cast
    data: Path

    def run(self) -> Checked:
        from dragoman.pipeline.models.check_models import check_models

        recipe, cast, data = self.recipe, self.cast, self.data
        backbone, others = cast.backbone, cast.others
        speak = speaker(recipe, backbone, others)
        check_voices(recipe, cast, speak)
        check_models(recipe, cast, speak)
        check_engine(recipe.generation, spec_of(next(iter(others.values()), backbone), recipe.system))
        if recipe.data.replay and any(source.own for source in recipe.data.replay.prompts):
            check_engine(recipe.generation, spec_of(backbone, recipe.system), "the beginning of a prompt (`own`)")
        evaluate.check(recipe, cast)
        learnt = dict.fromkeys(name for row in rows(recipe) for name in learnt_from(method_of(recipe, row)))
        taught = [speaker(recipe, voice) for voice in dict.fromkeys(cast.taught.values())]
        for name in learnt:
            for record in islice(read_learnt(data / name), TRIED):
                for one in requests_of(record):
                    for speaks in taught:
                        speaks.prefix(one)
        context = context_of(backbone.path)
        if context is None:
            return Checked(recipe.data.max_tokens)
        frame = FRAME + len((recipe.system or "").encode())
        asked = taught or [speak]
        tested = max(
            too_long(read_pairs(data / "test.jsonl"), one.translate, record_bytes, context, frame) for one in asked
        )
        questions = list(chain.from_iterable(read_questions(data / "questions.jsonl")))
        no_room = max(too_long(questions, one.question, question_bytes, context, frame) for one in asked)
        if tested:
            raise DataError(
                f"{tested:,} of the test sentences leave no room for a translation in the context of {backbone.name}, "
                f"{context:,} tokens. Leave them out, or take another backbone."
            )
        longest = longest_prefix(recipe, context, speak)
        left_out = max((self._too_long(learnt, one, longest, frame) for one in taught), default=0)
        return Checked(longest, left_out, no_room)

    def _too_long(self, learnt: Iterable[str], speak: Speaker, longest: int, frame: int) -> int:
        """How many records are longer than a row so spoken to can learn."""
        files = (read_learnt(self.data / name) for name in learnt)
        records = (one for record in chain.from_iterable(files) for one in requests_of(record))
        return too_long(records, lambda record: speak.prefix(record).ids, record_bytes, longest + 1, frame)
