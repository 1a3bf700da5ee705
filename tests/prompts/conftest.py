"""Tokenizers of our own and real ones, each loaded once."""

import json
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from dragoman.lab import BACKBONE
from dragoman.prompts.render import Renderer
from tests import look_alikes, real_ones

REAL = real_ones(
    "llama-2-7b-chat",
    "mistral-7b-instruct-v0.2",
    "mistral-7b-instruct-v0.2 (2023-12)",
    "qwen2.5-7b-instruct",
    "qwen3-8b",
    "llama-3-8b-instruct",
    "smollm2-135m-instruct",
)
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
)
LAB = BACKBONE


@pytest.fixture(scope="session")
def tokenizer_folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Where the tokenizer of a backbone is; look-alikes are made, and two real ones have to be put together first."""

    @cache
    def folder(name: str) -> Path:
        if name in look_alikes.KINDS:
            return look_alikes.look_alike(name, tmp_path_factory.mktemp("look-alikes") / name)
        if name == "lab":
            if not (LAB / "tokenizer.json").is_file():
                pytest.skip("the lab's backbone has not been made yet")
            return LAB
        real = request.getfixturevalue("real_data") / "tokenizers"
        made = tmp_path_factory.mktemp("tokenizers") / name
        if name == "qwen3-8b":
            shutil.copytree(real / name, made)
            for file in ("vocab.json", "merges.txt"):
                shutil.copy(real / "qwen2.5-7b-instruct" / file, made)
            return made
        if name.endswith(" (2023-12)"):
            shutil.copytree(real / name.removesuffix(" (2023-12)"), made)
            shutil.copy(made / "tokenizer_config.2023-12.json", made / "tokenizer_config.json")
            return made
        return real / name

    return folder


@pytest.fixture(scope="session")
def renderer(tokenizer_folder: Callable[[str], Path]) -> Callable[[str], Renderer]:
    """Renderers by the name of their backbone."""
    return cache(lambda name: Renderer.load(tokenizer_folder(name)))


@pytest.fixture(scope="session")
def expected(real_data: Path) -> dict[str, Any]:
    """What transformers renders for fixed messages."""
    found: dict[str, Any] = json.loads((real_data / "tokenizers" / "expected.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(params=REAL)
def backbone(request: pytest.FixtureRequest) -> str:
    """The name of every real backbone with a chat template, one after the other."""
    return str(request.param)


@pytest.fixture(params=[*look_alikes.CHAT, "lab", *REAL])
def any_backbone(request: pytest.FixtureRequest) -> str:
    """Ours and the real ones."""
    return str(request.param)


@pytest.fixture
def made() -> Callable[..., Any]:
    """Makes a tokenizer of 256 bytes and two special tokens, with any chat template."""

    def make(template: str | None = CHATML, eos: str | None = "<|im_end|>") -> Any:
        letters = sorted(pre_tokenizers.ByteLevel.alphabet())
        tokenizer = Tokenizer(models.BPE({letter: place for place, letter in enumerate(letters)}, []))
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        tokenizer.add_special_tokens(["<|im_start|>", "<|im_end|>"])
        return PreTrainedTokenizerFast(
            tokenizer_object=tokenizer, chat_template=template, eos_token=eos, name_or_path="bytes"
        )

    return make
