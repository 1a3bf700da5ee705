"""Training: fits an adapter, or all weights, with a thin extension of transformers' `Trainer`.

What the `Trainer` brings (resuming, schedules, DDP, FSDP, DeepSpeed, trackers) is its own. Two things differ here: it
gets whole optimizer steps, already cut into micro-batches, so that the mean is over all trained tokens of the step;
and the loss of each segment is logged separately.
"""

import contextlib
import json
import math
import shutil
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from accelerate import PartialState
from peft import PeftModel
from transformers import PreTrainedModel, set_seed
from transformers.utils import is_flash_attn_2_available

from dragoman.errors import TrainingError
from dragoman.models import attention
from dragoman.models.loading import Precision, load_model, pick_device, pick_dtype
from dragoman.models.outline import places_of, vocabulary_of
from dragoman.progress import note, progress
from dragoman.prompts.examples import SEGMENTS, ExampleTable
from dragoman.recipe.training import Training
from dragoman.training import checkpoints, validation
from dragoman.training.adapters import adapt, take_weights
from dragoman.training.arguments import arguments_of
from dragoman.training.batching import Batcher, Mixture, Order, ReplayOrder
from dragoman.training.curriculum import Joined, course, sentence
from dragoman.training.losses import gates
from dragoman.training.losses.loss import teach_forward
from dragoman.training.steps import MetricsLog, StepTrainer
from dragoman.training.validation import Drift

# Width of packed lines where attention looks at the whole line to find its blocks.
PACKED_LINE = 2048

# Without `save_every`, checkpoints are so many seconds apart; of a large model more, so that writing
# them (at a gigabyte a second, as disks do that are not slow) takes no more than a twentieth of the time.
SAVE_SECONDS = 60.0
SAVE_BYTES_A_SECOND = 1e9 / 20


@dataclass(frozen=True, slots=True)
class Fit:
    """A finished training: where the adapter is (or the model, if all weights were trained), and what it took."""

    adapter: Path
    steps: int
    tokens: int
    seconds: float
    loss: float
    validation: Mapping[int, float] = field(default_factory=dict)
    """Step → validation loss."""
    drift: Drift = field(default_factory=dict)
    kept: int = 0
    """The step whose weights these are: the last, or the best."""
    joined: Sequence[Joined] = ()
    """The intervals of a curriculum, and when each joined."""


def fit(
    model: str | Path,
    examples: ExampleTable,
    settings: Training,
    out: Path,
    *,
    replay: ExampleTable | None = None,
    dev: ExampleTable | None = None,
    general: ExampleTable | None = None,
    start: Path | None = None,
    directions: Sequence[str] | None = None,
    before: Path | None = None,
    until: int | None = None,
    reverse: bool = False,
    trust_remote_code: bool = False,
    bin_weights: bool = False,
    revision: str | None = None,
    label: str = "training",
    named: str | None = None,
) -> Fit:
    """Trains a LoRA adapter on the examples, into `out/adapter`; the losses of each step are in `out/metrics.jsonl`.

    Without `settings.lora` all weights are trained, and `out/adapter` is a model, in fp32. The adapter names as its
    base model `named`, if given, instead of the folder that the model was loaded from.

    The adapter begins with the weights of that in `start`, if given. Soft labels are KL(backbone || model), or its
    `reverse`.

    Where `settings.curriculum` is set, `directions` are those of the examples, empty where one has none.

    Where `settings.replay` is set, examples of `replay` are learnt beside the others, with a mean of their own.

    The loss on the examples of `dev`, if given, is measured before the first step and after some others. It decides
    which weights are left where `settings.keep` is "best". With an adapter, drift from the backbone is measured
    too, and on the examples of `general`; `settings.budget` says what comes of too much.

    Resumes from the newest complete checkpoint in `out/checkpoints`. A training may be split into parts, each on
    other examples: `until` stops it after that epoch and keeps its state, and `before` is the folder of the part
    whose state this one continues from. Raises a TrainingError at the start if there is nothing to train on, or later
    if the loss is not a number; and a StoreError if the disk has no room for checkpoints of all weights.
    """
    mixture = Mixture(examples, replay if settings.replay else None, settings)
    whole = settings.lora is None
    held_out = [table for table in (dev, None if whole else general) if table]
    for table in mixture.tables:
        _check(table, [name for name, how in settings.segments.items() if how.weight])
    for table in held_out:
        _check(table)
    _check_mixture(mixture, settings)
    keep_best = settings.keep == "best"
    if keep_best and not dev:
        raise TrainingError("training.keep is `best`, and there are no dev pairs to tell it by. Name some (data.dev).")
    if settings.budget and not held_out:
        raise TrainingError(
            "training.budget is set, and there is nothing to measure drift on: of fewer than ten replay examples none "
            "is held out. Name more prompts (data.replay), or dev pairs (data.dev)."
        )
    started = time.monotonic()
    folder = out / "checkpoints"
    folder.mkdir(parents=True, exist_ok=True)
    device = pick_device()
    precision: Precision = "bf16" if pick_dtype(settings.precision, device) == torch.bfloat16 else "fp32"
    validated = validation.moments(settings, len(examples), sum(map(len, held_out))) if held_out else frozenset[int]()
    arguments = arguments_of(settings, folder, len(examples), autocast=whole and precision == "bf16")
    set_seed(settings.seed)
    # A step of Adam is often smaller than a thousandth of the weight. bf16 has eight bits: in it most steps would
    # be rounded away, and nothing learnt. So weights that are trained are kept in fp32, as are Adam's moments,
    # and only the products are made in bf16 (autocast).
    backbone = load_model(
        model,
        precision="fp32" if whole else precision,
        device="cpu",
        trust_remote_code=trust_remote_code,
        bin_weights=bin_weights,
        revision=revision,
    )
    teach_forward(backbone, gates.in_loss(mixture))
    for table in (*mixture.tables, *held_out):
        _check_fits(table, backbone)
    line = choose_attention(backbone, settings, device, precision)
    surprises = gates.surprising(backbone, mixture, settings.batch_tokens, arguments.device, label)
    if surprises is not None:
        mixture.leave_out(surprises)
    network = backbone if settings.lora is None else adapt(backbone, settings.lora, settings.embeddings or False)
    if start is not None and isinstance(network, PeftModel):
        take_weights(network, start)
    weights = sum(weight.numel() for weight in network.parameters() if weight.requires_grad)
    if whole and arguments.should_save:
        _check_whole(backbone, folder, weights, keep_best)
    if before is not None and checkpoints.newest(folder) is None and arguments.should_save:
        _take_up(before, out)
    PartialState().wait_for_everyone()
    last = checkpoints.newest(folder)
    identity: dict[str, object] = {"model": str(model), "examples": len(examples)}
    if settings.replay:
        identity["replay examples"] = len(mixture) - len(examples)
    if dev:
        identity["dev"] = len(dev)
    if held_out:
        identity["validate_every"] = settings.validate_every
    _check_same_run(out / "training.json", last, identity, settings)
    done = checkpoints.step_of(last) if last else 0
    steps = settings.steps(len(examples), until)
    order = _order(mixture, settings, directions)
    joined = order.course.joined(settings.batch_size, steps) if order.course else []
    log = MetricsLog(out / "metrics.jsonl", done, arguments.should_save)
    best = checkpoints.at(folder, log.best) if keep_best and log.best else None
    ended = _ended(log, settings)
    if arguments.should_save:
        if best and before and not best.exists():  # it was in an earlier part
            _link_all(before / "checkpoints" / best.name, best, out)
        checkpoints.clear(folder, {path for path in (last, best) if path})
        if last is not None:
            note(f"{label}  goes on from step {done:,} of {steps:,}")
        elif joined:
            note(f"{label}  curriculum: {sentence(joined)}")
            if len(joined) == 1:
                note(f"{label}  that is one interval, so it has no effect: look at training.curriculum.bounds")
    shown = progress(label, steps - done, "steps") if arguments.should_save else contextlib.nullcontext()
    with shown as bar:
        trainer = StepTrainer(
            network,
            arguments,
            mixture,
            order=order,
            batcher=Batcher(
                settings.batch_tokens,
                line,
                arguments.process_index,
                arguments.world_size,
                replay=settings.replay.weight if settings.replay else 1.0,
                soft=mixture.soft if mixture.asked.any() else None,
                asked=mixture.asked,
                stored=mixture.stored if mixture.stored.any() else None,
                rejected=mixture.rejected,
            ),
            apart=None
            if settings.save_every
            else max(SAVE_SECONDS, checkpoints.room(weights, 1) / SAVE_BYTES_A_SECOND),
            newest_only=whole or keep_best,
            log=log,
            bar=bar,
            until=steps,
            dev=dev,
            general=general,
            validated=validated,
            reverse=reverse,
            settings=settings,
        )
        arguments.eval_on_start = bool(held_out) and not done
        if done < steps and ended is None:
            trainer.train(resume_from_checkpoint=str(last) if last else None)
            ended = _ended(log, settings)
    steps = steps if ended is None else ended
    adapter = out / "adapter"
    kept = log.best if keep_best and until is None and log.best else steps
    if arguments.should_save:
        checkpoints.publish(checkpoints.at(folder, kept), adapter, named or str(model))
        if until is None:
            shutil.rmtree(folder)
    PartialState().wait_for_everyone()
    seconds = time.monotonic() - started
    return Fit(adapter, steps, log.tokens, seconds, log.loss, log.validation, log.drift, kept, joined)


def choose_attention(model: PreTrainedModel, settings: Training, device: torch.device, precision: Precision) -> int:
    """Sets the fastest attention for this precision; returns the width of packed lines, 0 for padded batches.

    A TrainingError if lines are to be packed but the model would mix the examples in them.
    """
    packed = settings.packing == "on" or (settings.packing == "auto" and device.type != "cpu")
    if packed and not attention.keeps_apart(model):
        if settings.packing == "on":
            raise TrainingError(
                f"training.packing is on, but {type(model).__name__} does not keep examples apart that share a line: "
                "each would see those before it. Take `auto`, which pads them instead."
            )
        packed = False
    places = places_of(model) or settings.batch_tokens  # some have a mask as wide as there are places
    plain = model.config._attn_implementation == "sdpa"
    if packed and plain and device.type == "cuda" and is_flash_attn_2_available():
        model.set_attn_implementation("flash_attention_2")  # told the bounds of examples: lines may be of any width
        return min(settings.batch_tokens, places)
    if device.type == "cpu" and plain and not packed and precision == "bf16":
        attention.register()
        model.set_attn_implementation(attention.PRODUCTS)
    return min(PACKED_LINE, settings.batch_tokens, places) if packed else 0


def _take_up(before: Path, out: Path) -> None:
    """Copies the state in which another part of the training stopped, but not its examples: this part has its own."""
    last = checkpoints.newest(before / "checkpoints")
    if last is None:
        raise TrainingError(f"{before} holds no state to go on from.")
    shutil.copyfile(before / "metrics.jsonl", out / "metrics.jsonl")
    shutil.copyfile(before / "training.json", out / "training.json")
    _link_all(last, out / "checkpoints" / last.name, out)


def _link_all(source: Path, target: Path, out: Path) -> None:
    """Gives a finished checkpoint a second place, all of it at once."""
    beside = out / "taken-up"
    shutil.rmtree(beside, ignore_errors=True)
    shutil.copytree(source, beside, copy_function=checkpoints.link)
    beside.replace(target)


def _ended(log: MetricsLog, settings: Training) -> int | None:
    """The step after which a budget ended the training; None if it did not."""
    stops = settings.budget is not None and settings.budget.then == "stop"
    return next(iter(validation.over(log.drift, settings.budget)), None) if stops else None


def _check_same_run(path: Path, last: Path | None, identity: dict[str, object], settings: Training) -> None:
    """Refuses to resume from the checkpoint of another run."""
    identity |= settings.deciding()
    if last is not None:
        before = json.loads(path.read_text(encoding="utf-8"))
        changed = [name for name in identity if identity[name] != before.get(name)]
        if changed:
            raise TrainingError(
                f"{last} is from a training with another {', '.join(changed)}. "
                f"Train into another folder, or take {last.parent} away."
            )
    path.write_text(json.dumps(identity, indent=2) + "\n", encoding="utf-8")


def _check_whole(backbone: PreTrainedModel, folder: Path, weights: int, best: bool) -> None:
    """TrainingError if all weights of a backbone can't be trained, being quantised; StoreError if the disk has no
    room.
    """
    if getattr(backbone, "hf_quantizer", None) is not None:
        raise TrainingError(
            "The backbone's weights are quantised, and such weights cannot be trained themselves. Train an adapter "
            "(training.lora), or take the backbone as it was before."
        )
    checkpoints.check_room(folder, weights, best)


def _order(mixture: Mixture, settings: Training, directions: Sequence[str] | None) -> Order:
    examples, replay = len(mixture.tables[0]), settings.replay
    steps = math.ceil(examples / settings.batch_size)
    again = ReplayOrder.of(replay.share, mixture, steps, settings.seed) if replay else None
    said = settings.curriculum
    taught = course(directions or [""] * examples, said, settings.seed) if said else None
    return Order(examples, settings.batch_size, settings.seed, again, taught)


def _check_mixture(mixture: Mixture, settings: Training) -> None:
    """TrainingError if the settings speak of replay without examples, or of a segment that no method makes; a note if
    only these examples don't have it.
    """
    if settings.replay and len(mixture.tables) == 1:
        raise TrainingError(
            "training.replay is set, and there are no replay examples. Name prompts (data.replay), or take it out."
        )
    if (mixture.rejected is None) != (settings.preference is None):
        if settings.preference is None:
            raise TrainingError(
                "Some examples have a rejected answer, and training.preference does not say how that is learnt. Take "
                "`preference: null` out."
            )
        note("training.preference: no example has a chosen and a rejected answer, so that has no effect")
    there = f"The examples have {', '.join(mixture.names)}."
    absent = [name for name in settings.segments if name not in mixture.names]
    if unknown := [name for name in absent if name not in SEGMENTS]:
        raise TrainingError(f"training.segments: no example has the segment {', '.join(unknown)}. {there}")
    if absent:
        note(f"training.segments: no example has the segment {', '.join(absent)}, so that has no effect. {there}")
    for name in [name for name, stored in zip(mixture.names, mixture.stored, strict=True) if stored]:
        have, of = mixture.with_logprobs(name)
        if not have:
            raise TrainingError(
                f"training.segments.{name}: labels are `stored`, and no log-probabilities are kept with the examples. "
                "Set keep_logprobs (rationale.keep_logprobs, data.replay.keep_logprobs), or take other labels."
            )
        if have < of:
            note(
                f"training.segments: of {of:,} tokens of {name}, {of - have:,} have no log-probabilities and learn hard"
            )


def _check(examples: ExampleTable, weighted: Collection[str] = ()) -> None:
    if not len(examples):
        raise TrainingError(f"There are no examples to train on in {examples.folder}.")
    trained, empty = examples.trained(weighted)
    idle = [name for name, count in trained.items() if not count and name != "prompt"]
    if idle:
        raise TrainingError(
            f"No token is trained in the segment{'s' * (len(idle) > 1)} {', '.join(idle)} of {examples.folder}. "
            "Give it a weight above 0, or leave it out."
        )
    if empty:
        raise TrainingError(
            f"{empty:,} of {len(examples):,} examples in {examples.folder} have no trained token. "
            "Leave them out: they would only take time."
        )


def _check_fits(examples: ExampleTable, backbone: PreTrainedModel) -> None:
    """Checks that the model knows all tokens and positions of the examples; it would fail in mid-training."""
    vocabulary = vocabulary_of(backbone)
    if examples.highest >= vocabulary:
        raise TrainingError(
            f"{examples.folder} has the token {examples.highest}, and the backbone knows {vocabulary}: the examples "
            "were made for another vocabulary."
        )
    bound = places_of(backbone)
    twice = 2 if "rejected" in examples.names else 1  # there is a prompt with either answer
    if bound is not None and (long := examples.lengths[examples.lengths > twice * bound]).size:
        raise TrainingError(
            f"{long.size:,} of {len(examples):,} examples in {examples.folder} are longer than the {bound:,} tokens "
            f"that the backbone has places for; the longest has {long.max():,}. Lower data.max_tokens and "
            "rationale.max_tokens, or take another backbone."
        )
