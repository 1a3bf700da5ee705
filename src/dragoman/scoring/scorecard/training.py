"""How a row of the scorecard was trained: what it cost, and what it learnt beside its task. See `schema.py`."""

from typing import Annotated, Literal, NotRequired, final

from pydantic import Field
from typing_extensions import TypedDict

Count = Annotated[int, Field(ge=0)]


@final
class Cost(TypedDict):
    """What a row took. Examples are made once, whatever the number of seeds; what training took is a mean over them."""

    examples: Count
    example_tokens: Count
    generated_tokens: float | None
    """Of the completions asked for to make the examples; those of replay are made once for all rows, and count here, as
    do those of a recovery."""
    generating_seconds: float | None
    trained_tokens: float
    """Of one training and its recovery, as are the seconds and the steps."""
    training_seconds: float
    steps: Count


@final
class Replay(TypedDict):
    """The general prompts that a row learnt beside its task, with the backbone's own answers."""

    prompts: dict[str, dict[str, Count]]
    """Source → kind → how many; the kind is empty where none is known."""
    near: dict[str, Count]
    """Kinds that evaluation asks as well, and how many prompts of each were left out for it. All others are far."""
    near_families: NotRequired[list[str]]
    """Families judged here of whose kind it holds prompts; all others are far. Absent in earlier scorecards."""
    overlapping: Count
    """Prompts that were left out since they share text with what is judged on."""
    share: float
    """Of the tokens of a step, about."""


@final
class Moved(TypedDict):
    """Drift from the backbone, in nats a token."""

    before: float
    after: float


@final
class Recovery(TypedDict):
    """After a row's training: it learnt on its own answers to general prompts what the backbone says there."""

    steps: Count
    answers: Count
    kl: Literal["reverse", "forward"]
    """Of the model and the backbone: `reverse` is KL(model || backbone)."""
    drift: dict[str, Moved]
    """By kind of text, where it was measured: `general` prompts, `translation` of dev pairs."""
