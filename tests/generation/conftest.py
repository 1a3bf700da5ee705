"""A tiny Llama with random weights: answers mean nothing, but every number in them is exact."""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from tests.tiny_models import llama

Ids = tuple[int, ...]
VOCABULARY = 61


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """So small a model is quickest on one thread, and on a busy machine by far."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tiny() -> Any:
    special = {"bos_token_id": None, "eos_token_id": None, "pad_token_id": 0}
    sizes = {"intermediate_size": 48, "max_position_embeddings": 96, "initializer_range": 0.35}
    return llama(VOCABULARY, seed=7, **sizes, **special)


@pytest.fixture(scope="session")
def spell() -> Callable[[Sequence[int]], str]:
    """Token ids as text: their numbers."""
    return lambda ids: " ".join(map(str, ids))


@pytest.fixture(scope="session")
def prompts() -> list[Ids]:
    """Twenty-four prompts of 3 to 30 tokens, all different."""
    rng = random.Random(3)
    return [tuple(rng.randrange(VOCABULARY) for _ in range(rng.randrange(3, 31))) for _ in range(24)]
