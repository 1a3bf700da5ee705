"""Benchmarks as a recipe has them, from what it says."""

from collections.abc import Mapping
from typing import Any

from dragoman.recipe.judging import Benchmark
from dragoman.suites import kinds


def described(said: Mapping[str, Mapping[str, Any]]) -> dict[str, Benchmark]:
    """What a recipe's `benchmarks` become, each with the options of its kind."""
    return {name: kinds()[options["kind"]].model_validate(options) for name, options in said.items()}
