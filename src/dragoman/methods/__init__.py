"""Methods by name: what is taught. A method turns records into examples; it asks models and never holds one.

A method is one file of this folder: a class `Options` and a generator function named like the file. It yields `Ask`s,
is sent the completions, and returns a `Lesson`. Files whose names begin with `_` are helpers.

All else that the rest of Dragoman asks about a method stands in its file as well, as constants that are optional. They
are the fields of `Method` in capitals, such as `EXAMPLES`, `SEES`, `TITLE` or `BASELINE`. So is a function `forecast`,
which predicts what the method will make of so much data and ask for it, before anything is done:

    forecast(learnt: Amounts, options: Options, expected: Expected) -> Forecast

A method without one is expected to make `EXAMPLES` of each record, each from its reference alone.
"""

import importlib
import pkgutil
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal, Self

from pydantic import Discriminator, Tag, model_validator

from dragoman.corpora.amounts import Amounts, Volume
from dragoman.corpora.records import Learnt
from dragoman.generation.ask import Ask, Asking, Completion
from dragoman.prompts.examples import Example
from dragoman.prompts.speak import Speaker
from dragoman.rationales.report import RationaleReport
from dragoman.recipe.fields import Direction, Distinct, Positive, Strict
from dragoman.recipe.judging import RowPrompt
from dragoman.recipe.training import OwnTraining, Scale


class Elsewhere(Strict):
    """A row of another recipe, which has been run."""

    recipe: str
    """The other recipe's file. Relative paths count from where dragoman is run."""
    row: str
    """The row's name in its tables."""

    def __str__(self) -> str:
        return f"{self.row} of {self.recipe}"


class Learn(Strict):
    """Which of a recipe's pairs and conversations a row learns from: what is not named is not learnt."""

    directions: Annotated[tuple[Direction, ...], Distinct] = ()
    """Pairs and rated translations in these directions."""
    lessons: Annotated[tuple[str, ...], Distinct] = ()
    """Conversations of these sources of `data.lessons`, each by its corpus or the name of its file."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.directions or self.lessons):
            raise ValueError("names nothing; give directions, lessons, or both, or leave `learn` out to learn from all")
        return self


class Vocabulary(Strict):
    """New pieces for the vocabulary of what a row starts from."""

    pieces: Positive
    """How many."""
    languages: Annotated[tuple[str, ...], Distinct] = ()
    """Learnt from the recipe's texts and sides of pairs in these languages, as in `[zh]`; from all when empty."""
    start: Literal["pieces", "mean"] = "pieces"
    """Each new row of the embeddings starts as the mean of the old pieces that it is made of, or of all rows."""


Before = Annotated[
    Annotated[str, Tag("a row")] | Annotated[Elsewhere, Tag("elsewhere")],
    Discriminator(lambda said: "elsewhere" if isinstance(said, dict | Elsewhere) else "a row"),
]
"""The row that another starts from."""


class MethodOptions(Strict):
    """Options that every method has."""

    label: str | None = None
    """Name of this row in tables, where a method is used more than once."""
    training: OwnTraining | None = None
    """Training settings of this row alone, as in `{learning_rate: 3e-4, lora: {rank: 64}}`."""
    learn: Learn | None = None
    """Learn from these pairs and conversations alone, as in `{directions: [de-en, en-de]}` or `{lessons: [alpaca]}`;
    from all of them when absent."""
    limit: Positive | None = None
    """Learn from at most so many pairs of each direction and conversations of each language; a part of what a larger
    limit takes."""
    after: Before | None = None
    """Start from the finished model of another row, which is then this row's backbone: a row's name, or `{recipe: FILE,
    row: ROW}` of another recipe that has been run. The recipe's backbone when absent."""
    prompt: RowPrompt | None = None
    """How it is taught to translate, and asked for translations: as a published system, such as `alma`, in words of
    one's own, or in its `own` chat format with one of five instructions; as the recipe says when absent."""
    vocabulary: Vocabulary | None = None
    """Give the model that it starts from more pieces, as in `{pieces: 8000, languages: [zh]}`; embedding and head are
    then trained beside the adapter."""
    scale: Scale = 1.0
    """Take what was trained at this strength: 0 is the backbone, 1 all of it; `{first_layer: 0.5}` rises to 1 at the
    last layer. Rows that differ in nothing else share their training."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a method made of some records, and what it counted on the way."""

    examples: list[Example]
    notes: Counter[str] = field(default_factory=Counter)
    report: RationaleReport | None = None
    """The report on the rationales, if there are any."""


Making = Generator[Ask, list[Completion], Lesson]


@dataclass(frozen=True, slots=True)
class Expected:
    """The expected length of answers: as in earlier runs of this method and backbone, otherwise as assumed."""

    rationale: float
    """The tokens of a rationale."""
    own: float
    """The length of a backbone's own answer, in lengths of the reference."""
    measured: float | None = None
    """The tokens of an answer in an earlier run of the method."""

    def rationale_of(self, limit: int) -> float:
        return min(limit, self.measured or self.rationale)

    def own_answer(self, learnt: Volume, limit: int) -> float:
        return min(limit, self.measured or self.own * learnt.answered / max(1, learnt.records))


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a method is expected to make of so much data: examples, their tokens, their trained tokens, and its asks."""

    examples: float
    tokens: float
    trained: float
    asking: Asking | None = None
    what: str = ""
    """What it asks for, in the plural, as in "own answers"."""
    longer: float = 1.0
    """How long the trained model's answers will be, in lengths of the reference."""
    alike: str = ""
    """A key that two rows of the method share if one asks what the other asks, or a part of it."""
    known: bool = True
    """Whether the method says what it will ask for."""

    @staticmethod
    def of(learnt: Volume, *, inputs: bool = False, known: bool = True) -> "Forecast":
        """One example per record as it stands: the answers alone are trained, or with `inputs` the requests as well."""
        tokens = learnt.asked + learnt.answered
        return Forecast(learnt.records, tokens, tokens if inputs else learnt.answered, known=known)

    def beside(self, other: "Forecast") -> "Forecast":
        """This forecast plus the examples of another that asks for nothing."""
        return replace(
            self,
            examples=self.examples + other.examples,
            tokens=self.tokens + other.tokens,
            trained=self.trained + other.trained,
        )


@dataclass(frozen=True, slots=True)
class Method:
    """A method: its name, options and function."""

    name: str
    options: type[MethodOptions]
    make: Callable[[Sequence[Learnt], Speaker, MethodOptions], Making]
    examples: int = 1
    """Examples of each record. The batch grows with them, so that the number of steps is that of the other methods."""
    sees: tuple[str, ...] = ()
    """Other data that it needs, by field of a recipe's `data`, such as `instructions`: it follows pairs and lessons."""
    only: bool = False
    """Whether it learns from that other data only, and leaves pairs and lessons unread."""
    forecast: Callable[[Amounts, MethodOptions, Expected], Forecast] | None = None
    """What it will make of so much data; None if the method does not say."""
    title: str = ""
    """Its name in tables; that of its file when empty."""
    place: int = 0
    """Where tables list its rows among those of the methods that have a place; the others follow, as in the recipe."""
    baseline: Literal["abilities", "language"] | None = None
    """Other rows are compared with its row: their abilities, or what they do in the one language that both learnt."""
    rationales: bool = False
    """Whether it teaches rationales, so that rows may differ in who writes them."""
    regulariser: str = ""
    """The segment of the second term of its loss, if the references are the first (`dragoman analyze gradients`)."""
    published_cost: str = ""
    """What its paper says it cost, as a sentence under the table of costs."""


CONSTANTS = ("examples", "sees", "only", "title", "place", "baseline", "rationales", "regulariser", "published_cost")


def available() -> dict[str, Method]:
    """All methods in this folder by name; files that begin with `_` are helpers."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    modules = {name: importlib.import_module(f"{__name__}.{name}") for name in names}
    return {
        name: Method(
            name,
            module.Options,
            vars(module)[name],
            forecast=getattr(module, "forecast", None),
            **{constant: vars(module)[constant.upper()] for constant in CONSTANTS if hasattr(module, constant.upper())},
        )
        for name, module in modules.items()
    }
