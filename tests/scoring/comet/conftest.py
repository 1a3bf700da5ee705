"""Tiny COMET models."""

from pathlib import Path

import pytest

from tests.scoring.comet import tiny_comet


@pytest.fixture(scope="session")
def our_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models of our own, with the scores that they should give."""
    return tiny_comet.write(tmp_path_factory.mktemp("comet") / "tiny")
