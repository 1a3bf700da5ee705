"""What a stage is, and what each kind of stage must define.

A kind of stage is a subclass of `StageJob`, in a file of its own beside this one: a frozen dataclass whose fields are
what the work needs, and whose `run` does it. It also says what determines the result, which code makes it, and which
models and artifacts it reads. `plan.py` puts the stages in order.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, NotRequired, Protocol, Self, TypedDict, TypeVar, cast

from dragoman.pipeline.models.cast import Cast, Model, as_taught, spoken_to
from dragoman.pipeline.rows import after_of, begins_with, extended, starts_apart, titled
from dragoman.recipe.schema import Recipe
from dragoman.store import Artifact, Store, fingerprint

Kind = Literal["data", "extend", "replay", "examples", "train", "recover", "merge", "evaluate", "report"]
Inputs = dict[str, Any]
"""Everything that determines a stage's result, as JSON; its fingerprint is made from it."""
Facts_co = TypeVar("Facts_co", bound=Mapping[str, object], covariant=True)


@dataclass(frozen=True, slots=True)
class Stage:
    """One piece of work: its kind, its row of the table, and the stages it needs.

    If a method refreshes its rationales, each epoch is a round of examples and training; `round` counts all but the
    last, which is 0, as if there were only one. If each method is trained with several seeds, `seed` is the one that
    this stage is for, or None for what all of them share.
    """

    kind: Kind
    row: str
    needs: tuple[str, ...] = ()
    round: int = 0
    seed: int | None = None

    @property
    def title(self) -> str:
        return titled(self.kind, self.row, self.round, self.seed) if self.row else self.kind

    @property
    def before(self) -> str | None:
        """The training of the previous round, which this stage continues from."""
        found = [need for need in self.needs if need.startswith("train-")]
        return found[0] if found and self.kind in ("examples", "train") else None

    @property
    def replay(self) -> str | None:
        """The replay that this stage reads, if it does."""
        return next((need for need in self.needs if need.split("-")[0] == "replay"), None)


@dataclass(frozen=True, slots=True)
class RunState:
    """A recipe, its models, its store, and the stages that are done so far, by title."""

    recipe: Recipe
    cast: Cast
    store: Store
    done: dict[str, Artifact]
    elsewhere: Mapping[tuple[str, int | None], Model] = field(default_factory=dict)
    """The models that rows with a seed start from, where these are rows of other recipes."""

    @property
    def data(self) -> Path:
        """The folder that the data stage has written."""
        return self.done["data"].folder

    @property
    def cache(self) -> Path:
        """The folder of cached completions."""
        return self.store.folder / "completions"

    def start(self, row: str, seed: int | None = None) -> Model:
        """The model that a row starts from, to be asked and trained: the backbone, or the model of the row before; or
        that with a larger vocabulary.
        """
        found, title = self.before(row, seed), extended(self.recipe, row, seed)
        return extended_model(found, self.done[title]) if title else found

    def before(self, row: str, seed: int | None = None) -> Model:
        """The same, before its vocabulary is extended."""
        before = after_of(self.recipe, row)
        if before is None:
            return self.cast.backbone
        if not isinstance(before, str):
            return self.elsewhere[row, seed]
        return finished_model(self.cast.backbone, before, self.done[titled("merge", before, seed=seed)])

    def spoken(self, row: str, seed: int | None = None) -> Model:
        """The model that a row starts from, spoken to as the row is taught to be."""
        return as_taught(self.recipe, row, self.start(row, seed))

    def opened(self, stage: Stage) -> list[tuple[Model, bool]]:
        """For `StageJob.models`: what a stage's row starts from, unless it is an artifact that the stage needs."""
        made_here = begins_with(self.recipe, stage.row, stage.seed)
        return [] if made_here else [(self.start(stage.row, stage.seed), True)]

    def voice(self, row: str, seed: int | None = None) -> Model:
        """The model whose vocabulary and chat format a judged row has."""
        if not starts_apart(self.recipe, row):
            return self.cast.voice(row)
        merged = self.done[titled("merge", row, seed=seed)]
        return as_taught(self.recipe, row, finished_model(self.cast.backbone, row, merged))


def extended_model(model: Model, made: Artifact) -> Model:
    """A model with the larger vocabulary that it was given, spoken to as before."""
    own = replace(model, folder=made.folder / "model", digest=fingerprint([made.digest("model/*")]), chat="own")
    return spoken_to(own, model.chat, model.prompt)


def finished_model(backbone: Model, row: str, merged: Artifact) -> Model:
    """What a row became, with the chat template that it carries."""
    folder, digest = merged.folder / "model", fingerprint([merged.digest("model/*")])
    return replace(backbone, name=row, folder=folder, digest=digest, chat="own", prompt="own")


@dataclass(frozen=True, slots=True)
class Made(Generic[Facts_co]):
    """A stage's outcome: the facts for its manifest, and how much work it was.

    One unit takes about as long as another of the same kind of stage, method and backbone: forecasts rely on it.
    """

    facts: Facts_co
    units: int = 1


class Rate(TypedDict):
    """How much work of which kind a stage was."""

    of: list[str]
    units: int


class Finish(TypedDict):
    """What every stage's manifest says after the facts of its kind."""

    peak_memory: NotRequired[int]
    """In bytes; only for stages that had a process of their own."""
    seconds: float
    rate: Rate
    finished: str
    versions: dict[str, str]


def finish_of(artifact: Artifact) -> Finish:
    """When a stage was finished, how long it took, and with which versions."""
    return cast(Finish, artifact.facts)


def finished(store: Store) -> list[Finish]:
    """The facts of all stages in a store, without the analyses beside them."""
    return [cast(Finish, facts) for facts in store.facts() if "rate" in facts]


class Part(Protocol):
    """Work of a stage that has a process of its own."""

    def run(self) -> None:
        """Does it, and leaves what it made in the stage's folder."""


class StageJob(ABC, Generic[Facts_co]):
    """The work of one kind of stage, and what a plan must know of it. Instances are pickled: they hold plain data."""

    made_by: ClassVar[int | tuple[str, ...]]
    """The code that makes the result, as paths below `dragoman`: if it changes, the stage is done again. Or, for
    stages that are costly to repeat, a number that is raised when the same inputs come to mean another result: a
    reworded comment must not cost anyone a night of training.
    """
    holds_model: ClassVar[bool] = True
    """Whether it gets a process of its own, so that its memory is freed."""

    @classmethod
    @abstractmethod
    def of(cls, stage: Stage, state: RunState, out: Path) -> Self:
        """The job for a stage, working in the folder `out`; everything that the stage needs is done."""

    @staticmethod
    @abstractmethod
    def inputs(stage: Stage, state: RunState) -> Inputs:
        """What the stage's fingerprint is made from; everything that the stage needs is done."""

    @abstractmethod
    def run(self) -> Made[Facts_co]:
        """Does the work, continuing from what an interrupted run left in the folder."""

    def parts(self) -> Iterable[Part]:
        """Work that comes before `run`, one after another, without what an interrupted run has done."""
        return ()

    @staticmethod
    @abstractmethod
    def told(artifact: Artifact) -> list[str]:
        """The outcome in a few words; everything that was dropped or cut is mentioned."""

    @staticmethod
    def models(stage: Stage, state: RunState) -> list[tuple[Model, bool]]:
        """The models that it opens, and whether with their weights: a trained row's weights are an artifact."""
        return []

    @staticmethod
    def artifacts(stage: Stage, state: RunState) -> dict[str, tuple[Artifact, str]]:
        """The artifacts that it reads, by the titles of their stages, each with a pattern of file names."""
        return {title: (made, "*") for title, made in state.done.items() if title in (*stage.needs, "data")}

    @classmethod
    def facts(cls, artifact: Artifact) -> Facts_co:
        """The facts in the manifest of a stage of this kind."""
        return cast(Facts_co, artifact.facts)
