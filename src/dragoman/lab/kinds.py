"""The models of the lab: the backbone, and its siblings that the study of rationales and of programs needs."""

from dataclasses import dataclass
from typing import Literal

from dragoman.lab import mixture


@dataclass(frozen=True, slots=True)
class Settings:
    """The model's shape and how it learns."""

    vocabulary: int = 3072
    hidden: int = 256
    layers: int = 5
    heads: int = 4
    intermediate: int = 512
    context: int = 1024
    mixture: Literal["backbone", "translator", "programmer"] = "backbone"  # what it reads
    grown: bool = False  # begins as the backbone; further layers change nothing at first
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
}
