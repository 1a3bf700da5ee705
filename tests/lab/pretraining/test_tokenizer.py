"""The lab's vocabulary and chat template: text comes back as it was, and the template adds nothing to it."""

from itertools import islice
from random import Random
from typing import Any

import pytest

from dragoman.corpora.records import Turn
from dragoman.lab import BACKBONE, world
from dragoman.lab.pretraining.tokenizer import chat, train_tokenizer
from dragoman.prompts.render import Renderer

TURNS = [
    Turn("system", "You are a helpful assistant."),
    Turn("user", "Translate into German: The dog sleeps."),
    Turn("assistant", "Der Hund schläft.\n\nNote: “Hund” means “dog”."),
    Turn("user", "Thank you! How much is 12 + 345?"),
    Turn("assistant", "  12 + 345 = 357. The answer is 357.\n"),
]


@pytest.fixture(scope="module", params=["fresh", "shipped"])
def tokenizer(request: pytest.FixtureRequest) -> Any:
    if request.param == "shipped":
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(BACKBONE)
    rng = Random(1)
    texts = [world.say(world.draw(rng), language) for _ in range(400) for language in world.LANGUAGES]
    notes = [f"{one}\n\nNote: {two}" for one, two in zip(texts, texts[3:], strict=False)]
    return train_tokenizer(notes, vocabulary=900, context=128)


@pytest.mark.parametrize(
    "text",
    [
        "Der Bäcker ißt gern Käse.",
        "L'arancia è là: perché?",
        "a\r\n\r\n b\t\tc   ",
        "日本語 👩‍🔬 e\u0301",
        "<|end|> is text",
    ],
)
def test_text_comes_back(tokenizer: Any, text: str) -> None:
    ids = tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
    assert tokenizer.decode(ids) == text


def test_a_full_stop_and_the_blank_line_after_it_are_one_token(tokenizer: Any) -> None:
    pieces = tokenizer.tokenize("Der Hund ist groß.\n\nNote")
    assert tokenizer.convert_tokens_to_string([pieces[-2]]) == ".\n\n"


def test_digits_stand_alone(tokenizer: Any) -> None:
    assert tokenizer.tokenize("1234") == ["1", "2", "3", "4"]


def test_the_template_is_what_pre_training_reads(tokenizer: Any) -> None:
    messages = [{"role": turn.role, "content": turn.text} for turn in TURNS]
    assert tokenizer.apply_chat_template(messages, tokenize=False) == chat(TURNS)
    assert tokenizer.eos_token == "<|end|>"
    assert chat(TURNS).endswith("<|assistant|>  12 + 345 = 357. The answer is 357.\n<|end|>")


def test_a_prompt_asks_for_the_answer_and_an_open_answer_stays_open(tokenizer: Any) -> None:
    messages = [{"role": turn.role, "content": turn.text} for turn in TURNS]
    asked = tokenizer.apply_chat_template(messages[:2], tokenize=False, add_generation_prompt=True)
    assert asked.endswith("The dog sleeps.<|end|><|assistant|>")
    going_on = tokenizer.apply_chat_template(messages[:3], tokenize=False, continue_final_message=True)
    assert going_on == asked + TURNS[2].text


def test_unknown_roles_are_refused(tokenizer: Any) -> None:
    with pytest.raises(Exception, match="Roles are system, user and assistant, not tool"):
        tokenizer.apply_chat_template([{"role": "tool", "content": "x"}], tokenize=False)


def test_the_renderer_takes_the_template_and_comes_to_the_same_ids(tokenizer: Any) -> None:
    renderer = Renderer(tokenizer)
    runs = renderer.conversation([Turn(turn.role, turn.text.strip()) for turn in TURNS])
    ids = [token for run in runs for token in run.ids]
    text = chat([Turn(turn.role, turn.text.strip()) for turn in TURNS])
    assert ids == tokenizer(text, add_special_tokens=False)["input_ids"]
    assert renderer.end == (tokenizer.eos_token_id,)
    assert list(islice(renderer.prompt(TURNS[:2]), 1)) == [tokenizer.bos_token_id]
