"""The train stage: examples become an adapter, or other weights if all are trained."""

import math
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NotRequired, Self, TypedDict

from dragoman.corpora.records import Pair
from dragoman.errors import DataError
from dragoman.models.config import context_of
from dragoman.pipeline.data.limit import LEARNT
from dragoman.pipeline.data.record_files import chunks, read_learnt, read_lines, read_pairs
from dragoman.pipeline.data.texts.gather import HELD_OUT as HELD_OUT_TEXTS
from dragoman.pipeline.models.cast import Model
from dragoman.pipeline.models.speakers import device_name, speaker
from dragoman.pipeline.rows import method_of, own_options, rows, training_of, validated_on
from dragoman.pipeline.stages.examples import CHUNK, longest_prefix
from dragoman.pipeline.stages.replay import HELD_OUT
from dragoman.pipeline.stages.stage import Inputs, Made, RunState, Stage, StageJob
from dragoman.progress import note
from dragoman.prompts.examples import ExampleTable, write_examples
from dragoman.prompts.speak import Speaker
from dragoman.recipe.schema import Recipe
from dragoman.recipe.training import Training
from dragoman.store import Artifact
from dragoman.training.curriculum import Joined, sentence
from dragoman.training.hints import hints
from dragoman.training.validation import KINDS, over


class ValidationFacts(TypedDict):
    """What a training was validated on, and what came of it."""

    pairs: int
    """Pairs, or pieces of texts."""
    of: NotRequired[str]
    """`texts` if these are what it was validated on."""
    left_out: int
    """Pairs that are too long for the backbone."""
    losses: list[tuple[int, float]]
    """Steps, each with the validation loss after it; step 0 is the backbone itself."""
    kept: int
    """The step whose weights were kept."""


class TrainFacts(TypedDict):
    """What a training's manifest says. A later part of a training continues the counts of steps and tokens."""

    steps: int
    tokens: int
    loss: float
    device: str
    validation: NotRequired[ValidationFacts]
    curriculum: NotRequired[list[Joined]]
    """The intervals of directions, and when each joined."""
    drift: NotRequired[dict[str, list[tuple[int, float]]]]
    """Kinds of text, each with steps and the drift from the backbone after them, in nats a token."""
    over_budget: NotRequired[list[int]]
    """The steps after which drift was over `training.budget`: a training that this stops ended after the first."""
    hints: NotRequired[list[str]]
    """What to try where something went wrong."""


@dataclass(frozen=True, slots=True)
class Train(StageJob[TrainFacts]):
    """One training of a row, or one epoch of it. It continues `before`, and stops after epoch `until`."""

    made_by: ClassVar = 1

    recipe: Recipe
    start: Model
    row: str
    seed: int | None
    data: Path
    examples: Path
    out: Path
    replay: Path | None = None
    before: Path | None = None
    until: int | None = None

    @classmethod
    def of(cls, stage: Stage, state: RunState, out: Path) -> Self:
        examples = state.done[stage.needs[0]].folder
        before = state.done[stage.before].folder if stage.before else None
        start = state.spoken(stage.row, stage.seed)
        replay = state.done[stage.replay].folder if stage.replay else None
        until = stage.round or None
        return cls(state.recipe, start, stage.row, stage.seed, state.data, examples, out, replay, before, until)

    @staticmethod
    def inputs(stage: Stage, state: RunState) -> Inputs:
        settings = training_of(state.recipe, stage.row, stage.seed)
        inputs: Inputs = {
            "examples": state.done[stage.needs[0]].digest("examples/*"),
            "backbone": state.start(stage.row, stage.seed).digest,
            "training": settings.deciding(),
            "before": stage.before and state.done[stage.before].digest("adapter/*"),
            "until": stage.round or None,
        }
        if stage.replay:
            inputs["replay"] = state.done[stage.replay].digest("examples/*")
        return inputs | measured_on(stage, state, settings)

    @staticmethod
    def models(stage: Stage, state: RunState) -> list[tuple[Model, bool]]:
        return state.opened(stage)

    def run(self) -> Made[TrainFacts]:
        from dragoman.training.trainer import fit

        table = ExampleTable(self.examples / "examples")
        settings = training_of(self.recipe, self.row, self.seed)
        dev, left_out = dev_examples(self.recipe, self.row, self.start, self.data, self.out)
        label = f"training {self.row}" + ("" if self.seed is None else f" with seed {self.seed}")
        result = fit(
            self.start.path,
            table,
            settings,
            self.out,
            dev=dev,
            replay=ExampleTable(self.replay / "examples") if self.replay else None,
            general=general_examples(self.replay),
            directions=_directions(table, self.data) if settings.curriculum else None,
            before=self.before,
            until=self.until,
            trust_remote_code=self.start.trust_remote_code,
            bin_weights=self.start.bin_weights,
            label=label,
            named=self.start.name,
        )
        epochs = 1 if self.before or self.until else settings.epochs
        facts = TrainFacts(steps=result.steps, tokens=result.tokens, loss=result.loss, device=device_name())
        if dev:
            shutil.rmtree(dev.folder)
            losses = sorted(result.validation.items())
            facts["validation"] = ValidationFacts(pairs=len(dev), left_out=left_out, losses=losses, kept=result.kept)
            if validated_on(self.recipe, self.row) == "texts":
                facts["validation"]["of"] = "texts"
        if result.joined:
            facts["curriculum"] = list(result.joined)
        if result.drift:
            facts["drift"] = {kind: sorted(values.items()) for kind, values in result.drift.items()}
        if settings.budget:
            facts["over_budget"] = over(result.drift, settings.budget)
        if not self.until and (found := hints(list(read_lines(self.out / "metrics.jsonl")), settings)):
            facts["hints"] = found
            for hint in found:
                note(f"{label}  beware: {hint}")
        return Made(facts, min(math.ceil(epochs * len(table)), max(1, result.steps * settings.batch_size)))

    @staticmethod
    def told(artifact: Artifact) -> list[str]:
        facts = Train.facts(artifact)
        parts = [f"{facts['steps']:,} steps", f"loss {facts['loss']:.3f}"]
        kinds = dict(KINDS)
        if validated := facts.get("validation"):
            kinds |= {"translation": "dev texts"} if validated.get("of") == "texts" else {}
            losses = dict(validated["losses"])
            parts.append(f"validation loss {losses[0]:.3f} → {losses[max(losses)]:.3f}")
            if (kept := validated["kept"]) != facts["steps"]:
                parts.append(f"kept what it was after step {kept:,}, at {losses[kept]:.3f}")
            left_out = validated["left_out"]
            parts += [f"{left_out:,} dev pairs left out: too long for the backbone"] * bool(left_out)
        if joined := facts.get("curriculum"):
            parts.append(f"curriculum: {sentence(joined)}")
        parts += [f"drift {values[-1][1]:.3f} on {kinds[kind]}" for kind, values in facts.get("drift", {}).items()]
        parts += ["never over its budget"] * (facts.get("over_budget") == [])
        return parts


def measured_on(stage: Stage, state: RunState, settings: Training) -> Inputs:
    """What a training is measured on, for its fingerprint; empty where there is nothing, so that the names of trainings
    from before there was any stay.
    """
    found: Inputs = {}
    if stage.replay and settings.lora:
        general = state.done[stage.replay].digest(f"{HELD_OUT}/*")
        found["drift"] = {"general": general, "every": settings.validate_every}
    on = validated_on(state.recipe, stage.row)
    if on == "texts":
        method, options = rows(state.recipe)[stage.row]
        texts = state.done["data"].digest(HELD_OUT_TEXTS)
        said = {"method": method, "options": own_options(options)}
        found["validation"] = {"texts": texts, **said, "every": settings.validate_every}
    elif on == "pairs":
        found["validation"] = {
            "pairs": state.done["data"].digest("dev.jsonl"),
            "system": state.recipe.system,
            "max_tokens": state.recipe.data.max_tokens,
            "every": settings.validate_every,
        }
        if (spoken := state.spoken(stage.row, stage.seed)).taught:
            found["validation"]["prompt"] = spoken.asked
    return found


def _directions(table: ExampleTable, data: Path) -> list[str]:
    """The direction of each example by the pair that it was made of; empty where it was made of something else."""
    known = {pair.key: pair.direction for pair in read_learnt(data / LEARNT) if isinstance(pair, Pair)}
    return [known.get(key.partition("#")[0], "") for key in table.keys]


def general_examples(replay: Path | None) -> ExampleTable | None:
    """The answers to general prompts that drift is measured on, if there are any."""
    folder = replay and replay / HELD_OUT
    return ExampleTable(folder) if folder and folder.is_dir() else None


def dev_examples(recipe: Recipe, row: str, start: Model, data: Path, out: Path) -> tuple[ExampleTable | None, int]:
    """What a row is validated on, and how much of it is too long; None if there is nothing.

    Held-out texts are cut as the row's method cuts texts; dev pairs are as plain fine-tuning would learn them, whatever
    the method. They are written to `out/dev`. DataError if no example comes of them.
    """
    on = validated_on(recipe, row)
    if on is None:
        return None, 0
    shutil.rmtree(out / "dev", ignore_errors=True)  # of a run that was cut off
    speak = speaker(recipe, start)
    if on == "texts":
        return _dev_texts(recipe, row, speak, data, out), 0
    longest = longest_prefix(recipe, context_of(start.path), speak)
    left_out = 0
    for number, chunk in enumerate(chunks(read_pairs(data / "dev.jsonl"), CHUNK)):
        counting = speak.counting(chunk, number * CHUNK)
        prefixes = [prefix for prefix in map(counting.prefix, chunk) if len(prefix.ids) <= longest]
        left_out += len(chunk) - len(prefixes)
        if prefixes:
            write_examples(out / "dev", number, [speak.example(prefix) for prefix in prefixes])
    if not (out / "dev").exists():
        raise DataError(f"all {left_out:,} dev pairs are longer than {longest:,} tokens with their request")
    return ExampleTable(out / "dev"), left_out


def _dev_texts(recipe: Recipe, row: str, speak: Speaker, data: Path, out: Path) -> ExampleTable:
    method = method_of(recipe, row)
    options = method.options.model_validate(own_options(rows(recipe)[row][1]))
    for number, chunk in enumerate(chunks(read_learnt(data / HELD_OUT_TEXTS), CHUNK)):
        making = method.make(chunk, speak, options)
        try:
            next(making)
        except StopIteration as end:  # texts are learnt as they stand, so nothing is asked
            if end.value.examples:
                write_examples(out / "dev", number, end.value.examples)
    if not (out / "dev").exists():
        raise DataError(
            f"the texts that {row} is validated on make no example; hold out more of them (`dev` in data.texts), or "
            "lower its block"
        )
    return ExampleTable(out / "dev")
