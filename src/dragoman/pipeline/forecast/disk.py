"""Disk room that training all weights takes, checked before work begins."""

import math

from dragoman.models.adapters import shapes
from dragoman.models.weights import weight_bytes
from dragoman.pipeline.models.cast import Model
from dragoman.pipeline.rows import rounds, rows, trainings
from dragoman.recipe.schema import Recipe
from dragoman.training import checkpoints


def of_all_weights(recipe: Recipe, backbone: Model) -> int:
    """Bytes for checkpoints and for the trained weights, in fp32; 0 if an adapter is trained.

    A training from whose state another continues (`refresh`) keeps its checkpoint.
    """
    if recipe.training.lora is not None:
        return 0
    files = backbone.path.glob("*.safetensors")
    weights = sum(math.prod(shape) for path in files for shape in shapes(path).values() if shape is not None)
    weights = weights or weight_bytes(backbone.path) // 2  # of .bin files, which are not looked into here
    kept = sum(
        weights * checkpoints.WEIGHT_BYTES + (rounds(recipe, row) - 1) * checkpoints.room(weights, kept=1)
        for row in rows(recipe)
    )
    return checkpoints.room(weights) + kept * len(trainings(recipe))
