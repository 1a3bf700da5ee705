"""Fields of `training`: how a model is fitted to examples. See `schema.py`."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PlainSerializer, TypeAdapter, model_validator

from dragoman.recipe.fields import Fraction, Positive, Strict


class Lora(Strict):
    """The adapter."""

    rank: Positive = 16
    """Rank of the two factors."""
    alpha: float | None = None
    """Scale of the update is alpha / rank; twice the rank when absent."""
    dropout: Fraction = 0.0
    """Dropout before the first factor."""
    targets: Annotated[str | tuple[str, ...], Field(min_length=1)] = "all-linear"
    """Which layers: `all-linear`, `attention` or `mlp`, or names such as `q_proj`."""


class Replay(Strict):
    """General prompts with the backbone's own answers, learnt beside the task."""

    share: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """About such a share of the tokens of a step are replay."""
    weight: Annotated[float, Field(gt=0)] = 0.3
    """The loss of a step is the mean over the task's tokens, plus so many times the mean over those of replay."""


STORED = ("rationale", "replay")
"""Segments that the backbone wrote, so that its log-probabilities can be stored with them."""
DEGREES = {"stm": 2.5, "eaft": 1.0, "mask_target": 0.1}
"""Gate → its degree where a recipe names none."""
PREFERRED = ("chosen", "rejected")
"""Segments whose probabilities are compared."""
UNGATED = ("prompt", "replay", "end")
"""Segments in which no answer of the task is written."""


class SegmentTraining(Strict):
    """How the tokens of a segment are learnt."""

    labels: Literal["hard", "soft", "stored"] = "hard"
    """`hard` learns the token that is written there, `soft` the backbone's distribution over the whole vocabulary, `stored` what was kept of it when the backbone wrote the tokens (`keep_logprobs`)."""
    weight: Annotated[float, Field(gt=0)] | None = None
    """Weight of each token in the mean; as the method gave it when absent (prompts have none)."""
    gate: Literal["stm", "eaft", "mask_target"] | None = None
    """`stm` leaves out tokens that surprise the backbone, `eaft` weighs each by how undecided the model is, `mask_target` holds all but the written token where the backbone has them; all tokens alike when absent."""
    degree: Annotated[float, Field(gt=0)] | None = None
    """Of the gate: most perplexity of a token (`stm`, 2.5 when absent), exponent of its weight (`eaft`, 1), weight of the divergence beside its loss (`mask_target`, 0.1)."""

    @property
    def gate_degree(self) -> float:
        """The degree of the gate, that which it has when absent included."""
        assert self.gate is not None
        return DEGREES[self.gate] if self.degree is None else self.degree

    @model_validator(mode="after")
    def _gate_for_what_is_written(self) -> Self:
        if self.gate and self.labels != "hard":
            text = f"has the gate {self.gate} and {self.labels} labels: a gate is about the token that is written there"
            raise ValueError(f"{text}. Take one of them out")
        if self.degree is not None and not self.gate:
            raise ValueError(f"has a degree and no gate that it is of; name one of {', '.join(DEGREES)}")
        return self


class PreferenceLoss(Strict):
    """How examples with a chosen and a rejected answer are learnt (CPO)."""

    loss: Literal["sigmoid", "hinge", "simpo"] = "sigmoid"
    """Of the difference d between the log-probabilities of the two answers: `sigmoid` is -log σ(β·d), `hinge` max(0, 1 - β·d), and `simpo` -log σ(β·d - γ), with means over each answer's tokens in place of sums."""
    beta: Annotated[float, Field(gt=0)] = 0.1
    """β, by which the difference is multiplied."""
    gamma: Annotated[float, Field(ge=0)] | None = None
    """γ of `simpo`: by how much the chosen answer is to be ahead; 0.5 when absent."""
    cloning: Annotated[float, Field(ge=0)] | None = None
    """λ, the weight of the chosen answers' own loss (behaviour cloning) beside it; 1 when absent, and 0 for `simpo`."""
    smoothing: Annotated[float, Field(ge=0, lt=0.5)] = 0.0
    """Share of the preferences that are taken to be the wrong way round; not with `hinge`."""

    @model_validator(mode="after")
    def _of_this_loss(self) -> Self:
        if self.gamma is not None and self.loss != "simpo":
            raise ValueError(f"has a gamma, and the loss {self.loss} has none; take `loss: simpo`, or take it out")
        if self.smoothing and self.loss == "hinge":
            raise ValueError("has smoothing, and the loss hinge has none; take `loss: sigmoid`, or take it out")
        return self

    @property
    def ahead(self) -> float:
        """γ, that which it has when absent included."""
        return 0.0 if self.loss != "simpo" else 0.5 if self.gamma is None else self.gamma

    @property
    def cloned(self) -> float:
        """λ, that which it has when absent included."""
        return float(self.loss != "simpo") if self.cloning is None else self.cloning


class Budget(Strict):
    """How far from the backbone a training may take the model."""

    drift: Annotated[float, Field(gt=0)]
    """The most drift, KL(backbone ‖ model) in nats a token: on general prompts, or on dev pairs where there is no replay."""
    then: Literal["stop", "lower"] = "stop"
    """What is done once it is more: `stop` ends the training there, `lower` halves the learning rate from there on, each time."""


class Rising(Strict):
    """A strength that rises evenly from the first layer to 1 at the last (LiNeS)."""

    first_layer: Annotated[float, Field(ge=0)]
    """Of the first layer, and of all that is in none, such as embeddings and head."""


Scale = Annotated[float, Field(ge=0)] | Rising
"""The strength at which a row takes what was trained."""
_SCALE: TypeAdapter[float | Rising] = TypeAdapter(Scale)


def as_scale(said: Any) -> float | Rising:
    """A strength as a recipe's rows have it; a plain 1 for whatever comes to that."""
    scale = _SCALE.validate_python(said)
    return 1.0 if scale == Rising(first_layer=1) else scale


def strength_words(scale: float | Rising) -> str:
    """A strength in words, as in "at strength 0.5"."""
    if isinstance(scale, Rising):
        return f"strength {scale.first_layer:g} at the first layer, rising to 1 at the last"
    return f"strength {scale:g}"


class Recovery(Strict):
    """A last stage after the training: the model answers general prompts, and learns on its own answers what the backbone says."""

    steps: Annotated[int, Field(ge=1, le=100)] = 60
    """Optimizer steps in all."""
    prompts: Positive = 16
    """Prompts in one step, each with one answer; those of `data.replay`."""
    rounds: Positive = 3
    """So often the model answers anew, each time for an equal part of the steps."""
    learning_rate: Annotated[float, Field(gt=0)] | None = None
    """Peak of the learning rate; a third of that of the training when absent."""
    max_tokens: Positive = 256
    """Longest answer; one that is cut off here has no end to learn."""
    kl: Literal["reverse", "forward"] = "reverse"
    """`reverse` is KL(model ‖ backbone) of each token, `forward` KL(backbone ‖ model)."""

    @model_validator(mode="after")
    def _equal_parts(self) -> Self:
        if self.steps % self.rounds:
            text = f"has {self.steps} steps, which {self.rounds} rounds do not divide into equal parts; take"
            raise ValueError(f"{text} {self.rounds} rounds of {max(1, self.steps // self.rounds)} steps each, say")
        return self

    @property
    def answers(self) -> int:
        """Answers of one round."""
        return self.prompts * self.steps // self.rounds


class Curriculum(Strict):
    """Directions join one interval after another, those with the most examples first, as in BigTrans."""

    bounds: Annotated[tuple[Positive, ...], Field(min_length=1)]
    """Numbers of examples, rising, at which an interval of directions ends and the next begins, such as `[1000, 10000]`."""

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if list(self.bounds) != sorted(set(self.bounds)):
            raise ValueError(f"has bounds that do not rise; take {sorted(set(self.bounds))}")
        return self


WITHOUT_EFFECT = {"give_up", "save_every", "validate_every", "report_to"}
"""Fields of `Training` that do not decide what is learnt."""


class Training(Strict):
    """How a model is fitted to the examples."""

    epochs: Annotated[float, Field(gt=0)] = 3
    """Passes over the examples."""
    max_steps: Positive | None = None
    """Optimizer steps at most: the training ends with them or with the epochs, whichever comes first; with the epochs when absent."""
    batch_size: Positive = 128
    """Examples in one optimizer step, over all devices and accumulated micro-batches."""
    learning_rate: Annotated[float, Field(gt=0)] = 1e-4
    """Peak of the learning rate."""
    schedule: Literal["cosine", "linear", "inverse_sqrt", "constant"] = "cosine"
    """How the rate falls after warm-up; `inverse_sqrt` with the root of the steps, measured in those of the warm-up (10,000 without one)."""
    min_learning_rate: Annotated[float, Field(gt=0)] | None = None
    """What `cosine` falls to; 0 when absent."""
    warmup: Fraction = 0.0
    """Share of the steps over which the rate rises to its peak."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    """Decoupled weight decay."""
    adam_betas: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]] = (0.9, 0.999)
    """How slowly Adam's two moments forget."""
    max_grad_norm: Annotated[float, Field(ge=0)] = 1.0
    """Gradients are scaled down to this norm."""
    lora: Lora | None = Lora()
    """The adapter that is trained; `null` trains all weights instead."""
    embeddings: bool | Literal["new"] | None = None
    """Train the embedding and the head beside the adapter: all their rows (`true`), or those of new tokens alone (`new`); when absent, all where a row has a `vocabulary`."""
    replay: Replay | None = None
    """Learn general prompts with the backbone's answers (`data.replay`) beside the task; `null` learns the task alone."""
    segments: Mapping[str, SegmentTraining] = {}
    """How the tokens of a segment (`prompt`, `reference`, `rationale`, `own`, `answer`, `replay`, `text`, `chosen`, `rejected`, `end`) are learnt, where not as the method says, as in `{rationale: {labels: soft, weight: 0.5}}`."""
    preference: PreferenceLoss | None = None
    """How chosen and rejected answers are learnt; `cpo` brings it, no other method has such examples."""
    balance: Literal["tokens", "examples"] = "tokens"
    """What counts alike in the task's mean: every token, or every segment of every example, however long it is."""
    seed: int = 0
    """Seed of the adapter's start and of the order of the data."""
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    """Of the forward and backward pass; `auto` takes bf16 where the processor has it."""
    batch_tokens: Positive = 16384
    """Tokens, padding counted in, that one micro-batch may hold."""
    packing: Literal["auto", "on", "off"] = "auto"
    """Pack examples end to end with block-diagonal attention (`auto`: on an accelerator), or pad batches of similar length."""
    gradient_checkpointing: bool = False
    """Trade time for memory."""
    save_every: Positive | None = None
    """Optimizer steps between checkpoints; about one a minute when absent, and fewer where they are large."""
    validate_every: Positive | None = None
    """Optimizer steps between validations on `data.dev`, and measures of drift; four times an epoch when absent, or less often where what is measured on is large beside what is trained on."""
    keep: Literal["last", "best"] = "last"
    """Which weights become the model: the last, or those with the lowest validation loss (`best`; needs `data.dev`)."""
    budget: Budget | None = None
    """End the training, or lower its rate, once the model has drifted so far from the backbone, as in `{drift: 0.05, then: stop}`; never when absent."""
    recovery: Recovery | None = None
    """After the training, learn on the model's own answers to general prompts (`data.replay`) what the backbone says there, as in `{steps: 60}`; `null` leaves the model as trained."""
    curriculum: Curriculum | None = None
    """Begin the first pass with the directions of most examples, and add others on the way, as in `{bounds: [1000, 10000]}`; all at once when absent."""
    give_up: Annotated[float, Field(gt=1)] | None = None
    """Stop with an error once the loss on `data.dev` is so many times what it was before training; never when absent."""
    report_to: tuple[str, ...] = ()
    """Trackers known to transformers, such as `wandb` or `tensorboard`. The log in the run's folder is always written."""

    @model_validator(mode="after")
    def _floor_below_the_peak(self) -> Self:
        floor = self.min_learning_rate
        if floor is not None and self.schedule != "cosine":
            text = f"has a min_learning_rate and the schedule {self.schedule}, which has no floor"
            raise ValueError(f"{text}. Take cosine, or take it out")
        if floor is not None and floor > self.learning_rate:
            raise ValueError(
                f"has a min_learning_rate of {floor:g}, above the learning_rate of {self.learning_rate:g}; lower it"
            )
        return self

    @model_validator(mode="after")
    def _someone_to_ask(self) -> Self:
        soft = [name for name, how in self.segments.items() if how.labels == "soft"]
        if soft and self.lora is None:
            raise ValueError(
                f"has soft labels (segments: {', '.join(soft)}) and trains all weights (lora: null): soft labels are "
                "what the backbone says while the adapter is off, and no backbone would be left to ask. Train an "
                "adapter, or take hard labels, or stored ones where the backbone wrote"
            )
        if other := [name for name, how in self.segments.items() if how.labels == "stored" and name not in STORED]:
            raise ValueError(
                f"has stored labels (segments: {', '.join(other)}): log-probabilities are kept of what the backbone "
                f"writes, {' and '.join(STORED)}. Take other labels there"
            )
        if ungated := [name for name in UNGATED if (how := self.segments.get(name)) and how.gate]:
            raise ValueError(
                f"has a gate on {', '.join(ungated)}: an end is always learnt, and prompts and replay hold no written "
                "answer of the task. Gate reference, rationale, own or answer"
            )
        for name in PREFERRED:
            if (how := self.segments.get(name)) and (how.gate or how.labels != "hard"):
                raise ValueError(
                    f"has a gate or {how.labels} labels on {name}: preferences compare the probabilities of what is "
                    "written. Take them out"
                )
        masked = [name for name, how in self.segments.items() if how.gate == "mask_target"]
        if masked and self.lora is None:
            raise ValueError(
                f"has the gate mask_target (segments: {', '.join(masked)}) and trains all weights (lora: null): it asks "
                "the backbone at every step, which would not be left. Train an adapter, or take another gate"
            )
        if self.budget and self.lora is None:
            text = "has a budget for drift and trains all weights (lora: null), and no backbone is left to measure from"
            raise ValueError(f"{text}. Train an adapter, or take the budget out")
        if self.recovery and self.lora is None:
            text = "has a recovery and trains all weights (lora: null), and no backbone is left to recover towards"
            raise ValueError(f"{text}. Train an adapter, or take the recovery out")
        return self

    def steps(self, examples: float, until: int | None = None) -> int:
        """The optimizer steps on so many examples, or those up to the end of an epoch."""
        steps = math.ceil((until or self.epochs) * math.ceil(examples / self.batch_size))
        return steps if self.max_steps is None else min(steps, self.max_steps)

    def passes(self, examples: float) -> float:
        """The passes over so many examples: the epochs, or what the steps leave of them."""
        if self.max_steps is None or not examples:
            return self.epochs
        return min(self.epochs, self.max_steps / math.ceil(examples / self.batch_size))

    def deciding(self) -> dict[str, Any]:
        """The settings that decide what is learnt, as JSON. What came later than the first trainings is absent where it
        is the default, as it is in theirs; a recovery is a training of its own.
        """
        said = self.model_dump(mode="json", exclude=WITHOUT_EFFECT | {"recovery"})
        usual = SegmentTraining()
        said["segments"] = {name: said["segments"][name] for name, how in self.segments.items() if how != usual}
        for how in said["segments"].values():
            for later in [name for name in ("gate", "degree") if how[name] is None]:
                del how[later]
        plain: dict[str, Any] = {"keep": "last", "replay": None, "segments": {}, "balance": "tokens", "budget": None}
        plain |= {"curriculum": None, "max_steps": None, "min_learning_rate": None, "adam_betas": [0.9, 0.999]}
        plain["embeddings"] = None
        said["embeddings"] = said["embeddings"] or None
        plain["preference"] = None
        return {name: value for name, value in said.items() if name not in plain or value != plain[name]}

    def recovering(self, recovery: Recovery) -> "Training":
        """The settings of that recovery: those of the training but for what is learnt, how long and at which rate. Each
        round is an epoch.
        """
        changes: dict[str, Any] = {
            "epochs": recovery.rounds,
            "batch_size": recovery.prompts,
            "learning_rate": recovery.learning_rate or self.learning_rate / 3,
            "segments": {"own": SegmentTraining(labels="soft")},
            "balance": "tokens",
            "keep": "last",
        }
        nothing = dict.fromkeys(
            ("replay", "budget", "give_up", "recovery", "max_steps", "min_learning_rate", "curriculum", "preference")
        )
        return self.model_copy(update=changes | nothing)

    def changed(self, own: Mapping[str, Any] | None) -> "Training":
        """These settings with those of a row laid over them, as `OwnTraining` writes them."""
        return Training.model_validate(laid_over(self.model_dump(), own or {}))


def laid_over(below: Any, own: Any) -> Any:
    """What a row says over what the recipe says; mappings key by key."""
    if not (isinstance(below, Mapping) and isinstance(own, Mapping)):
        return own
    return {**below, **{name: laid_over(below.get(name), value) for name, value in own.items()}}


OwnTraining = Annotated[Training, PlainSerializer(lambda own: own.model_dump(mode="json", exclude_unset=True))]
"""Training settings of a row, written with those alone that it names."""
