"""A small Llama with random weights, and tables of examples on disk."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dragoman.prompts.examples import Example, ExampleTable, write_examples
from tests.tiny_models import llama
from tests.training.training_kit import VOCABULARY, replayed


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a two-layer Llama with grouped heads, in fp32."""
    folder = tmp_path_factory.mktemp("tiny")
    llama(VOCABULARY, seed=1, max_position_embeddings=256).save_pretrained(folder)
    return folder


@pytest.fixture
def table(tmp_path: Path) -> Callable[[list[Example]], ExampleTable]:
    """Writes examples to disk, in two chunks, and opens them."""

    def write(made: list[Example]) -> ExampleTable:
        folder = tmp_path / "table"
        half = (len(made) + 1) // 2
        for chunk, part in enumerate((made[:half], made[half:])):
            write_examples(folder, chunk, part)
        return ExampleTable(folder)

    return write


@pytest.fixture
def replay(tmp_path: Path) -> ExampleTable:
    """Five replay examples."""
    write_examples(tmp_path / "replay", 0, replayed(5))
    return ExampleTable(tmp_path / "replay")


@pytest.fixture
def general(tmp_path: Path) -> ExampleTable:
    """Seven replay examples that no training sees."""
    write_examples(tmp_path / "general", 0, replayed(7, seed=21))
    return ExampleTable(tmp_path / "general")
