"""Which tokens begin with which, told from the bytes that they spell."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dragoman.prompts.render import Renderer
from dragoman.prompts.vocabulary import Spellings
from tests import real_ones

TEXT = 'Anna sah „die Maus“, 早上好。 Доброе утро! "x"\n\n\n👩‍🔬 naïve\ttab  …'


def token_of(one: Renderer, text: str) -> int:
    """The last token of a text inside another."""
    return one.tokenizer("x" + text, add_special_tokens=False)["input_ids"][-1]


def test_tokens_spell_the_text(any_backbone: str, renderer: Callable[[str], Renderer]) -> None:
    """Of a text's tokens, the bytes side by side are the text: half characters, line feeds and spaces too."""
    one = renderer(any_backbone)
    spellings = Spellings(one.tokenizer)
    spelt = b"".join(spellings[token] for token in one.tokenizer(TEXT, add_special_tokens=False)["input_ids"])
    assert spelt.decode().removeprefix(" ") == TEXT


def test_extensions_are_all_that_begin_as_the_token(any_backbone: str, renderer: Callable[[str], Renderer]) -> None:
    one = renderer(any_backbone)
    spellings = Spellings(one.tokenizer)
    ordinary = sorted(set(one.tokenizer.get_vocab().values()) - set(one.tokenizer.added_tokens_decoder))
    rng = random.Random(5)
    for token in [*rng.sample(ordinary, 4), token_of(one, "."), token_of(one, "!")]:
        found = spellings.extensions(token)
        assert found == tuple(other for other in ordinary if spellings[other].startswith(spellings[token]))
        assert token in found
        assert one.extensions(token) == found


@pytest.mark.parametrize(
    "name", ["qwen-2.5-like", "llama-3-like", "lab", *real_ones("qwen2.5-7b-instruct", "llama-3-8b-instruct")]
)
def test_a_full_stop_may_take_the_blank_line_along(name: str, renderer: Callable[[str], Renderer]) -> None:
    one = renderer(name)
    dot = token_of(one, ".")
    merged = token_of(one, ".\n\n")
    assert merged != dot
    assert merged in one.extensions(dot)
    assert dot not in one.extensions(merged)
    assert token_of(one, ",") not in one.extensions(dot)


@pytest.mark.parametrize("name", ["llama-2-like", *real_ones("llama-2-7b-chat", "mistral-7b-instruct-v0.2")])
def test_sentencepiece(name: str, renderer: Callable[[str], Renderer]) -> None:
    """▁ is a space, and a byte token is its byte, not its name."""
    one = renderer(name)
    names = one.tokenizer.convert_tokens_to_ids
    of_the = set(one.extensions(names("▁the")))
    assert {names("▁the"), names("▁they"), names("▁there")} <= of_the
    assert names("the") not in of_the
    assert names("▁the") in one.extensions(names("▁"))
    line = names("<0x0A>")
    assert one.extensions(line) == (line,)  # here no token has a line feed and something else
    assert names("<0x2E>") in one.extensions(names("."))
    assert names("<unk>") not in one.extensions(names("<"))  # it is a name, and spells nothing
    assert names("<0x0A>") not in one.extensions(names("<"))


def test_half_a_character_and_special_tokens(made: Callable[..., Any]) -> None:
    """In a vocabulary of single bytes each token extends itself alone; a special one stands for no text."""
    one = Renderer(made())
    first, second = one.tokenizer("é", add_special_tokens=False)["input_ids"]
    assert one.extensions(first) == (first,)
    assert one.extensions(second) == (second,)
    end = one.tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert one.extensions(end) == (end,)
    assert end not in one.extensions(one.tokenizer("<", add_special_tokens=False)["input_ids"][0])


@pytest.mark.parametrize("name", ["llama-3-like", "llama-3-8b-instruct"])
def test_half_a_character_is_followed_by_all_its_characters(name: str, renderer: Callable[[str], Renderer]) -> None:
    one = renderer(name)
    spellings = Spellings(one.tokenizer)
    half = next(token for token in range(256) if spellings[token] == b"\xe3")
    whole = token_of(one, "。")
    assert spellings[whole] == "。".encode() == b"\xe3\x80\x82"
    assert whole in one.extensions(half)
    assert all(spellings[token][:1] == b"\xe3" for token in one.extensions(half))


@pytest.mark.parametrize(
    ("name", "joins"),
    [
        ("qwen-2.5-like", True),
        ("llama-3-like", True),
        ("smollm-like", False),
        ("llama-2-like", False),
        *real_ones(
            ("qwen2.5-7b-instruct", True),
            ("llama-3-8b-instruct", True),
            ("smollm2-135m-instruct", False),
            ("llama-2-7b-chat", False),
            ("mistral-7b-instruct-v0.2", False),
        ),
    ],
)
def test_which_vocabularies_join_a_full_stop_and_line_breaks(
    name: str, joins: bool, tokenizer_folder: Callable[[str], Path]
) -> None:
    assert Renderer.load(tokenizer_folder(name)).joins_line_breaks is joins
