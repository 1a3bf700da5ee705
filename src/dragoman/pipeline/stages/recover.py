"""The recovery stage: a trained model answers general prompts, and learns there what the backbone would say."""

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, NotRequired, Self, TypedDict, cast

import numpy as np

from dragoman.errors import DataError, Diverged
from dragoman.generation.ask import Ask, Sampling
from dragoman.generation.door import Asking, drive
from dragoman.pipeline.models.cast import Model, as_taught
from dragoman.pipeline.models.engines import answering, open_door
from dragoman.pipeline.models.metered import Metered
from dragoman.pipeline.models.speakers import device_name, speaker, spec_of
from dragoman.pipeline.rows import training_of
from dragoman.pipeline.stages.stage import Inputs, Made, Part, RunState, Stage, StageJob
from dragoman.pipeline.stages.train import dev_examples, general_examples, measured_on
from dragoman.prompts.examples import Example, ExampleTable, Ids, Segment, write_examples
from dragoman.recipe.schema import Recipe
from dragoman.recipe.training import Recovery
from dragoman.store import Artifact, write_atomic
from dragoman.training.validation import KINDS

ASKED = "the trained model"
"""What the door knows it as."""


class RecoverFacts(TypedDict):
    """What the manifest of a recovery says."""

    steps: int
    tokens: int
    loss: float
    """Divergence from the backbone along its own answers, in the last step."""
    device: str
    validation: NotRequired[list[tuple[int, float]]]
    """Steps, each with the validation loss after it; step 0 is the model as it was trained."""
    drift: NotRequired[dict[str, list[tuple[int, float]]]]
    """Kinds of text, each with steps and the drift from the backbone after them."""
    answers: int
    cut_off: int
    """Answers that ended at the limit."""
    failed: int
    """Prompts that were not answered; another answer was learnt in place of each."""
    generated: dict[str, float]
    """Answers, their tokens, and the engine's seconds."""


@dataclass(frozen=True, slots=True)
class Recover(StageJob[RecoverFacts]):
    """On-policy distillation of a row towards the backbone, in rounds: answers by the model as it is, then steps on
    these. Answering and learning have a process each; what is done of them is not done again.
    """

    made_by: ClassVar = 1
    holds_model: ClassVar = False

    recipe: Recipe
    start: Model
    row: str
    seed: int | None
    data: Path
    trained: Path
    """The adapter that the training left."""
    replay: Path
    out: Path
    cache: Path

    @classmethod
    def of(cls, stage: Stage, state: RunState, out: Path) -> Self:
        trained, replay = state.done[stage.needs[0]].folder / "adapter", state.done[_replay(stage)].folder
        start = state.start(stage.row, stage.seed)
        return cls(state.recipe, start, stage.row, stage.seed, state.data, trained, replay, out, state.cache)

    @staticmethod
    def inputs(stage: Stage, state: RunState) -> Inputs:
        recipe = state.recipe
        settings = training_of(recipe, stage.row, stage.seed)
        recovery = _wanted(settings.recovery)
        return measured_on(stage, state, settings) | {
            "trained": state.done[stage.needs[0]].digest("adapter/*"),
            "replay": state.done[_replay(stage)].digest("examples/*"),
            "backbone": state.start(stage.row, stage.seed).digest,
            "recovery": recovery.model_dump(),
            "training": settings.recovering(recovery).deciding(),
            "system": recipe.system,
            "engine": answering(recipe.generation),
            "precision": recipe.generation.precision,
        }

    @staticmethod
    def models(stage: Stage, state: RunState) -> list[tuple[Model, bool]]:
        return state.opened(stage)

    def run(self) -> Made[RecoverFacts]:
        shutil.rmtree(self.out / "rounds", ignore_errors=True)
        answered = [_read(one.notes) for one in self._every() if isinstance(one, _Answer)]
        facts = _read(_Learn(self, self.recovery.rounds).notes)
        facts |= {count: sum(one[count] for one in answered) for count in ("answers", "cut_off", "failed")}
        facts["generated"] = dict(sum((Counter(one["generated"]) for one in answered), Counter()))
        return Made(cast(RecoverFacts, facts), facts["answers"])

    def parts(self) -> Iterator[Part]:
        return (part for part in self._every() if not part.notes.exists())

    def _every(self) -> Iterator["_Answer | _Learn"]:
        for number in range(1, self.recovery.rounds + 1):
            yield _Answer(self, number)
            yield _Learn(self, number)

    @staticmethod
    def told(artifact: Artifact) -> list[str]:
        facts = Recover.facts(artifact)
        parts = [f"{facts['steps']:,} steps on {facts['answers']:,} answers of its own"]
        parts += [f"{facts['cut_off']:,} of them cut off at the limit"] * bool(facts["cut_off"])
        parts += [f"{facts['failed']:,} prompts not answered"] * bool(facts["failed"])
        if losses := facts.get("validation"):
            parts.append(f"validation loss {losses[0][1]:.3f} → {losses[-1][1]:.3f}")
        for kind, values in facts.get("drift", {}).items():
            parts.append(f"drift {values[0][1]:.3f} → {values[-1][1]:.3f} on {KINDS[kind]}")
        return parts

    @property
    def recovery(self) -> Recovery:
        return _wanted(training_of(self.recipe, self.row, self.seed).recovery)

    @property
    def label(self) -> str:
        return self.row + ("" if self.seed is None else f" with seed {self.seed}")

    def part(self, number: int) -> Path:
        """Where a round trains: the last one leaves the stage's own adapter, the others lead to it."""
        return self.out if number == self.recovery.rounds else self.out / "rounds" / str(number)

    def answers(self, number: int) -> Path:
        """The folder of a round's examples."""
        return self.out / "answers" / str(number)


@dataclass(frozen=True, slots=True)
class _Answer:
    """The answers of a round, by the model as the round before left it."""

    stage: Recover
    round: int

    @property
    def notes(self) -> Path:
        return self.stage.out / "notes" / f"answered-{self.round}.json"

    def run(self) -> None:
        stage, recovery = self.stage, self.stage.recovery
        recipe, speak = stage.recipe, speaker(stage.recipe, stage.start)
        adapter = stage.trained if self.round == 1 else stage.part(self.round - 1) / "adapter"
        settings = training_of(recipe, stage.row, stage.seed)
        prompts = _prompts(ExampleTable(stage.replay / "examples"), recovery, settings.seed, self.round)
        sampling = Sampling(recovery.max_tokens, speak.stop, 1.0, seed=settings.seed + self.round)
        asking = Metered(_own(prompts, sampling))
        models = {ASKED: replace(spec_of(stage.start, recipe.system), adapter=adapter)}
        with open_door(recipe.generation, stage.cache, models) as door:
            answered = drive(asking, door)
        if not answered.examples:
            raise DataError(
                f"{stage.row} answered none of the {len(prompts):,} prompts of its recovery (training.recovery), so "
                "there is nothing to learn on. Take the recovery out, or look why its engine fails."
            )
        filled = [answered.examples[number % len(answered.examples)] for number in range(len(prompts))]
        write_examples(stage.answers(self.round), 0, filled)
        counts = {"answers": len(answered.examples), "cut_off": answered.cut_off, "generated": asking.spent}
        write_atomic(self.notes, json.dumps({**counts, "failed": len(prompts) - len(answered.examples)}))


@dataclass(frozen=True, slots=True)
class _Learn:
    """The steps of a round, which go on from the state of the round before."""

    stage: Recover
    round: int

    @property
    def notes(self) -> Path:
        return self.stage.out / "notes" / f"learnt-{self.round}.json"

    def run(self) -> None:
        from dragoman.training.trainer import fit

        stage, recovery = self.stage, self.stage.recovery
        settings = training_of(stage.recipe, stage.row, stage.seed)
        part = stage.part(self.round)
        taught = as_taught(stage.recipe, stage.row, stage.start)
        dev, _ = dev_examples(stage.recipe, stage.row, taught, stage.data, part)
        try:
            result = fit(
                stage.start.path,
                ExampleTable(stage.answers(self.round)),
                settings.recovering(recovery),
                part,
                dev=dev,
                general=general_examples(stage.replay),
                start=stage.trained if self.round == 1 else None,
                before=stage.part(self.round - 1) if self.round > 1 else None,
                until=self.round if self.round < recovery.rounds else None,
                reverse=recovery.kl == "reverse",
                trust_remote_code=stage.start.trust_remote_code,
                bin_weights=stage.start.bin_weights,
                label=f"recovering {stage.label}",
                named=stage.start.name,
            )
        except Diverged as fault:
            raise Diverged(f"{fault} That was its recovery: the rate is training.recovery.learning_rate.") from None
        facts: dict[str, Any] = {"steps": result.steps, "tokens": result.tokens, "loss": result.loss}
        if dev:
            shutil.rmtree(dev.folder)
            facts["validation"] = sorted(result.validation.items())
        if result.drift:
            facts["drift"] = {kind: sorted(values.items()) for kind, values in result.drift.items()}
        write_atomic(self.notes, json.dumps({**facts, "device": device_name()}))


@dataclass(frozen=True, slots=True)
class _Answered:
    examples: list[Example]
    cut_off: int


def _own(prompts: Sequence[tuple[str, Ids]], sampling: Sampling) -> Asking[_Answered]:
    """Each prompt with whatever the model says to it, even if that is only the end: it has to unlearn that as well."""
    completions = yield Ask(ASKED, [ids for _, ids in prompts], sampling, "answers of its own")
    answered = [(*prompt, one) for prompt, one in zip(prompts, completions, strict=True) if one.ids]
    examples = [Example((Segment("prompt", ids, 0.0), Segment("own", one.ids)), key) for key, ids, one in answered]
    return _Answered(examples, sum(one.finish == "length" for *_, one in answered))


def _prompts(replay: ExampleTable, recovery: Recovery, seed: int, number: int) -> list[tuple[str, Ids]]:
    """Key and ids of a round's prompts: those of replay in a seeded order, all of them before any comes again."""
    order = np.random.default_rng((seed, 2)).permutation(len(replay))
    keys, prompt = replay.keys, replay.names.index("prompt")
    found = []
    for at in range((number - 1) * recovery.answers, number * recovery.answers):
        index = int(order[at % len(order)])
        row = replay[index]
        found.append((keys[index], tuple(row.ids[row.segments == prompt].tolist())))
    return found


def _replay(stage: Stage) -> str:
    assert stage.replay is not None, "a recovery needs general prompts"
    return stage.replay


def _wanted(recovery: Recovery | None) -> Recovery:
    assert recovery is not None, "there is no such stage without it"
    return recovery


def _read(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return read
