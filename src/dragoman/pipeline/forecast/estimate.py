"""Estimates of seconds and memory by arithmetic, for accelerators on which nothing was measured.

Pure functions of a model's geometry, an accelerator's data sheet and an amount of work. The assumptions (what share
of the theoretical speed is reached) are in machines.yaml and shown beside the numbers.
"""

from dataclasses import dataclass

from dragoman.generation.ask import Asking
from dragoman.pipeline.forecast.geometry import BF16, Accelerator, Geometry, machines
from dragoman.recipe.engines import Generation
from dragoman.recipe.training import Training

RESERVED = 2 * 2**30  # bytes for the driver, the libraries' buffers, and what lies between allocations
LOGITS = 12 * 2**26  # bytes: a chunk of logits as training/losses/loss.py cuts it, in bf16, fp32, and its gradient
ADAM = 16  # bytes of a weight that is trained: itself, its gradient and two moments, in fp32


@dataclass(frozen=True, slots=True)
class Estimate:
    """The cost of some work. `advice` says why it can't be done so, and what to change; empty if it fits."""

    seconds: float | None
    memory: float  # bytes on each accelerator
    accelerators: int
    advice: str = ""


def training(
    geometry: Geometry, settings: Training, gpu: Accelerator, amounts: tuple[float, float, float] | None
) -> Estimate:
    """One training on one accelerator, of this many examples, tokens, and trained tokens in all epochs.

    Its memory does not depend on these amounts, so it is given even if they are unknown.
    """
    seconds = amounts and training_flops(geometry, settings, *amounts) / (gpu.flops * _assumed("training"))
    needed = training_memory(geometry, settings)
    return Estimate(seconds, needed, 1, _advice(geometry, settings, gpu, needed))


def training_flops(geometry: Geometry, settings: Training, examples: float, tokens: float, trained: float) -> float:
    """Multiplying a token with N weights takes 2 N operations; backward takes as many for the input's gradient, and
    again for weights that are trained. Checkpointing computes blocks' forward pass twice. Soft labels take another
    forward pass without the adapter.
    """
    whole, again = settings.lora is None, 2 * settings.gradient_checkpointing
    backward = 4 if whole else 2
    adapter = 0 if settings.lora is None else geometry.adapter(settings.lora)
    length = tokens / examples if examples else 0
    looked = 4 * geometry.layers * geometry.heads * geometry.width * length / 2  # attention, forward, causal
    blocks = (2 + backward + again) * geometry.blocks + (6 + again) * adapter + (3 + again / 2) * looked
    backbone = tokens * (2 * geometry.blocks + looked) + trained * 2 * geometry.head_parameters
    backward = 4 if whole or settings.embeddings is True else 2
    return tokens * blocks + trained * (2 + backward) * geometry.head_parameters + _asked(settings) * backbone


def _asked(settings: Training) -> float:
    """The share of the tokens for which the backbone is asked as well: at most all, if a segment has soft labels, or a
    gate that asks it; once for all epochs, if the gate is `stm`.
    """
    once = 1 / settings.epochs if any(how.gate == "stm" for how in settings.segments.values()) else 0.0
    asked = {name for name, how in settings.segments.items() if how.labels == "soft" or how.gate == "mask_target"}
    if asked == {"replay"}:
        return once + (settings.replay.share if settings.replay else 0.0)
    return once + bool(asked)


def training_memory(geometry: Geometry, settings: Training) -> float:
    """Bytes at the peak: weights, their optimizer, a chunk of logits, and a micro-batch's activations."""
    if settings.lora is None:  # in fp32, and the copies in bf16 that the products are made with
        weights = ADAM * geometry.parameters + BF16 * geometry.blocks
    else:
        beside = geometry.embeddings if settings.embeddings is True else 0
        weights = geometry.weights + ADAM * (geometry.adapter(settings.lora) + beside)
    # A block keeps: each norm's input in fp32 and its output; queries, keys, values and the attention's
    # output, keys and values at the width of the queries; four tensors of the MLP's width.
    block = 12 * geometry.hidden + 8 * geometry.heads * geometry.width + 8 * geometry.intermediate
    kept = geometry.layers * block
    if settings.gradient_checkpointing:
        kept = geometry.layers * BF16 * geometry.hidden + block
    logits = LOGITS * (3 if _asked(settings) else 1)  # both distributions, and what their divergence is made of
    return weights + logits + RESERVED + settings.batch_tokens * kept


def generation(geometry: Geometry, settings: Generation, gpu: Accelerator, count: int, work: Asking) -> Estimate:
    """Answers by vLLM, with as many sequences at once as the recipe and the memory allow.

    A step writes one token of each sequence: it either reads all weights or multiplies with them, whichever takes
    longer, and reads the keys and values of all sequences.
    """
    split = settings.vllm.tensor_parallel
    wanted = settings.ray.actors[1] if settings.engine == "ray" else settings.vllm.data_parallel
    copies = max(1, min(wanted, count // split))
    longest = (work.asked + work.answered) / max(1, work.prompts)
    one = longest * geometry.cached
    room = split * (settings.vllm.memory * gpu.memory - RESERVED) - geometry.weights
    if room < one or split > count:
        return Estimate(
            None, geometry.weights / split + RESERVED, split * copies, _split(geometry, gpu, settings, count)
        )
    together = max(1.0, min(settings.vllm.sequences, room / one, work.prompts / copies))
    read = max(geometry.weights / gpu.bandwidth, geometry.weights / BF16 * 2 * together / gpu.flops)
    looked = together * (longest - work.answered / max(1, work.prompts) / 2) * geometry.cached / gpu.bandwidth
    writing = work.answered / together * (read + looked)
    reading = work.asked * 2 * geometry.blocks / gpu.flops
    seconds = (writing + reading) / (split * copies * _assumed("generating"))
    memory = (geometry.weights + together * one) / split + RESERVED
    return Estimate(seconds, memory, split * copies)


def _assumed(name: str) -> float:
    value: float = machines()["assumed"][name]
    return value


def _advice(geometry: Geometry, settings: Training, gpu: Accelerator, needed: float) -> str:
    """The smallest change to a training that makes it fit."""
    if needed <= gpu.memory:
        return ""
    changes: list[dict[str, bool | int]] = [{"batch_tokens": 4096}, {"batch_tokens": 2048}]
    changes = [change for change in changes if change["batch_tokens"] < settings.batch_tokens]
    changes += [{"gradient_checkpointing": True}, {"gradient_checkpointing": True, "batch_tokens": 2048}]
    for change in changes:
        less = training_memory(geometry, settings.model_copy(update=change))
        if less <= gpu.memory:
            said = " ".join(f"training.{name}={str(value).lower()}" for name, value in change.items())
            return f"{said} would take {gib(less)}"
    if settings.lora is None:
        return "all weights are trained on one accelerator: take one with more memory, or an adapter (training.lora)"
    return "take an accelerator with more memory, or a smaller backbone"


def _split(geometry: Geometry, gpu: Accelerator, settings: Generation, count: int) -> str:
    """How many accelerators have to share a copy of a model, so that a quarter of them is left for keys and values."""
    split = 1
    while split * 0.75 * (settings.vllm.memory * gpu.memory - RESERVED) < geometry.weights:
        split *= 2
    more = "" if split <= count else f", on {split} accelerators instead of {count}"
    return f"generation.vllm.tensor_parallel={split}{more}"


def gib(size: float) -> str:
    return f"{size / 2**30:,.0f} GiB"
