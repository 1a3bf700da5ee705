"""The lab's models: the backbone, and its siblings that the studies need."""

from dataclasses import dataclass
from typing import Literal, NotRequired, TypedDict

from dragoman.lab.pretraining import mixture
from dragoman.lab.tongues import reads


class Facts(TypedDict):
    """What a model's card says of its training."""

    kind: NotRequired[str]
    seed: int
    parameters: int
    tokens: int
    steps: int
    step_tokens: int
    width: int
    minutes: float
    rate: float
    """Tokens a second."""
    machine: str
    loss: float
    fresh_tokens: NotRequired[int]
    """Tokens that began anew, of the whole `vocabulary`."""
    vocabulary: NotRequired[int]
    notes: NotRequired[list[str]]


@dataclass(frozen=True, slots=True)
class Settings:
    """The model's shape and how it learns."""

    vocabulary: int = 3072
    hidden: int = 256
    layers: int = 5
    heads: int = 4
    intermediate: int = 512
    context: int = 1024
    mixture: Literal["backbone", "translator", "programmer", "english"] = "backbone"  # what it reads
    grown: bool = False  # begins as the backbone; further layers change nothing at first
    # Then the tokens that so many documents do not use in English begin anew, and what was known of them is gone.
    forgets_beyond: int = 0
    width: int = 384  # tokens of a row
    rows: int = 22  # of a step
    documents: int = 4096  # drawn and packed at a time
    tokenizer_documents: int = 30_000
    matrix_rate: float = 6e-3  # Muon, for the matrices of the layers
    table_rate: float = 3e-3  # AdamW, for embeddings and norms
    decay: float = 0.05
    prompt_weight: float = 0.2  # what the user says counts less than what is to be answered
    warmup: float = 0.02  # share of the run
    # After so many tokens the rate rises once more, steps get smaller and prompts count less: finding a word of the
    # prompt again is learnt late, and in steps rather than in tokens.
    restart: int = 16_132_000
    restart_rate: float = 0.3
    restart_rows: int = 12
    restart_prompt_weight: float = 0.1
    state_seconds: float = 180.0
    compiled: bool = True


@dataclass(frozen=True, slots=True)
class Kind:
    """A model of the lab: its settings, and how much it reads in how much time at most."""

    settings: Settings
    tokens: int
    minutes: float


READS = {
    "backbone": mixture.of_the_backbone,
    "translator": mixture.of_a_translator,
    "programmer": mixture.of_a_programmer,
}


def document(reading: str, seed: int, number: int) -> tuple[str, ...]:
    """The text of one document of a mixture, in the pieces in which it is tokenised."""
    if reading == "english":
        return (reads.document(seed, number)[1],)
    return mixture.document(seed, number, READS[reading]())


NEVER = 1 << 62  # tokens: no restart
KINDS = {
    "backbone": Kind(Settings(), 19_600_000, 100.0),
    # A smaller one with a vocabulary of its own, that has read less.
    "weaker": Kind(Settings(vocabulary=2048, hidden=128, layers=4, intermediate=256, restart=NEVER), 6_000_000, 60.0),
    # A larger one: the backbone with three layers more, that has read on, half of it translations.
    "stronger": Kind(
        Settings(layers=8, mixture="translator", grown=True, matrix_rate=2e-3, table_rate=1e-3, restart=NEVER),
        9_000_000,
        90.0,
    ),
    # The backbone, having read on for a while; a few small programs were among it.
    "programmer": Kind(
        Settings(mixture="programmer", grown=True, matrix_rate=1e-3, table_rate=5e-4, restart=NEVER), 1_200_000, 30.0
    ),
    # The backbone's layers with fresh words of German and Italian, having read on in English, and plain text in those.
    "english": Kind(
        Settings(
            mixture="english",
            grown=True,
            forgets_beyond=20_000,
            rows=12,
            matrix_rate=3e-3,
            table_rate=3e-3,
            prompt_weight=0.1,
            restart=3_200_000,
            restart_rate=0.5,
        ),
        5_000_000,
        45.0,
    ),
}
