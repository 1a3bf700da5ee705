"""What the analyses find out, as plain data: the contents of `runs/NAME/analysis/*.json`, which the report shows.

Intervals are of 95 %.
"""

from typing import Literal, NotRequired, TypedDict

from dragoman.scoring.divergence import TextDrift

# Gradients


class Cosine(TypedDict):
    """The cosine of two mean gradients."""

    cosine: float | None
    """None where one of them is 0."""
    interval: list[float] | None
    """None where there are too few examples."""


class ExampleCosines(TypedDict):
    """The mean of the cosines of each example's own two gradients."""

    cosine: float | None
    interval: list[float] | None
    negative: float | None
    """The share of examples whose cosine is below 0, of 1."""


class DirectionAgreement(TypedDict):
    """Whether two gradients agree, for the examples of one direction."""

    examples: int
    mean: Cosine
    each: ExampleCosines


class Agreed(TypedDict):
    """Whether two gradients agree in one part of the model."""

    mean: Cosine
    each: ExampleCosines
    directions: dict[str, DirectionAgreement]


Signs = TypedDict(
    "Signs", {"layers": int, "positive": int, "negative": int, "surely positive": int, "surely negative": int}
)
"""In how many layers the gradients pull together or against each other, and in how many that is beyond doubt."""


class SignsOf(TypedDict):
    """The signs of the mean gradients, and of the mean over each example's own."""

    mean: Signs
    each: Signs


class TermTokens(TypedDict):
    """How many tokens each term of the loss has."""

    translation: int
    regulariser: int


class RowGradients(TypedDict):
    """The gradients of one row's two terms."""

    regulariser: str
    """The segment of the second term: rationale, or own."""
    examples: int
    tokens: TermTokens
    identical: int
    """Examples in which both terms are the same text."""
    signs: SignsOf
    parts: dict[str, Agreed]
    """Layer by its number, embeddings, head, rest, or all layers → agreement."""


class MeasuredGradients(TypedDict):
    """The gradients of all rows, at one model and on the same records."""

    at: str
    """The backbone, or the row whose trained model it is."""
    weights: Literal["full", "adapter"]
    dimension: int | None
    """Of the projection; None: not projected."""
    error: float
    """How far off the projection puts a cosine near 0."""
    seed: int
    ends: bool
    """Whether a turn's end counts to the term before it."""
    precision: str
    device: str
    directions: dict[str, int]
    """Direction → how many examples were drawn."""
    parameters: dict[str, int]
    """Part of the model → how many."""
    rows: dict[str, RowGradients]


class GradientsResult(MeasuredGradients):
    """`gradients.json`."""

    recipe: str
    backbone: str


# Drift


class MeasuredDrift(TypedDict):
    """The drift of one row's models."""

    titles: dict[str, str]
    """Kind of text → what it is."""
    precision: str
    device: str
    seed: int
    kinds: dict[str, TextDrift]


class DriftResult(TypedDict):
    """`drift.json`."""

    recipe: str
    backbone: str
    rows: dict[str, dict[str, TextDrift]]
    """Row → kind of text → drift."""
    titles: dict[str, str]
    precision: str
    device: str
    seed: int
    retention: NotRequired[dict[str, float | None]]
    """Row → RP in percent, if the recipe was judged."""


# Topics of rationales


class Share(TypedDict):
    """How many rationales belong to a category."""

    count: int
    of: int
    share: float | None
    """Percent; None of none."""
    interval: list[float] | None


class TopicExample(TypedDict):
    """A rationale to be read, shortened."""

    direction: str
    source: str
    reference: str
    rationale: str


class Topic(Share):
    """One category."""

    name: str
    title: str
    content: str
    origin: str
    """Where its name is from."""
    directions: dict[str, Share]
    examples: list[TopicExample]


class DirectionCounts(TypedDict):
    """How many rationales of a direction there are."""

    sampled: int
    judged: int
    examples: NotRequired[int]
    """In the row's training data."""
    with_rationale: NotRequired[int]


class TopicItem(TypedDict):
    """One rationale and its categories."""

    key: str
    direction: str
    source: str
    request: str
    reference: str
    rationale: str
    categories: Literal["blank", "unparsed"] | list[str]
    answer: NotRequired[str]
    """What a judge said."""


class Tabulated(TypedDict):
    """The table of categories."""

    schema: int
    sampled: int
    blank: int
    unparsed: int
    """Answers of the judge that could not be read."""
    unparsed_answers: list[str]
    judged: int
    labels_per_rationale: float | None
    how_many_labels: dict[str, int]
    """Number of categories → how many rationales have so many."""
    directions: dict[str, DirectionCounts]
    categories: list[Topic]
    note: str
    items: list[TopicItem]


class JudgeNamed(TypedDict):
    """Who sorted the rationales: the lab's rule, or a model."""

    by: Literal["rule", "model"]
    model: NotRequired[str]
    engine: NotRequired[str]
    prompt: NotRequired[str]
    """The checksum of what it was asked."""


class TopicsResult(Tabulated):
    """`rationales.json`."""

    recipe: str
    row: str
    backbone: str
    writer: str | None
    """None: the backbone."""
    count: int
    """How many were to be sampled of each direction."""
    seed: int
    judge: JudgeNamed


# Learning rates


class TriedRate(TypedDict):
    """What came of a learning rate."""

    rate: float
    written: str
    """As a recipe writes it."""
    state: Literal["chosen", "as good", "worse", "astray"]
    """As good as the best, or worse, by the 95 % interval of the difference; astray: the loss rose or was no number."""
    loss: float | None
    """On the held-out pairs, after training; None if astray."""
    loss_interval: list[float] | None
    drift: float | None
    """KL(backbone || trained) on general prompts, in nats a token; None if astray, or if there are no prompts."""
    drift_interval: list[float] | None
    seconds: float
    """Of the training."""


class TuneResult(TypedDict):
    """`tune.json`: a search of the learning rate."""

    recipe: str
    backbone: str
    row: str
    pairs: int
    """Records that each training learnt from."""
    of: int
    """Records that a run of the recipe learns from."""
    steps: int
    run_steps: int
    """Of a training in a run of the recipe, about."""
    held_out: int
    """Pairs that the validation loss is measured on."""
    prompts: int
    """General prompts that drift is measured on."""
    start: str
    """The usual rate for a model of this size."""
    before: float
    """The validation loss of the backbone."""
    rates: list[TriedRate]
    """In ascending order."""
    chosen: str


class MeasuredRate(TypedDict):
    """How a trained model does on the held-out pairs, and how far it has moved on general prompts."""

    texts: list[list[float]]
    """For each held-out pair the sum of its tokens' losses, and how many there are."""
    drift: TextDrift | None


# Strengths


class Strength(TypedDict):
    """What was trained at one strength, judged."""

    strength: float
    """0 is the backbone, where it is not that of the first layer."""
    row: str
    """Its row in the scorecard."""
    skill: float | None
    skill_interval: list[float] | None
    gain: float | None
    """Of the skill over the backbone; None in the backbone."""
    gain_interval: list[float] | None
    kept: float | None
    """Of the backbone's abilities, in percent (RP)."""
    kept_interval: list[float] | None
    keeps: bool
    """Whether the lower end of that is no less than what is to be kept."""


class ScaleResult(TypedDict):
    """`frontier.json`: a row at several strengths."""

    recipe: str
    backbone: str
    row: str
    skill: str
    """What the skill is, with its metric."""
    keep: float
    """The share of abilities that is to be kept (`pick.keep`)."""
    by_layer: bool
    """Whether strengths are those of the first layer, and rise to 1 at the last."""
    noise: float | None
    """How far RP of the backbone itself moves by chance, in points."""
    strengths: list[Strength]
    """In ascending order, the backbone first."""
    picked: float | None
    """The highest that keeps so much; None if none does."""
