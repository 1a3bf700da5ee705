"""What a suite is: a class that knows what a benchmark is called, what it needs, and how models are asked and judged.

One instance is a suite as a recipe asks it: under a name, with its options. There are three ways to be judged, and
translation, which is the skill that is learnt:

    QuestionSuite   questions, each with a rule by which an answer is right or wrong; asked at once, of all suites
    JudgedSuite     asks by itself, and has the answers judged by another model or a rule of its own
    OutsideSuite    run by another program, in a process of its own
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Generic, Literal, NotRequired, Protocol, Self, TypedDict, TypeVar

from dragoman.corpora import catalog
from dragoman.corpora.records import Pair, Question, Turn, draw
from dragoman.generation.ask import Ask, Completion, Ids
from dragoman.recipe.engines import Generation, Server
from dragoman.recipe.judging import Benchmark, Evaluation, Judge
from dragoman.recipe.paths import below, there
from dragoman.recipe.schema import Chat, Recipe
from dragoman.sandbox.sandbox import require
from dragoman.store import Digests
from dragoman.suites._graded import Graded, Side

Part = Literal["judge", "guard"]
"""Who judges: another model in general, or one that says whether an answer is safe."""
Notes = Counter[str]
Files = tuple[catalog.Entry, tuple[str, ...]]
"""An entry of the catalogue, and those of its files that are needed."""
Asking = Generator[Ask, list[Completion], list[Graded]]
T = TypeVar("T")


class Speaker(Protocol):
    """What suites need of `prompts.speak.Speaker`."""

    @property
    def stop(self) -> Ids: ...

    @property
    def context(self) -> int | None: ...

    def of(self, model: str, /) -> "Speaker": ...

    def chat(self, text: str, /) -> Ids: ...

    def turns(self, turns: Sequence[Turn], /) -> Ids: ...

    def written(self, text: str, /) -> Ids: ...

    def question(self, question: Question, /) -> Ids: ...

    def decode(self, ids: Sequence[int], /) -> str: ...

    def translate(self, pair: Pair, /) -> Ids: ...

    def after(self, answer: str, pair: Pair, /) -> str: ...


@dataclass(frozen=True, slots=True)
class Count:
    """How many questions a suite asks of every model, and in each draw for the noise floor."""

    once: int
    again: int = 0
    characters: int = 0
    """Of the texts, questions and options that a benchmark puts into its prompts."""


@dataclass(frozen=True)
class Suite(ABC):
    """A suite as a recipe asks it. A class without `answers_to` is asked by what a recipe says under `benchmarks`."""

    kind: ClassVar[str]
    """What it is called: in `evaluate` where that is all there is to say, and under `benchmarks` as `kind`."""
    title: ClassVar[str]
    """What people call it."""
    side: ClassVar[Side] = "general"
    """An ability that is kept, or a skill that is learnt."""
    takes: ClassVar[type[Benchmark] | None] = None
    """What a recipe may say of it under `benchmarks`; None where nothing."""
    entry: ClassVar[str] = ""
    """What the catalogue calls it."""
    judged_by: ClassVar[Part | None] = None
    """Whom it asks about answers."""
    compares: ClassVar[bool] = False
    """Whether it asks the backbone as well, to compare its answers with the row's."""
    sandboxed: ClassVar[bool] = False
    """Whether programs that a model wrote are run."""

    name: str
    """What the recipe calls it."""
    options: Benchmark

    # Names

    @classmethod
    def match(cls, name: str) -> Benchmark | None:
        """What a name in `evaluate` stands for, where it is one of this suite's; None where it is none."""
        return (cls.takes or Benchmark).model_validate({"kind": cls.kind}) if name in cls.names() else None

    @classmethod
    def names(cls) -> Sequence[str]:
        """The names that it answers to, as far as they can be listed."""
        return (cls.kind,)

    @classmethod
    def examples(cls) -> Sequence[str]:
        """Where it answers to other names as well: what they look like."""
        return ()

    @classmethod
    def like(cls) -> Sequence[str]:
        """Names that somebody may have meant who wrote something like them."""
        return cls.names()

    @classmethod
    def hint(cls, name: str) -> str | None:
        """What is wrong with a name that was meant for this suite; None where it can't be told."""
        return None

    @classmethod
    def titles(cls) -> Mapping[str, str]:
        """What its scores are called, by their names."""
        return {cls.kind: cls.title}

    # What it needs

    def fault(self, recipe: Recipe) -> str | None:
        """What the recipe lacks for it."""
        part = self.judged_by
        if part and self.asked_of(recipe.evaluation) is None:
            return (
                f"asks for {self.kind}, which another model judges; name it, as in "
                f"`evaluation: {{{part}: {{model: …}}}}` (evaluation.{part}.model=… on the command line)"
            )
        return None

    def check(self, recipe: Recipe) -> None:
        """Raises DataError or EngineError where it could not begin. Opens no model."""
        if self.sandboxed:
            require()

    @property
    def judge(self) -> Judge | None:
        """Who judges this suite alone, and not the others of the recipe."""
        return self.options.judge if isinstance(self.options, JudgedOptions) else None

    def asked_of(self, settings: Evaluation) -> Judge | None:
        """Who judges it: its own judge, else the recipe's. None where there is none, or none is needed."""
        shared = {"judge": settings.judge, "guard": settings.guard}
        return self.judge or (shared[self.judged_by] if self.judged_by else None)

    @property
    def who(self) -> tuple[Part, str] | None:
        """As what it asks who judges, and under which name the recipe has them; None where it asks nobody."""
        if self.judged_by is None:
            return None
        return self.judged_by, f"benchmarks.{self.name}.judge" if self.judge else self.judged_by

    def converses(self, recipe: Recipe, own_prompt: bool) -> bool:
        """Whether it speaks to a model in its chat format. `own_prompt`: translations are asked for in another one."""
        return True

    def servers(self, recipe: Recipe) -> Sequence[Server]:
        """Servers that it asks by itself."""
        return ()

    # Files

    def places(self) -> dict[str, str]:
        """The files and folders that the recipe names for it, by the field that does."""
        return {} if self.options.path is None else {f"benchmarks.{self.name}.path": self.options.path}

    def wanted(self) -> list[Files]:
        """The files of the catalogue that it needs."""
        if self.options.path is not None or not self.entry:
            return []
        entry = catalog.find(self.entry)
        return [(entry, tuple(entry.files))]

    def files(self) -> list[Path]:
        """The recipe's own file or folder, or the files of the catalogue, fetched where they must be."""
        if self.options.path is not None:
            return [there(Path(self.options.path), self.name)]
        return [catalog.local(entry, path) for entry, paths in self.wanted() for path in paths]

    def inputs(self, recipe: Recipe, digests: Digests) -> Mapping[str, object] | None:
        """All that determines what it asks, by contents; None where that is told elsewhere."""
        contents = [digests.of(file) for file in below(self.files())]
        return {**self.options.model_dump(exclude={"judge"}), "contents": contents}

    def judging_inputs(self, recipe: Recipe, digests: Digests) -> Mapping[str, object]:
        """All that determines how answers are judged, beside what it asks and who judges."""
        return {}

    def spelled_out(self) -> Benchmark | None:
        """Its options with all that is meant where a recipe does not say; None where nothing is left unsaid."""
        return None

    @abstractmethod
    def count(self, settings: Evaluation) -> Count | None:
        """How much it asks; None where that can't be told before its files are here."""


class QuestionSuite(Suite):
    """Questions, each with a rule by which an answer is right or wrong. Those of all suites are asked at once."""

    fixed: ClassVar[bool] = True
    """One set of questions, asked once; else every draw has others, and the backbone's noise floor is known by them."""

    @abstractmethod
    def questions(self, number: int, settings: Evaluation) -> tuple[list[Question], Notes]:
        """The questions of a draw, and what had to be repaired or left out. DataError where there are none."""


class Material(TypedDict):
    """What a judged suite asks, as JSON holds it between the stages; each suite adds its own."""

    texts: list[str]
    """What nobody may learn from."""
    limit: NotRequired[int]
    """At most so many of them are asked."""


M = TypeVar("M", bound=Material)


class JudgedOptions(Benchmark):
    """Of a benchmark that another model judges."""

    judge: Judge | None = None
    """Who judges this suite; `evaluation.judge` when absent."""


class JudgedSuite(Suite, Generic[M]):
    """Asks by itself, and has the answers judged by another model or a rule of its own."""

    drawn: ClassVar[bool] = False
    """Answers are drawn and not greedy, so that another seed gives others: a noise floor can be measured."""

    @abstractmethod
    def read(self, files: Sequence[Path]) -> M:
        """What it asks, from its files or one folder. DataError where they are not what it takes."""

    @abstractmethod
    def ask(self, model: str, material: M, speak: Speaker, settings: Evaluation) -> Asking:
        """Asks `model`, then `judge` or `guard`, to whom `speak.of` speaks. The backbone's name is `backbone`."""

    def material(self) -> M:
        """What it asks, with the recipe's limit. Files are fetched where they must be."""
        found = self.read(self.files())
        if self.options.limit is not None:
            found["limit"] = self.options.limit
        return found

    def count(self, settings: Evaluation) -> Count | None:
        """By the catalogue where the files are not here yet. How long judgements take is not reckoned."""
        limit = self.options.limit
        for entry, paths in self.wanted():
            if not all(catalog.here(entry, path) for path in paths):
                most = max((part.records or 0 for part in entry.of("questions")), default=0)
                return Count(min(most, limit or most)) if most else None
        if self.options.path is not None and not Path(self.options.path).exists():
            return None
        texts = self.read(self.files())["texts"][:limit]
        return Count(len(texts), characters=sum(map(len, texts)))


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model as another program takes it: where it is, how it is spoken to, and where results are kept."""

    folder: Path
    generation: Generation
    cache: Path
    chat: Chat = "own"
    system: str | None = None
    trust_remote_code: bool = False
    bin_weights: bool = False


class OutsideSuite(Suite):
    """Run by another program in a process of its own, all suites of the class together."""

    @classmethod
    @abstractmethod
    def texts(cls, suites: Sequence[Self], settings: Evaluation) -> dict[str, list[str]]:
        """What nobody may learn from, by the suites' names."""

    @classmethod
    @abstractmethod
    def run(cls, suites: Sequence[Self], model: ModelFiles, settings: Evaluation) -> list[Graded]:
        """The model judged by each of them. What was done before is not done again."""

    def count(self, settings: Evaluation) -> Count | None:
        return Count(0)  # what another program takes is not reckoned


def chosen(items: Sequence[T], limit: int | None, seed: int, key: Callable[[T], str]) -> list[T]:
    """All of them, or as many as a limit says: drawn by the seed and a key of each, in the order they stand in."""
    order = sorted(range(len(items)), key=lambda at: draw(key(items[at]), "asked", seed))
    kept = set(order[:limit])
    return [item for at, item in enumerate(items) if at in kept]
