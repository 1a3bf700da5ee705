"""What a suite must define: its names, what it needs, how many questions it asks, and how models are asked and judged.

An instance is a suite as a recipe asks it: with a name and options. There are three ways to be judged, besides
translation, which is the skill that is learnt, and drift, which is measured of the model itself:

    QuestionSuite   questions, each with a rule by which an answer is right or wrong; asked together, for all suites
    JudgedSuite     asks by itself, and has the answers judged by another model or by its own rule
    OutsideSuite    run by another program, in a process of its own
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Generic, Literal, Protocol, Self, TypedDict, TypeVar

from dragoman.corpora import catalog
from dragoman.corpora.records import Pair, Question, Turn, draw
from dragoman.generation.ask import Ask, Completion, Ids
from dragoman.paths import below, there
from dragoman.prompts.examples import AnsweredPrompt
from dragoman.recipe.engines import Generation, Server
from dragoman.recipe.judging import Benchmark, Chat, Evaluation, Judge
from dragoman.recipe.schema import Recipe
from dragoman.sandbox.sandbox import require
from dragoman.store import Digests
from dragoman.suites._graded import Graded, Side
from dragoman.suites._saved import SavedTask

Part = Literal["judge", "guard"]
"""The part that a judge plays: a judge in general, or a guard that says whether an answer is safe."""
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

    @property
    def alone(self) -> bool: ...

    def of(self, model: str, /) -> "Speaker": ...

    def chat(self, text: str, /) -> Ids: ...

    def turns(self, turns: Sequence[Turn], /) -> Ids: ...

    def written(self, text: str, /) -> Ids: ...

    def question(self, question: Question, /) -> Ids: ...

    def decode(self, ids: Sequence[int], /) -> str: ...

    def length(self, text: str, /) -> int: ...

    def translate(self, pair: Pair, /) -> Ids: ...

    def referenced(self, record: Pair, /) -> AnsweredPrompt: ...

    def after(self, answer: str, pair: Pair, /) -> str: ...


@dataclass(frozen=True, slots=True)
class Count:
    """How many questions a suite asks every model, and how many more in each draw for the noise floor."""

    once: int
    again: int = 0
    characters: int = 0
    """The characters of the texts, questions and options that a benchmark puts into its prompts."""


@dataclass(frozen=True, slots=True)
class Shown:
    """How a score is shown: what people call it (its name, if empty), and where it stands in tables."""

    title: str = ""
    heading: str = ""
    """The heading above it; if empty, its side decides."""
    rank: int = 0
    """Its rank below the heading."""
    side: Side = "general"
    """What a family of questions is about."""


@dataclass(frozen=True)
class Suite(ABC):
    """A suite as a recipe asks it. A class without `answers_to` is asked by what a recipe says under `benchmarks`."""

    kind: ClassVar[str]
    """Its name: in `evaluate` if there is nothing else to say, and under `benchmarks` as `kind`."""
    title: ClassVar[str]
    """Its title for people."""
    side: ClassVar[Side] = "general"
    """An ability that is kept, or a skill that is learnt."""
    heading: ClassVar[str] = ""
    """The heading of its scores in tables, if its side does not decide."""
    rank: ClassVar[int] = 0
    """Its rank below the heading."""
    takes: ClassVar[type[Benchmark] | None] = None
    """Its options under `benchmarks`; None if it has none there."""
    entry: ClassVar[str] = ""
    """Its name in the catalogue."""
    judged_by: ClassVar[Part | None] = None
    """Who judges its answers."""
    compares: ClassVar[bool] = False
    """Whether it asks the backbone too, to compare its answers with the row's."""
    sandboxed: ClassVar[bool] = False
    """Whether it runs programs that a model wrote."""
    saved: ClassVar[tuple[SavedTask, ...]] = ()
    """What of it `dragoman score --task` can score from saved files."""

    name: str
    """Its name in the recipe."""
    options: Benchmark

    # Names

    @classmethod
    def match(cls, name: str) -> Benchmark | None:
        """The options that a name in `evaluate` stands for, if the name is this suite's; otherwise None."""
        return (cls.takes or Benchmark).model_validate({"kind": cls.kind}) if name in cls.names() else None

    @classmethod
    def names(cls) -> Sequence[str]:
        """The names that it answers to, as far as they can be listed."""
        return (cls.kind,)

    @classmethod
    def examples(cls) -> Sequence[str]:
        """Examples of its names, if they can't all be listed."""
        return ()

    @classmethod
    def like(cls) -> Sequence[str]:
        """Names to suggest for a misspelt one."""
        return cls.names()

    @classmethod
    def hint(cls, name: str) -> str | None:
        """What is wrong with a name that was meant for this suite; None if unknown."""
        return None

    @classmethod
    def shown(cls) -> Mapping[str, Shown]:
        """How its scores are shown, by their names."""
        return {cls.kind: Shown(cls.title, cls.heading, cls.rank)}

    def near(self) -> Mapping[str, Sequence[str]]:
        """Kinds of general prompts (`data.replay`) that ask for the same as it, beside those of its scores' names, and
        the names of the scores that each is near to.
        """
        return {}

    # What it needs

    def fault(self, recipe: Recipe) -> str | None:
        """What the recipe lacks for it, or None."""
        part = self.judged_by
        if part and self.asked_of(recipe.evaluation) is None:
            return (
                f"asks for {self.kind}, which another model judges; name it, as in "
                f"`evaluation: {{{part}: {{model: …}}}}` (evaluation.{part}.model=… on the command line)"
            )
        return None

    def notes(self, settings: Evaluation) -> Notes:
        """Counts of what will be left out, as far as that can be told whenever a recipe is named.

        DataError, with file and line, if what was read for that is faulty.
        """
        return Counter()

    def check(self, recipe: Recipe) -> None:
        """Raises DataError or EngineError if it could not begin. Opens no model."""
        if self.sandboxed:
            require()

    @property
    def judge(self) -> Judge | None:
        """The judge of this suite alone, if the recipe gives it one."""
        return self.options.judge if isinstance(self.options, JudgedOptions) else None

    def asked_of(self, settings: Evaluation) -> Judge | None:
        """Its judge: its own, otherwise the recipe's. None if there is none, or none is needed."""
        shared = {"judge": settings.judge, "guard": settings.guard}
        return self.judge or (shared[self.judged_by] if self.judged_by else None)

    @property
    def who(self) -> tuple[Part, str] | None:
        """The part that its judge plays, and the judge's name in the recipe; None if it has no judge."""
        if self.judged_by is None:
            return None
        return self.judged_by, f"benchmarks.{self.name}.judge" if self.judge else self.judged_by

    def converses(self, recipe: Recipe, own_prompt: bool) -> bool:
        """Whether it uses a model's chat format. `own_prompt`: translations are asked for in another format."""
        return True

    def servers(self, recipe: Recipe) -> Sequence[Server]:
        """Servers that it asks by itself."""
        return ()

    # Files

    def places(self) -> dict[str, str]:
        """The files and folders that the recipe names for it, by field."""
        return {} if self.options.path is None else {f"benchmarks.{self.name}.path": self.options.path}

    def wanted(self) -> list[Files]:
        """The files of the catalogue that it needs."""
        if self.options.path is not None or not self.entry:
            return []
        entry = catalog.find(self.entry)
        return [(entry, tuple(entry.files))]

    def files(self) -> list[Path]:
        """The recipe's own file or folder, or the files of the catalogue, fetched if necessary."""
        if self.options.path is not None:
            return [there(Path(self.options.path), self.name)]
        return [catalog.local(entry, path) for entry, paths in self.wanted() for path in paths]

    def inputs(self, recipe: Recipe, digests: Digests) -> Mapping[str, object] | None:
        """Everything that determines what it asks, by contents; None if that is covered elsewhere."""
        contents = [digests.of(file) for file in below(self.files())]
        return {**self.options.model_dump(exclude={"judge"}), "contents": contents}

    def judging_inputs(self, recipe: Recipe, digests: Digests) -> Mapping[str, object]:
        """Everything that determines how answers are judged, besides the questions and the judge."""
        return {}

    def spelled_out(self) -> Benchmark | None:
        """Its options with all defaults filled in; None if there are none to fill in."""
        return None

    @abstractmethod
    def count(self, settings: Evaluation) -> Count | None:
        """How much it asks; None if that can't be told before its files are here."""


class QuestionSuite(Suite):
    """Questions, each with a rule by which an answer is right or wrong. Those of all suites are asked together."""

    fixed: ClassVar[bool] = True
    """Whether there is one set of questions, asked once; otherwise every draw has others, which give the backbone's
    noise floor.
    """

    @abstractmethod
    def questions(self, number: int, settings: Evaluation) -> tuple[list[Question], Notes]:
        """The questions of a draw, and counts of what was repaired or left out. DataError if there are none."""


class Material(TypedDict):
    """What a judged suite asks, as JSON stored between the stages; each suite adds its own fields."""

    texts: list[str]
    """What is asked; these texts must not be trained on."""


M = TypeVar("M", bound=Material)


class MaterialSuite(Suite, Generic[M]):
    """Its material is stored between the stages, under its name."""

    @abstractmethod
    def material(self, settings: Evaluation) -> M:
        """What it asks. DataError if its files are invalid."""


class JudgedOptions(Benchmark):
    """Of a benchmark that another model judges."""

    judge: Judge | None = None
    """Who judges this suite; `evaluation.judge` when absent."""


class JudgedSuite(MaterialSuite[M]):
    """Asks by itself, and has the answers judged by another model or by its own rule."""

    drawn: ClassVar[bool] = False
    """Whether answers are sampled rather than greedy, so that another seed gives others: then a noise floor can be
    measured.
    """

    @abstractmethod
    def read(self, files: Sequence[Path]) -> M:
        """What it asks, from its files or one folder. DataError if they are invalid."""

    def material(self, settings: Evaluation) -> M:
        return self.read(self.files())

    @abstractmethod
    def ask(self, model: str, material: M, speak: Speaker, settings: Evaluation) -> Asking:
        """Asks `model`, then `judge` or `guard`, whose speaker is `speak.of(…)`. The backbone's name is `backbone`."""

    def fault(self, recipe: Recipe) -> str | None:
        if not self.entry and self.options.path is None:
            said = f"`benchmarks: {{{self.name}: {{kind: {self.kind}, path: …}}}}`"
            return f"asks for {self.name}, which is read from a file of your own; name it, as in {said}"
        return super().fault(recipe)

    def chosen(self, items: Sequence[T], settings: Evaluation, key: Callable[[T], str]) -> list[T]:
        """All items, or as many as the recipe wants: drawn by the seed and a key of each, in the order of the file."""
        return chosen(items, self.options.limit, settings.seed, key)

    def count(self, settings: Evaluation) -> Count | None:
        """From the catalogue if the files are not here yet. The cost of judgements is not included."""
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
    """A model in the form that another program takes: where it is, how it is spoken to, where results are cached."""

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
        """The texts that must not be trained on, by the suites' names."""

    @classmethod
    @abstractmethod
    def run(cls, suites: Sequence[Self], model: ModelFiles, settings: Evaluation) -> list[Graded]:
        """Judges the model by each of them. Earlier results are not computed again."""

    def count(self, settings: Evaluation) -> Count | None:
        return Count(0)  # what another program takes is not reckoned


def chosen(items: Sequence[T], limit: int | None, seed: int, key: Callable[[T], str]) -> list[T]:
    """All items, or as many as the limit says: drawn by the seed and each item's key, in their order."""
    order = sorted(range(len(items)), key=lambda at: draw(key(items[at]), "asked", seed))
    kept = set(order[:limit])
    return [item for at, item in enumerate(items) if at in kept]
