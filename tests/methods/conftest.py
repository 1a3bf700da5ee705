"""The lab's vocabulary and a real one, each with the ids that it gives to the records of `method_kit`."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from dragoman.lab import BACKBONE
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker
from tests.look_alikes import KINDS, look_alike
from tests.methods.method_kit import LAB, MISTRAL, Known

Vocabulary = tuple[Speaker, Known]


@pytest.fixture(scope="session")
def backbone_folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Where the vocabulary of a look-alike or of a real backbone is."""

    @cache
    def folder(name: str) -> Path:
        if name in KINDS:
            return look_alike(name, tmp_path_factory.mktemp("look-alikes") / name)
        return Path(request.getfixturevalue("real_data")) / "tokenizers" / name

    return folder


@pytest.fixture(scope="session")
def lab() -> Vocabulary:
    return Speaker(Renderer.load(BACKBONE)), LAB


@pytest.fixture(scope="session")
def mistral(real_data: Path) -> Vocabulary:
    return Speaker(Renderer.load(real_data / "tokenizers" / "mistral-7b-instruct-v0.2")), MISTRAL


@pytest.fixture(params=["lab", "mistral"])
def vocabulary(request: pytest.FixtureRequest) -> Vocabulary:
    """Both, one after the other."""
    found: Vocabulary = request.getfixturevalue(request.param)
    return found
