"""Options of the analyses of gradients and drift."""

from dataclasses import dataclass
from typing import Literal

BACKBONE = "backbone"
DIMENSION = 65536  # of projections: LESS' 8,192 would put a cosine 0.011 off, and more cost no time here


@dataclass(frozen=True, slots=True)
class GradientsOptions:
    """Which gradients are compared, and how."""

    rows: tuple[str, ...] = ()  # all whose method has two terms, when empty
    examples: int = 128  # of each direction
    weights: Literal["full", "adapter"] = "full"
    at: str = BACKBONE  # or a row: the model as its training left it
    dimension: int | None = DIMENSION  # None: no projection
    seed: int = 0
    ends: bool = True  # whether a turn's end counts to the term before it


@dataclass(frozen=True, slots=True)
class DriftOptions:
    """Whose drift is measured, and on how much."""

    rows: tuple[str, ...] = ()  # all, when empty
    examples: int = 200  # of each kind of text
    seed: int = 0
