"""The scorecard's types: what stands in `runs/NAME/scorecard.json`.

Scores are percentages or points from 0 to 100 (COMET times 100) but where a unit says otherwise; intervals are 95 %.
Of a row with several seeds, scores are means over them, and intervals and p values come from resamples of test items
and seeds together; counts (`count`, `passed`, `not_extracted`, `cut_off`, and a rate's `n`) are those of all seeds,
and an ability's `n` is how many questions there are. Of a row that was trained once, p values are those of
sacreBLEU's paired bootstrap and of McNemar's test; those of two retentions always come from resamples.

After a change: `python -m dragoman.scoring.scorecard.json_schema` writes `scorecard.schema.json` anew.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal, NotRequired, cast, final

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from dragoman.rationales.report import RationaleCounts
from dragoman.scoring.divergence import TextDrift
from dragoman.scoring.scorecard.training import Cost, Count, Recovery, Replay
from dragoman.suites import Side

SCHEMA: Final = 3

Ends = Annotated[list[float], Field(min_length=2, max_length=2)]
"""A 95 % interval: its lower and its upper end."""
Kind = Literal["abilities", "skills"]
"""Where a family stands in a row."""
GroupName = Literal["out_of_english", "into_english", "all"]
TraceSide = Literal["general", "instruction", "safety"]
_CLOSED = ConfigDict(extra="forbid", use_attribute_docstrings=True)
"""Of the scorecard and all types in it; they are closed, except that a group has an entry for each metric."""


# Translation


@with_config(_CLOSED)
@final
class Score(TypedDict):
    """A metric of translation. The last three fields are null in the backbone."""

    score: float
    """Mean over the seeds."""
    interval: Ends
    n: Count
    """Sentences behind it."""
    signature: str
    """How it was made."""
    seeds: list[float]
    """With each seed; empty where there is only one training, or none."""
    sd: float | None
    """Standard deviation over seeds."""
    delta: float | None
    """Less the backbone's."""
    delta_interval: Ends | None
    p: float | None
    """Of the difference."""


@with_config(ConfigDict(use_attribute_docstrings=True))
class Group(TypedDict, extra_items=Score):  # type: ignore[call-arg]
    """Means over some directions: beside their names an entry for each metric."""

    directions: list[str]
    """Such as en-de."""


@final
class Rate(TypedDict):
    """How many answers were odd in one way."""

    count: Count
    n: Count
    """Answers that could be told to be odd or not."""
    rate: float | None
    """Percent; null where n is 0."""
    interval: Ends | None
    signature: str


@final
class Translation(TypedDict):
    """The skill gained."""

    out_of_english: Group | None
    into_english: Group | None
    all: Group | None
    mean: float | None
    """chrF++, mean over all directions."""
    directions: dict[str, dict[str, Score]]
    """Direction (de-en) → metric (chrf++, bleu, comet:NAME) → score."""
    rates: dict[str, Rate]
    """What was odd about answers: chatter, empty, copy, wrong_language, …"""
    beyond: NotRequired[Rate]
    """Of all tokens that were generated, those beside the translations; absent where that was not counted."""


# Abilities


@final
class F1(TypedDict):
    """Mean credit of answers that a rule can call partly right."""

    score: float
    interval: Ends
    n: Count
    signature: str
    seeds: list[float]
    sd: float | None


@final
class Subject(TypedDict):
    """A part of a benchmark, such as one of MMLU's subjects."""

    score: float | None
    n: Count


@final
class Ability(TypedDict):
    """A family of questions, or a benchmark."""

    score: float | None
    """Null where nothing could be judged."""
    n: Count
    """Questions."""
    passed: Count | None
    """Of all seeds; null where an answer can be partly right, or is rated."""
    interval: Ends | None
    signature: str
    side: Side
    """What it is about."""
    unit: str
    """Of the score: %, or /10."""
    kept: bool
    """Part of RP; comparisons and skills are not."""
    seeds: list[float | None]
    """With each seed; empty where there is only one training, or none."""
    sd: float | None
    delta: float | None
    """Less the backbone's, over what was judged in both; null in the backbone."""
    delta_interval: Ends | None
    p: float | None
    retention: float | None
    """The score over the backbone's, in percent."""
    retention_interval: Ends | None
    inside_noise: bool | None
    """Whether |retention - 100| is no more than the family's noise floor."""
    not_extracted: Count
    """Answers that could not be read, or have no judgement."""
    cut_off: Count
    notes: dict[str, Count]
    """Of what others judge: what went wrong, counted."""
    facts: dict[str, object]
    """Of what others judge: numbers beside the score, of the first seed."""
    f1: F1 | None
    """Of answers taken from a text; their score is exact match."""
    subjects: dict[str, Subject]
    """Parts such as MMLU's subjects."""
    subject_mean: float | None
    """The mean in which every subject counts alike."""


@final
class Change(TypedDict):
    """TRACE's change of one side (its ΔR), in points of 100: a row's scores less the backbone's, mean over families.

    A rating out of 10 counts ten times, and of a comparison with the backbone the wins less the losses, in percent.
    """

    families: Annotated[list[str], Field(min_length=1)]
    delta: float
    interval: Ends | None


@final
class Trace(TypedDict):
    """Changes against the backbone, as TRACE has them."""

    general: Change | None
    instruction: Change | None
    safety: Change | None


# Drift


@final
class Drift(TypedDict):
    """How far a row's next-token distributions have moved from the backbone's: lower is better, and it is no share."""

    kinds: dict[str, TextDrift]
    """Kind of text (`general`, `translation`) → drift; empty where it could not be measured."""
    signature: str
    lacking: str
    """Why it could not be measured; otherwise empty."""


# Rows


@final
class Part(TypedDict):
    """RP of some of the abilities alone."""

    families: Annotated[list[str], Field(min_length=1)]
    retention: float
    seeds: list[float]
    """With each seed; empty where there is only one training, or none."""
    interval: Ends | None
    signature: str


@final
class Chosen(TypedDict):
    """What a row learnt from, of all that there was."""

    directions: list[str]
    """Of pairs."""
    lessons: list[str]
    """Sources of conversations."""


@final
class Before(TypedDict):
    """The row whose finished model a row started from."""

    row: str
    """Its name; of another recipe, `ROW of FILE`."""
    kept: Part | None
    """RP as shares of what that row can do; null where it is not in this scorecard, or no share can be taken."""


@final
class Row(TypedDict):
    """One model."""

    name: str
    method: str
    """`backbone`, `finished` (a model to compare with), or the method's name."""
    writer: str | None
    """The model that wrote the rationales; null: the backbone."""
    weights: NotRequired[str]
    """What its weights are, such as `dequantised from Q4_1`, where they are not the published ones."""
    seeds: list[int]
    """Of its trainings; empty where there is only one, or none."""
    translation: Translation | None
    abilities: dict[str, Ability]
    """Family → ability."""
    skills: dict[str, Ability]
    """Skills other than translation: no part of RP."""
    retention: float | None
    """RP: the mean of the abilities' retentions."""
    retention_seeds: list[float]
    """With each seed."""
    retention_interval: Ends | None
    retention_signature: str | None
    retention_without: list[str]
    """Abilities without a retention, as the backbone scores next to nothing at them or was not judged."""
    near: NotRequired[Part]
    """Of families of whose kind replay holds prompts, be it another row's replay; absent where it holds none."""
    far: NotRequired[Part]
    """Of all other families, where some are near."""
    inside_noise: bool | None
    """Whether |RP - 100| is no more than the noise floor."""
    trace: Trace | None
    """Null in the backbone."""
    rationales: RationaleCounts | None
    """What it learnt from."""
    drift: NotRequired[Drift]
    """Where the recipe asks for it."""
    after: NotRequired[Before]
    """What it started from; absent where that is the backbone."""
    learnt: NotRequired[Chosen]
    """What it learnt from; absent where that is all there was."""
    replay: NotRequired[Replay]
    """What it learnt beside its task; absent where there is none."""
    recovery: NotRequired[Recovery]
    """What was done after its training; absent where nothing was."""
    settings: dict[str, object]
    """Settings in which the trained rows differ, by their names in a recipe, as in `training.learning_rate`."""
    hints: list[str]
    """What went wrong while it was trained, and what to try."""
    cost: Cost | None
    """Null in the backbone."""


# Rows against each other


@final
class Gap(TypedDict):
    """How far a row is ahead of another, in points."""

    delta: float
    interval: Ends
    p: float


@final
class MetricGaps(TypedDict):
    """Two rows compared in one metric."""

    out_of_english: Gap | None
    into_english: Gap | None
    all: Gap | None
    directions: dict[str, Gap]


@final
class RowPair(TypedDict):
    """Two rows against each other, `row` less `other`. Every two rows have one, in the order of the rows."""

    row: str
    other: str
    translation: Gap | None
    """In chrF++ over all directions, as are the next three."""
    into_english: Gap | None
    out_of_english: Gap | None
    directions: dict[str, Gap]
    metrics: dict[str, MetricGaps]
    """The other metrics."""
    retention: Gap | None
    families: dict[str, Gap]
    skills: dict[str, Gap]


@final
class FamilyNoise(TypedDict):
    """How one family's score moves when it is drawn anew."""

    scores: list[float]
    """The backbone's own score first."""
    retention: float | None
    """The largest |retention - 100|."""


@final
class Noise(TypedDict):
    """How far the backbone is from itself when it is asked other questions, or draws again."""

    draws: Count
    left_out: Count
    """Draws in which a judge said nothing of some family."""
    retention: float | None
    """The largest |RP - 100| of the backbone against itself."""
    families: dict[str, FamilyNoise]
    """Those that were drawn anew."""


@with_config(_CLOSED | ConfigDict(title="Dragoman's scorecard"))
@final
class Scorecard(TypedDict):
    """runs/NAME/scorecard.json: every row against the backbone. Its types stand in scoring/scorecard/schema.py."""

    schema: Literal[3]
    """Changes when the form of the scorecard does."""
    backbone: str
    """The name of its row."""
    rows: Annotated[list[Row], Field(min_length=1)]
    """The backbone first."""
    pairs: list[RowPair]
    noise: Noise | None


def ends(interval: Sequence[float]) -> tuple[float, float]:
    """The lower and the upper end of an interval."""
    low, high = interval
    return low, high


# A group's entries for metrics are written and read by these two: mypy knows no TypedDict with entries of any name.


def group_of(directions: list[str], scores: Mapping[str, Score]) -> Group:
    """The means over some directions, with an entry for each metric."""
    return cast(Group, {"directions": directions, **scores})


def scores_of(group: Group) -> dict[str, Score]:
    """Metric → its mean over the group."""
    return {name: cast(Score, entry) for name, entry in group.items() if name != "directions"}
