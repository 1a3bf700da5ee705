"""What a stage is, and what each kind of stage says of itself.

A kind of stage is a subclass of `StageJob`, in a file of its own beside this one. It is a frozen dataclass whose fields
are what the work needs, and whose `run` does the work; it tells as well what determines the result, which code makes
it, and which models and artifacts it reads. `plan.py` puts the kinds in their order.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, NotRequired, Self, TypedDict, TypeVar, cast

from dragoman.pipeline.models.cast import Cast, Model
from dragoman.pipeline.rows import titled
from dragoman.recipe.schema import Recipe
from dragoman.store import Artifact, Store

Kind = Literal["data", "examples", "train", "merge", "evaluate", "report"]
Inputs = dict[str, Any]
"""All that determines a stage's result, in a form that JSON can hold: its fingerprint is made of it."""
Facts_co = TypeVar("Facts_co", bound=Mapping[str, object], covariant=True)


@dataclass(frozen=True, slots=True)
class Stage:
    """One piece of work: what it is, for which row of the table, and after which stages.

    Where a method refreshes its rationales, each epoch is a round of examples and training; `round`
    counts all but the last, which is 0 as where there is only one. Where each method is trained with
    several seeds, `seed` is the one that this stage is for: None for what all of them share.
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
        """The training of the round before, which this stage goes on from."""
        found = [need for need in self.needs if need.startswith("train-")]
        return found[0] if found and self.kind in ("examples", "train") else None


@dataclass(frozen=True, slots=True)
class RunState:
    """A recipe, its models, where its work is kept, and the stages that are done by now, by their titles."""

    recipe: Recipe
    cast: Cast
    store: Store
    done: dict[str, Artifact]

    @property
    def data(self) -> Path:
        """The folder that the data stage has written."""
        return self.done["data"].folder

    @property
    def cache(self) -> Path:
        """Where completions are kept."""
        return self.store.folder / "completions"


@dataclass(frozen=True, slots=True)
class Made(Generic[Facts_co]):
    """What came of a stage: what its manifest is to say, and how much work it was.

    One unit takes about as long as another of the same kind of stage, method and backbone: forecasts rely on it.
    """

    facts: Facts_co
    units: int = 1


class Rate(TypedDict):
    """How much work of which kind a stage was."""

    of: list[str]
    units: int


class Finish(TypedDict):
    """What every stage's manifest says, after the facts of its kind."""

    peak_memory: NotRequired[int]
    """Bytes; of stages that had a process of their own."""
    seconds: float
    rate: Rate
    finished: str
    versions: dict[str, str]


def finish_of(artifact: Artifact) -> Finish:
    """When a stage was finished, how long it took, and with which versions."""
    return cast(Finish, artifact.facts)


def finished(store: Store) -> list[Finish]:
    """What the manifests of all stages in a store say; analyses, which lie beside them, are none."""
    return [cast(Finish, facts) for facts in store.facts() if "rate" in facts]


class StageJob(ABC, Generic[Facts_co]):
    """The work of one kind of stage, and what a plan must know of it. Instances are pickled: they hold plain data."""

    made_by: ClassVar[int | tuple[str, ...]]
    """The code that makes the result, as paths below `dragoman`: when it changes, the stage is done again. Or a number
    that is raised when the same inputs come to mean another result, for stages that are costly to repeat: a reworded
    comment must not cost anyone a night of training."""
    holds_model: ClassVar[bool] = True
    """Whether it has a process of its own, so that the memory is given back."""

    @classmethod
    @abstractmethod
    def of(cls, stage: Stage, state: RunState, out: Path) -> Self:
        """The job that does a stage, in the folder `out`; all that the stage needs is done."""

    @staticmethod
    @abstractmethod
    def inputs(stage: Stage, state: RunState) -> Inputs:
        """What the stage's fingerprint is made of; all that the stage needs is done."""

    @abstractmethod
    def run(self) -> Made[Facts_co]:
        """Does the work. What an interrupted run left in the folder is gone on from."""

    @staticmethod
    @abstractmethod
    def told(artifact: Artifact) -> list[str]:
        """What came of it, in a few words; nothing that was dropped or cut goes unsaid."""

    @staticmethod
    def models(stage: Stage, state: RunState) -> list[tuple[Model, bool]]:
        """The models that it opens, and whether with their weights: a trained row's weights are an artifact."""
        return []

    @staticmethod
    def artifacts(stage: Stage, state: RunState) -> dict[str, tuple[Artifact, str]]:
        """The artifacts that it reads, by the titles of their stages, each with a pattern for the names of files."""
        return {title: (made, "*") for title, made in state.done.items() if title in (*stage.needs, "data")}

    @classmethod
    def facts(cls, artifact: Artifact) -> Facts_co:
        """What the manifest says of a stage of this kind."""
        return cast(Facts_co, artifact.facts)
