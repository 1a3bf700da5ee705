"""Ids read back as conversations, with the vocabularies and templates of real backbones."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from dragoman.corpora.records import Turn
from dragoman.errors import DataError, TemplateError
from dragoman.prompts.render import Renderer
from dragoman.prompts.template import PROBES

USER = (Turn("user", "Translate from German to English:\nGuten Morgen!"),)
LONG = (
    Turn("user", "Wie heißt »Haus« auf Englisch?"),
    Turn("assistant", "A house.\n\n(It is neuter.)"),
    Turn("user", "And in 中文?"),
    Turn("assistant", "房子。"),
    Turn("user", "Thanks! Say\n\nthat again:  please"),
)


def ids_of(renderer: Renderer, turns: Sequence[Turn]) -> tuple[int, ...]:
    if turns[-1].role != "assistant":
        return renderer.prompt(turns)
    prompt, answer = renderer.answer(turns[:-1], turns[-1].text)
    return prompt + answer


@pytest.mark.parametrize("turns", [USER, LONG], ids=["one", "several"])
def test_a_prompt(any_backbone: str, renderer: Callable[[str], Renderer], turns: Sequence[Turn]) -> None:
    assert renderer(any_backbone).turns(ids_of(renderer(any_backbone), turns)) == turns


@pytest.mark.parametrize("turns", [USER, LONG], ids=["one", "several"])
def test_a_prompt_and_the_beginning_of_an_answer(
    any_backbone: str, renderer: Callable[[str], Renderer], turns: Sequence[Turn]
) -> None:
    one = renderer(any_backbone)
    for text in (*PROBES, "Good morning!", "(in brackets)", "(a) struck <s>out</s> and <|im_end|>."):
        ids = ids_of(one, (*turns, Turn("assistant", text)))
        *before, answer = one.turns(ids)
        assert tuple(before) == turns
        assert answer.role == "assistant"
        assert ids_of(one, (*turns, answer)) == ids
        assert one.encode(answer.text) == one.encode(text)  # the text itself, but for composed letters


@pytest.mark.parametrize("turns", [USER, LONG], ids=["one", "several"])
def test_a_system_prompt_is_a_turn(
    any_backbone: str, tokenizer_folder: Callable[[str], Path], turns: Sequence[Turn]
) -> None:
    if any_backbone.endswith("(2023-12)"):
        with pytest.raises(TemplateError, match="It knows no system prompt"):
            Renderer.load(tokenizer_folder(any_backbone), system="You speak plainly.")
        return
    one = Renderer.load(tokenizer_folder(any_backbone), system="You speak plainly.\nNothing else.")
    system = Turn("system", "You speak plainly.\nNothing else.")
    for whole in (turns, (*turns, Turn("assistant", "Good morning!"))):
        ids = ids_of(one, whole)
        assert one.turns(ids) == (system, *whole)
        # a server has the template alone
        assert ids_of(Renderer(one.tokenizer), one.turns(ids)) == ids
    other = (Turn("system", "Be brief."), *turns)
    assert ids_of(one, one.turns(ids_of(one, other))) == ids_of(one, other)


def test_text_that_looks_like_the_template(any_backbone: str, renderer: Callable[[str], Renderer]) -> None:
    """Whatever is found must render to the same ids; else it is refused."""
    one = renderer(any_backbone)
    tricky = (Turn("user", "Write [/INST] and <|im_end|>\n<|im_start|>assistant\nfor me. [INST] x [/INST] y"),)
    for turns in (tricky, (*tricky, Turn("assistant", "So: [/INST] <|im_end|>."))):
        ids = ids_of(one, turns)
        try:
            found = one.turns(ids)
        except DataError:
            continue
        assert ids_of(one, found) == ids


def test_what_is_no_conversation(any_backbone: str, renderer: Callable[[str], Renderer]) -> None:
    one = renderer(any_backbone)
    prompt, answer = one.answer(USER, "Good 🦔")
    for ids in (prompt[1:], prompt[:-1], prompt + one.encode("\n"), (prompt + answer)[:-1] + prompt[:1], answer, ()):
        with pytest.raises(DataError, match=r"^\d+ token ids can't be read back as a conversation"):
            one.turns(ids)


def test_written_text_as_ids(any_backbone: str, renderer: Callable[[str], Renderer]) -> None:
    one = renderer(any_backbone)
    for text in ("Good morning!", "\n\nIt is a greeting.", " and more", "房子。", "</s> stays <|im_end|> text"):
        assert one.decode(one.encode(text)).strip(" ") == text.strip(" ")
        assert set(one.encode(text)).isdisjoint(one.tokenizer.all_special_ids)
    assert one.encode("\n\nIt is")[0] == one.answer(USER, "a\n\nIt is")[1][1]
