"""Alpaca's prompt as a chat format, with the vocabularies of base models and of the lab."""

import json
import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from dragoman.corpora.records import Dialogue, Pair, Turn
from dragoman.errors import DataError, TemplateError
from dragoman.prompts.formats import chat_template
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Prefix, Speaker
from dragoman.prompts.template import PROBES
from dragoman.prompts.translation import demonstration
from tests import real_ones

# As `templates/alpaca.json` of tloen/alpaca-lora has them; Stanford's own differ in ending at "### Response:".
WITH_INPUT = (
    "Below is an instruction that describes a task, paired with an input that provides further context. Write a "
    "response that appropriately completes the request.\n\n### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n"
    "### Response:\n"
)
WITHOUT = (
    "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{instruction}\n\n### Response:\n"
)
OURS = ("llama-like", "lab", "qwen-2.5-like", "llama-3-like", "mistral-like")
REAL = real_ones("llama-7b", "qwen2.5-7b-instruct", "llama-3-8b-instruct", "mistral-7b-instruct-v0.2")
LLAMA = pytest.mark.parametrize("name", ["llama-like", "llama-7b"])
ASKED = Turn("user", "Übersetze den Satz ins Englische.", "Guten Morgen, Führer durch 中文!")
PLAIN = Turn("user", "Nenne drei Farben.\n\n- kurz\n- auf Deutsch")
LONG = (
    ASKED,
    Turn("assistant", "Good morning.\n\n(A greeting.)"),
    Turn("user", "And in 中文?"),
    Turn("assistant", "早上好。"),
    Turn("user", "Sort these.", "b\na\n\nc"),
)
LONG_TEXT = (
    WITH_INPUT.format(instruction=LONG[0].text, input=LONG[0].input)
    + "Good morning.\n\n(A greeting.){end}\n\n### Instruction:\nAnd in 中文?\n\n### Response:\n早上好。{end}"
    + "\n\n### Instruction:\nSort these.\n\n### Input:\nb\na\n\nc\n\n### Response:\n"
)


@pytest.fixture(params=[*OURS, *REAL])
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def load(tokenizer_folder: Callable[[str], Path]) -> Callable[..., Renderer]:
    return cache(lambda name, system=None: Renderer.load(tokenizer_folder(name), system=system, chat="alpaca"))


@pytest.fixture
def one(name: str, load: Callable[..., Renderer]) -> Renderer:
    return load(name)


def ids_of(one: Renderer, turns: Sequence[Turn]) -> tuple[int, ...]:
    if turns[-1].role != "assistant":
        return one.prompt(turns)
    prompt, answer = one.answer(turns[:-1], turns[-1].text)
    return prompt + answer


def test_the_texts_are_alpaca_s(one: Renderer) -> None:
    begin = one.tokenizer.bos_token or ""
    for turns, text in (
        ([ASKED], WITH_INPUT.format(instruction=ASKED.text, input=ASKED.input)),
        ([PLAIN], WITHOUT.format(instruction=PLAIN.text)),
        (LONG, LONG_TEXT.format(end=one.tokenizer.eos_token)),
    ):
        assert one.tokenizer.decode(one.prompt(turns)).removeprefix(begin).removeprefix(" ") == text


@LLAMA
def test_ids_are_those_of_the_whole_text(name: str, load: Callable[..., Renderer]) -> None:
    """LLaMA's vocabulary has a space before a word that begins a text, and none after the token that begins it."""
    one = load(name)
    for turn, form in ((ASKED, WITH_INPUT), (PLAIN, WITHOUT)):
        text = form.format(instruction=turn.text, input=turn.input)
        assert one.prompt([turn]) == tuple(one.tokenizer(text)["input_ids"])
        for answer in PROBES:
            prompt, said = one.answer([turn], answer)
            assert prompt + said == tuple(one.tokenizer(text + answer)["input_ids"])
    if name == "llama-like":
        return
    # "Below is an instruction that describes a task" and "### Response:\n", as LLaMA's sentencepiece model has them
    assert one.prompt([PLAIN])[:9] == (1, 13866, 338, 385, 15278, 393, 16612, 263, 3414)
    assert one.prompt([PLAIN])[-6:] == (13, 2277, 29937, 13291, 29901, 13)
    said = one.tokenizer.convert_ids_to_tokens(list(one.answer([PLAIN], "Guten Morgen")[1]))
    assert said == ["G", "uten", "▁M", "orgen"]  # no space before it: a line begins


def test_every_answer_ends_with_the_end_of_text(one: Renderer) -> None:
    assert one.end == one.stop == (one.tokenizer.eos_token_id,)
    runs = one.conversation([*LONG, Turn("assistant", "a\nb\nc")])
    assert [run.part for run in runs] == ["prompt", "answer", "end"] * 3
    assert {run.ids for run in runs if run.part == "end"} == {one.end}
    assert tuple(token for run in runs[:-2] for token in run.ids) == one.prompt(LONG)


def test_asking_and_training_see_the_same_ids(one: Renderer) -> None:
    for turns in ([ASKED], [PLAIN], LONG):
        for text in (*PROBES, "(in brackets)", ": colon", "## Heading", "### Response:\nagain"):
            prompt, answer = one.answer(turns, text)
            assert prompt == one.prompt(turns)
            runs = one.conversation([*turns, Turn("assistant", text)])
            assert tuple(token for run in runs for token in run.ids) == prompt + answer + one.end


def test_ids_are_read_back(one: Renderer) -> None:
    for turns in ((ASKED,), (PLAIN,), LONG, LONG[:3]):
        for whole in (turns, (*turns, Turn("assistant", "So: [1]\n\n### Answer"))):
            assert one.turns(ids_of(one, whole)) == whole
    prompt = one.prompt([ASKED])
    # without the token that begins a text, any words before the first instruction are a system prompt
    for ids in ([prompt[1:]] if one.tokenizer.bos_token else []) + [prompt[:-1], (*prompt, *one.encode("\n"))]:
        with pytest.raises(DataError, match="can't be read back as a conversation"):
            one.turns(ids)


def test_words_that_look_like_the_format(one: Renderer) -> None:
    for text in ("x\n\n### Input:\ny", "x\n\n### Response:\ny\n\n### Instruction:\nz", "### Response:"):
        for turns in ([Turn("user", text)], [Turn("user", "x", text)], [*LONG[:2], Turn("user", text)]):
            ids = one.prompt(turns)
            assert one.prompt(one.turns(ids)) == ids


@LLAMA
def test_a_system_prompt_stands_in_place_of_the_preamble(name: str, load: Callable[..., Renderer]) -> None:
    one = load(name, system="You speak plainly.")
    text = one.tokenizer.decode(one.prompt([ASKED]))
    assert re.fullmatch(r"<s> ?You speak plainly\.\n\n### Instruction:\nÜb.*\n\n### Response:\n", text, re.DOTALL)
    assert "Below is" not in text
    assert one.turns(one.prompt(LONG)) == (Turn("system", "You speak plainly."), *LONG)
    with pytest.raises(TemplateError, match="Only the first message may be a system prompt"):
        one.prompt([PLAIN, Turn("system", "x"), PLAIN])


def test_servers_get_a_prompt_that_ends_alike(one: Renderer) -> None:
    """They ask the template for what an answer follows, where this renderer cuts a finished turn."""
    messages = [{"role": "user", "content": PLAIN.text}]
    made = one.tokenizer.apply_chat_template(messages, add_generation_prompt=True)["input_ids"]
    assert tuple(made) == one.prompt([PLAIN])


def test_templates_that_know_no_inputs_get_both(renderer: Callable[[str], Renderer], any_backbone: str) -> None:
    own = renderer(any_backbone)
    assert own.prompt([ASKED]) == own.prompt([Turn("user", ASKED.whole)])


def test_a_text_begins_as_the_vocabulary_has_it(one: Renderer, name: str) -> None:
    begin = one.tokenizer.bos_token_id
    assert (begin is None) == name.startswith("qwen")
    assert begin is None or one.prompt([PLAIN])[0] == begin


@pytest.mark.parametrize("name", ["qwen-2.5-like", "qwen2.5-7b-instruct"])
def test_a_text_of_qwen_begins_with_nothing(name: str, load: Callable[..., Renderer]) -> None:
    qwen = load(name)
    assert qwen.prompt([PLAIN]) == tuple(qwen.tokenizer(WITHOUT.format(instruction=PLAIN.text))["input_ids"])
    assert qwen.end == (qwen.tokenizer.convert_tokens_to_ids("<|im_end|>"),)


@LLAMA
def test_sentencepiece_that_puts_its_own_space(
    name: str, load: Callable[..., Renderer], tokenizer_folder: Callable[[str], Path], tmp_path: Path
) -> None:
    """Older configurations of LLaMA put one after the first token themselves: then the template has none."""
    for path in tokenizer_folder(name).iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    settings = json.loads((tmp_path / "tokenizer_config.json").read_text()) | {"legacy": True}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    older, newer = Renderer.load(tmp_path, chat="alpaca"), load(name)
    text = WITHOUT.format(instruction=PLAIN.text)
    assert older.prompt([PLAIN]) == tuple(AutoTokenizer.from_pretrained(tmp_path)(text)["input_ids"])
    assert older.prompt([PLAIN]) == newer.prompt([PLAIN])
    starts = [one.tokenizer.chat_template.split("\n")[0] for one in (older, newer)]
    assert starts == ["{{- bos_token }}", "{{- bos_token + ' ' }}"]


def test_the_format_is_in_the_fingerprint(load: Callable[..., Renderer], renderer: Callable[[str], Renderer]) -> None:
    assert load("lab").fingerprint != renderer("lab").fingerprint
    assert load("lab").fingerprint == load("lab").fingerprint


@LLAMA
def test_a_saved_tokenizer_carries_the_format(name: str, load: Callable[..., Renderer], tmp_path: Path) -> None:
    one = load(name)
    one.tokenizer.save_pretrained(tmp_path)
    again = Renderer.load(tmp_path)
    assert again.tokenizer.chat_template == one.tokenizer.chat_template
    assert again.prompt(LONG) == one.prompt(LONG)


def test_a_vocabulary_without_an_end(made: Callable[..., Any]) -> None:
    tokenizer = made(None, eos=None)
    tokenizer.chat_template = chat_template("alpaca", tokenizer)
    with pytest.raises(TemplateError, match="could not be told where to stop"):
        Renderer(tokenizer)


@LLAMA
def test_requests_are_trained_where_it_is_asked_for(name: str, load: Callable[..., Renderer]) -> None:
    speak = Speaker(load(name))
    pair = Pair("Guten Morgen!", "Good morning!", "de", "en")
    shown = demonstration(pair, fixed=True)
    assert speak.texts(shown) == (shown.turns[0].whole, "Good morning!")
    form = WITH_INPUT.format(instruction=shown.turns[0].text, input="Guten Morgen!")
    masked, trained = (speak.example(speak.prefix(shown), prompt_weight=weight) for weight in (0.0, 1.0))
    assert masked.ids == trained.ids == (*speak.renderer.tokenizer(form + "Good morning!")["input_ids"], 2)
    assert [(part.name, part.weight) for part in trained.segments] == [("prompt", 1), ("reference", 1), ("end", 1)]
    assert [part.weight for part in masked.segments] == [0, 1, 1]
    assert trained.trained == len(trained.ids)
    talk = Dialogue((*LONG, Turn("assistant", "a")))
    assert [part.weight for part in speak.dialogue(talk).segments] == [0, 1, 1] * 3
    assert [part.weight for part in speak.dialogue(talk, prompt_weight=1.0).segments] == [1] * 9
    assert speak.dialogue(talk, prompt_weight=1.0).ids == speak.dialogue(talk).ids
    with pytest.raises(DataError, match="has no token to learn from: its answer is empty"):
        speak.example(Prefix("key", speak.request(shown), (), ()), prompt_weight=1.0)
