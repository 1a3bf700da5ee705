"""Jobs of the analyses that run in a process of their own, in which `measuring` does the work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dragoman.analysis.results import MeasuredDrift, MeasuredGradients
from dragoman.pipeline.analyses.options import DriftOptions, GradientsOptions
from dragoman.pipeline.models.cast import Model
from dragoman.recipe.schema import Recipe


@dataclass(frozen=True, slots=True)
class MeasureGradients:
    """The agreement of both terms for each row, on the same records and at the same model."""

    recipe: Recipe
    backbone: Model
    tables: Mapping[str, Path]
    """The examples of each row."""
    trained: Path | None
    """The model's weights or adapter, if it is not the backbone itself."""
    options: GradientsOptions
    records: Path

    def run(self) -> MeasuredGradients:
        from dragoman.pipeline.analyses.measuring import measure_gradients

        return measure_gradients(self.recipe, self.backbone, self.tables, self.trained, self.options, self.records)


@dataclass(frozen=True, slots=True)
class MeasureDrift:
    """Both divergences for one row's models, one per seed, on every kind of text that the recipe has."""

    recipe: Recipe
    backbone: Model
    row: str
    trained: Sequence[Path]
    options: DriftOptions
    data: Path
    cache: Path

    def run(self) -> MeasuredDrift:
        from dragoman.pipeline.analyses.measuring import measure_drift

        return measure_drift(self.recipe, self.backbone, self.row, self.trained, self.options, self.data, self.cache)
