"""A recipe small enough to be run whole in a test: real text, real tokenizer, a tiny model with random weights."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pipeline.running import RECIPE
from tests.tiny_models import lab_llama


@pytest.fixture(scope="session")
def tiny_backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two layers of random weights behind the lab's tokenizer and chat template."""
    return lab_llama(tmp_path_factory.mktemp("backbone"), tie_word_embeddings=True)


@pytest.fixture
def small_recipe(tiny_backbone: Path) -> Callable[[Path], Path]:
    """Writes the small recipe into a folder, with its results below it."""

    def write(folder: Path) -> Path:
        folder.mkdir(exist_ok=True)
        path = folder / "recipe.yaml"
        path.write_text(RECIPE.format(backbone=tiny_backbone, folder=folder))
        return path

    return write
