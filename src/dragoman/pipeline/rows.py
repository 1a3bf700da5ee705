"""Rows of a recipe's table: the method of each, and how often its examples are made and it is trained."""

import math
from typing import Any

from dragoman.methods import Method, available
from dragoman.recipe.schema import Recipe, Training


def rows(recipe: Recipe) -> dict[str, tuple[str, dict[str, Any]]]:
    """Row of the table → method and its options."""
    named = [next(iter(method.items())) for method in recipe.methods]
    return {options.get("label") or name: (name, options) for name, options in named}


def method_of(recipe: Recipe, row: str) -> Method:
    """The method of a row."""
    return available()[rows(recipe)[row][0]]


def titled(kind: str, row: str, round: int = 0, seed: int | None = None) -> str:
    """A stage's title: `train-radis`, `train-radis~1` with one of several seeds, `train-radis~1@2` for a round."""
    return f"{kind}-{row}" + ("" if seed is None else f"~{seed}") + (f"@{round}" if round else "")


def trainings(recipe: Recipe) -> tuple[int | None, ...]:
    """The seeds that distinguish the trainings of a row; one None if there is only one training."""
    return recipe.seeds if len(recipe.seeds) > 1 else (None,)


def training_of(recipe: Recipe, row: str, seed: int | None = None) -> Training:
    """The training settings of a row: with its seed, and a batch that grows with the examples made of each record."""
    settings = recipe.training
    chosen = seed if seed is not None else next(iter(recipe.seeds), settings.seed)
    batch = settings.batch_size * method_of(recipe, row).examples
    return settings.model_copy(update={"seed": chosen, "batch_size": batch})


def rounds(recipe: Recipe, row: str) -> int:
    """How often the examples of a row are made: once, or again for each epoch."""
    return math.ceil(recipe.training.epochs) if rows(recipe)[row][1].get("refresh") else 1


def learnt(recipe: Recipe, row: str, seed: int | None = None) -> list[str]:
    """Titles of the stages that make the examples of a training, round by round: usually one that all seeds share."""
    count = rounds(recipe, row)
    return [titled("examples", row, round, seed if count > 1 else None) for round in [*range(1, count), 0]]


def trained(recipe: Recipe, row: str, seed: int | None = None) -> list[str]:
    """Titles of the parts of one training, in order. A later part continues the counts of tokens and steps."""
    return [titled("train", row, round, seed) for round in [*range(1, rounds(recipe, row)), 0]]
