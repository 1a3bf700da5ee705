"""What the analyses do in a process of their own, and what can be chosen about it. `measuring` does the work there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dragoman.pipeline.models.cast import Model
from dragoman.recipe.schema import Recipe

BACKBONE = "backbone"
DIMENSION = 65536  # of projections: LESS' 8,192 would put a cosine 0.011 off, and more cost no time here


@dataclass(frozen=True, slots=True)
class GradientsOptions:
    """What gradients are compared, and how."""

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


@dataclass(frozen=True, slots=True)
class MeasureGradients:
    """The agreement of both terms for each row, on the same records for all of them, at one and the same model."""

    recipe: Recipe
    backbone: Model
    tables: Mapping[str, Path]
    """The examples of each row."""
    trained: Path | None
    """The model's weights or adapter, where it is not the backbone itself."""
    options: GradientsOptions
    records: Path

    def run(self) -> dict[str, Any]:
        from dragoman.pipeline.analyses.measuring import measure_gradients

        return measure_gradients(self.recipe, self.backbone, self.tables, self.trained, self.options, self.records)


@dataclass(frozen=True, slots=True)
class MeasureDrift:
    """Both divergences of one row's models, one a seed, on every kind of text that the recipe has."""

    recipe: Recipe
    backbone: Model
    row: str
    trained: Sequence[Path]
    options: DriftOptions
    data: Path
    cache: Path

    def run(self) -> dict[str, Any]:
        from dragoman.pipeline.analyses.measuring import measure_drift

        return measure_drift(self.recipe, self.backbone, self.row, self.trained, self.options, self.data, self.cache)
