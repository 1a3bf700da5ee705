"""Drift: how far a row has moved from the backbone, as the divergence of their next-token distributions.

It is no answer that is judged here, but the model itself, so the suite only says on which texts: general prompts with
the backbone's own answers, and test pairs with their references. Who holds both models measures.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypedDict

from dragoman.corpora.catalog import Entry
from dragoman.corpora.records import Pair, Turn, draw, evenly
from dragoman.generation.ask import Ask, Completion, Sampling
from dragoman.prompts.examples import AnsweredPrompt
from dragoman.recipe.fields import Positive
from dragoman.recipe.judging import Benchmark, Evaluation
from dragoman.recipe.schema import Recipe
from dragoman.store import Digests
from dragoman.suites import find
from dragoman.suites._judge import asked
from dragoman.suites._suite import Count, Material, MaterialSuite, QuestionSuite, Shown, Speaker

KINDS = {"general": "general prompts", "translation": "translation requests"}
"""The kinds of text that it is measured on, and their titles."""
Sums = tuple[float, float, float]
"""Of one text: how many positions count, and the sums over them of KL(backbone || row) and KL(row || backbone)."""


class Options(Benchmark):
    """How far a model has moved from the backbone."""

    prompts: str = "probes"
    """The suite of questions whose prompts are asked: `probes`, `lab`, or a .jsonl file of your own."""
    limit: Positive | None = 45
    """At most so many prompts, equally many of each family, and so many test pairs, by the seed; all when null."""


class Prompts(Material):
    """The general prompts."""

    keys: list[str]
    turns: list[list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Texts:
    """Kind → key → a text that drift is measured on, at the positions of its answer."""

    kinds: Mapping[str, Mapping[str, AnsweredPrompt]]


class DriftJson(TypedDict):
    """A `DriftResult` as stored on disk."""

    signature: str
    sums: dict[str, dict[str, list[float]]]
    lacking: str


@dataclass(frozen=True, slots=True)
class DriftResult:
    """How far one model has moved: kind → key of a text → its sums. If that can't be measured, why, in `lacking`."""

    signature: str
    sums: Mapping[str, Mapping[str, Sums]]
    lacking: str = ""

    def to_json(self) -> DriftJson:
        """Plain data that `from_json` reads back."""
        sums = {kind: {key: list(three) for key, three in texts.items()} for kind, texts in self.sums.items()}
        return {"signature": self.signature, "sums": sums, "lacking": self.lacking}

    @staticmethod
    def from_json(data: DriftJson) -> "DriftResult":
        sums = {
            kind: {key: (tokens, forward, reverse) for key, (tokens, forward, reverse) in texts.items()}
            for kind, texts in data["sums"].items()
        }
        return DriftResult(data["signature"], sums, data["lacking"])


class Drift(MaterialSuite[Prompts]):
    """Asks the backbone alone, and greedily: where its prompts' own suite is asked too, their answers are there."""

    kind = "drift"
    title = "drift from the backbone"
    takes = Options
    compares = True
    options: Options

    @classmethod
    def shown(cls) -> Mapping[str, Shown]:
        return {}

    def near(self) -> Mapping[str, Sequence[str]]:
        asked = find(self.options.prompts)
        return asked.near() if asked else {}

    def fault(self, recipe: Recipe) -> str | None:
        if not isinstance(find(self.options.prompts), QuestionSuite) or self.options.path is not None:
            return (
                f"asks for {self.name}, whose prompts are those of a suite of questions; name one, as in "
                f"`benchmarks: {{{self.name}: {{kind: {self.kind}, prompts: probes}}}}`, or a .jsonl file there"
            )
        if not recipe.methods and not recipe.compare:
            return (
                f"asks for {self.name}, how far rows have moved from the backbone, and has no other row; name some "
                "under methods or compare, or take the suite out"
            )
        if [name for name in recipe.evaluate if name in (self.kind, *_named(recipe, self.kind))][1:]:
            return f"asks for {self.kind} more than once; keep one"
        return super().fault(recipe)

    @property
    def source(self) -> QuestionSuite:
        """The suite that the general prompts are from."""
        found = find(self.options.prompts)
        assert isinstance(found, QuestionSuite), "`fault` refuses others"
        return found

    def material(self, settings: Evaluation) -> Prompts:
        limit = self.options.limit
        widened = settings if limit is None else settings.model_copy(update={"questions": limit})
        chosen = evenly(self.source.questions(0, widened)[0], lambda question: question.family, limit)
        return {
            "texts": ["\n\n".join(turn.whole for turn in question.turns) for question in chosen],
            "keys": [question.key for question in chosen],
            "turns": [[asdict(turn) for turn in question.turns] for question in chosen],
        }

    def ask(
        self, material: Prompts, pairs: Sequence[Pair], speak: Speaker, settings: Evaluation
    ) -> Generator[Ask, list[Completion], Texts]:
        """The texts; `speak` is the backbone's speaker."""
        prompts = [speak.turns([Turn(**turn) for turn in turns]) for turns in material["turns"]]
        sampling = Sampling(max_tokens=settings.max_tokens, stop=speak.stop)
        said = yield from asked("backbone", prompts, speak, sampling, "general prompts")
        answers = zip(material["keys"], prompts, said, strict=True)
        known = sorted((pair for pair in pairs if pair.target), key=lambda pair: draw(pair.key, "drift", settings.seed))
        chosen = evenly(known, lambda pair: pair.direction, self.options.limit)
        found = {
            "general": {key: AnsweredPrompt(prompt, one.ids) for key, prompt, one in answers if one and one.ids},
            "translation": {pair.key: speak.referenced(pair) for pair in chosen},
        }
        return Texts({kind: texts for kind, texts in found.items() if texts})

    def count(self, settings: Evaluation) -> Count | None:
        count = self.source.count(settings)
        return count and Count(min(count.once, self.options.limit or count.once))

    def converses(self, recipe: Recipe, own_prompt: bool) -> bool:
        return not own_prompt

    def places(self) -> dict[str, str]:
        return {f"benchmarks.{self.name}.prompts": path for path in self.source.places().values()}

    def wanted(self) -> list[tuple[Entry, tuple[str, ...]]]:
        return self.source.wanted()

    def files(self) -> list[Path]:
        return self.source.files()

    def inputs(self, recipe: Recipe, digests: Digests) -> Mapping[str, object]:
        return {**self.options.model_dump(), "contents": self.source.inputs(recipe, digests)}


SUITES = (Drift,)


def _named(recipe: Recipe, kind: str) -> list[str]:
    return [name for name, said in recipe.benchmarks.items() if said.kind == kind and name != kind]
