"""The suite HumanEval: Python functions to complete, run against their tests in the sandbox."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from dragoman.corpora import catalog
from dragoman.corpora.records import Question
from dragoman.recipe.judging import Evaluation
from dragoman.recipe.schema import Recipe
from dragoman.store import Digests
from dragoman.suites._suite import Count, Notes, QuestionSuite
from dragoman.suites.humaneval.problems import humaneval
from dragoman.suites.humaneval.saved import TASK


class HumanEval(QuestionSuite):
    kind = "humaneval"
    title = "HumanEval"
    side = "skill"
    entry = "humaneval"
    sandboxed = True
    saved = (TASK,)

    def near(self) -> Mapping[str, Sequence[str]]:
        return {"code": (self.kind,)}

    def questions(self, number: int, settings: Evaluation) -> tuple[list[Question], Notes]:
        (path,) = self.files()
        return humaneval(path), Counter()

    def count(self, settings: Evaluation) -> Count:
        return Count(sum(part.records or 0 for part in catalog.find(self.entry).of("questions")))

    def files(self) -> list[Path]:
        entry = catalog.find(self.entry)
        (part,) = entry.of("questions")
        return [catalog.local(entry, part.paths[0])]

    def inputs(self, recipe: Recipe, digests: Digests) -> Mapping[str, object]:
        return {"contents": [digests.of(path) for path in self.files()]}


SUITES = (HumanEval,)
