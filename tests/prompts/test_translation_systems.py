"""The prompts of published systems, to the character and the token, and what is taken of their answers."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from dragoman.corpora.records import Pair, Turn
from dragoman.errors import DataError, TemplateError
from dragoman.prompts.formats import FORMATS
from dragoman.prompts.languages import LANGUAGES
from dragoman.prompts.names_in_chinese import NAMES, name_in_chinese
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker
from dragoman.prompts.systems import SYSTEMS, parrot
from dragoman.recipe.judging import Chat, Prompt
from tests import real_ones

PAIR = Pair("我爱机器翻译。", "I love machine translation.", "zh", "en")
GERMAN = Pair('It\'s {fine}, "really".', "Es ist gut, wirklich.", "en", "de")
INPUT = (
    "Below is an instruction that describes a task, paired with an input that provides further context. "
    "Write a response that appropriately completes the request.\n\n"
)
WRITTEN = {
    "alma": "Translate this from Chinese to English:\nChinese: 我爱机器翻译。\nEnglish:",
    "parrot": f"{INPUT}### Instruction:\nTranslate the following sentences from Chinese to English.\n\n"
    "### Input:\n我爱机器翻译。\n\n### Response:",
    "parrot-hint": f"{INPUT}### Instruction:\nTranslate the following sentences from Chinese to English.\n\n"
    "### Input:\n我爱机器翻译。\n\n### Hint: A translation with no errors could be\n\n### Response:",
    "bigtrans": "以下是一个描述任务的指令，请写一个完成该指令的适当回复。\n\n### 指令:\n"
    "请将以下汉语句子翻译成英语：我爱机器翻译。\n\n### 回复:",
    "bayling": "I am an intelligent language assistant developed by the NLP Group of ICT/CAS.\nBelow is a dialog "
    "consisting of instructions and responses. Write a response that completes the request.\n\n### Instruction:\n"
    "Provide the English translation for this sentence: 我爱机器翻译。\n### Response:\n",
    "tower": "<|im_start|>user\nTranslate the following text from Chinese into English.\nChinese: 我爱机器翻译。\n"
    "English:<|im_end|>\n<|im_start|>assistant\n",
    "alpaca-lora": f"{INPUT}### Instruction:\nTranslate the following text from Chinese to English.\n\n"
    "### Input:\n我爱机器翻译。\n\n### Response:\n",
}


def test_every_prompt_that_a_recipe_can_name_is_there() -> None:
    assert {"own", *SYSTEMS} == set(get_args(Prompt))
    assert set(WRITTEN) == set(SYSTEMS)


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_prompt_of_a_system(name: str) -> None:
    assert SYSTEMS[name].ask(PAIR) == WRITTEN[name]
    assert GERMAN.source in SYSTEMS[name].ask(GERMAN)  # braces stay braces


def test_parrots_hints_and_its_other_template() -> None:
    plain = (
        "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
        "### Instruction:\nTranslate the following sentences from Chinese to English.\n\n我爱机器翻译。"
    )
    assert parrot(apart=False).ask(PAIR) == f"{plain}\n\n### Response:"
    minor = f"{plain}\n\n### Hint: A translation with minor errors could be\n\n### Response:"
    assert parrot("minor", apart=False).ask(PAIR) == minor
    assert "\n\n### Hint: A translation with major errors could be\n\n### Response:" in parrot("major").ask(PAIR)
    assert parrot("preferred").ask(PAIR).endswith("。\n\n### Hint: We prefer to translate it to\n\n### Response:")


def test_languages_are_named_as_the_systems_name_them() -> None:
    region = Pair("a", "b", "en_US", "zho_Hans")
    assert SYSTEMS["alma"].ask(region) == "Translate this from English to Chinese:\nEnglish: a\nChinese:"
    assert "请将以下英语句子翻译成汉语：a" in SYSTEMS["bigtrans"].ask(region)
    assert [name_in_chinese(code) for code in ("de", "cs", "ru", "is", "mn", "uig")] == [
        "德语", "捷克语", "俄语", "冰岛语", "蒙古语", "维吾尔语",
    ]  # fmt: skip
    assert set(NAMES) == set(LANGUAGES)
    assert name_in_chinese("nb") == "挪威博克马尔语 巴克摩挪威文"
    with pytest.raises(DataError, match="'xx' is not known"):
        SYSTEMS["bigtrans"].ask(Pair("a", "b", "xx", "en"))


@pytest.mark.parametrize(
    ("name", "answer", "taken"),
    [
        ("alma", " I love it.\nChinese: 你好", "I love it."),
        ("alma", "\n\n I love it.", "I love it."),
        ("alma", "\n\n\n I love it.", ""),
        ("alma", "", ""),
        ("alma", "\nEnglish: I love it.\nmore", "I love it."),
        ("parrot", "I love\nit.\n\n### Response: more", "I love it."),
        ("parrot-hint", " I love it.", "I love it."),
        ("parrot", "<p> I love it. </p> rather than <p> x </p>", " I love it. "),
        ("alpaca-lora", " I love\nit.\n\n### Response:\nmore", "I love\nit."),
        ("bigtrans", " I love it.\n", "I love it."),
        ("bayling", "I love it. ", "I love it."),
        ("bayling", "\nI love\nit.", "I love it."),
        ("tower", "I love it.", "I love it."),
    ],
)
def test_what_is_taken_of_an_answer(name: str, answer: str, taken: str) -> None:
    assert SYSTEMS[name].after(answer, PAIR) == taken


LLAMAS = pytest.mark.parametrize("name", ["llama-2-like", "llama-like", *real_ones("llama-2-7b-chat", "llama-7b")])

# "<s>", "▁Trans", "late", … "▁", "我", 爱 as three bytes, "机", …
ALMA_IDS = (
    1, 4103, 9632, 445, 515, 10013, 304, 4223, 29901, 13, 1451, 8233, 29901, 29871, 30672, 234, 139, 180, 31429, 30943,
    234, 194, 190, 235, 178, 148, 30267, 13, 24636, 29901,
)  # fmt: skip


@pytest.fixture
def llama(tokenizer_folder: Callable[[str], Path]) -> Callable[[str], Renderer]:
    """With a chat template, and without one, as these systems come."""
    return lambda name: Renderer.load(tokenizer_folder(name))


@LLAMAS
@pytest.mark.parametrize("system", ["alma", "parrot", "parrot-hint", "bigtrans", "bayling", "alpaca-lora"])
def test_the_ids_are_those_of_the_systems_own_scripts(name: str, system: str, llama: Callable[[str], Renderer]) -> None:
    """They call the tokenizer on the whole text, which puts the first token before it."""
    speak = Speaker(llama(name), format=SYSTEMS[system])
    ids = speak.translate(PAIR)
    assert list(ids) == speak.renderer.tokenizer(WRITTEN[system])["input_ids"]
    assert ids[0] == 1
    assert ids[1:].count(1) == 0


def test_the_ids_of_almas_prompt(llama: Callable[[str], Renderer]) -> None:
    speak = Speaker(llama("llama-2-7b-chat"), format=SYSTEMS["alma"])
    assert speak.translate(PAIR) == ALMA_IDS


@pytest.mark.parametrize("name", ["llama-2-like", "llama-2-7b-chat"])
def test_a_speaker_with_a_format(name: str, llama: Callable[[str], Renderer]) -> None:
    renderer = llama(name)
    plain, alma = Speaker(renderer), Speaker(renderer, format=SYSTEMS["alma"])
    assert plain.after(" a\nb", PAIR) == " a\nb"
    assert alma.after(" a\nb", PAIR) == "a"
    assert plain.translate(PAIR) == plain.request(replace(PAIR, target="")) != alma.translate(PAIR)
    assert alma.chat("Hello.") == plain.chat("Hello.")  # all else in its chat format
    assert alma.stop == plain.stop == (2,)


@pytest.mark.parametrize(
    ("name", "other"), [("qwen-2.5-like", "llama-2-like"), ("qwen2.5-7b-instruct", "llama-2-7b-chat")]
)
def test_towers_turns_end_where_its_vocabulary_has_the_token(
    name: str, other: str, renderer: Callable[[str], Renderer]
) -> None:
    qwen = renderer(name)  # another vocabulary with the same three tokens
    speak = Speaker(qwen, format=SYSTEMS["tower"])
    end = qwen.tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert end in speak.stop
    ids = speak.translate(PAIR)
    assert ids.count(qwen.tokenizer.convert_tokens_to_ids("<|im_start|>")) == 2
    assert ids.count(end) == 1
    llama = Speaker(renderer(other), format=SYSTEMS["tower"])
    assert llama.stop == (2,)  # the end of text alone


@pytest.mark.parametrize(("name", "other"), [("llama-like", "llama-2-like"), ("llama-7b", "llama-2-7b-chat")])
def test_without_a_chat_template_there_are_whole_prompts_and_no_conversations(
    name: str, other: str, llama: Callable[[str], Renderer]
) -> None:
    speak = Speaker(llama(name), format=SYSTEMS["alma"])
    assert not speak.renderer.converses
    assert speak.translate(PAIR) == (
        ALMA_IDS if name == "llama-7b" else Speaker(llama(other), format=SYSTEMS["alma"]).translate(PAIR)
    )
    assert speak.stop == speak.renderer.end == (2,)
    assert speak.decode(speak.renderer.encode("Good morning.")) == "Good morning."
    assert speak.plain("Good")[0] == 1
    assert speak.renderer.fingerprint != llama(other).fingerprint
    for asked in (speak.chat, lambda text: Speaker(speak.renderer).translate(PAIR)):
        with pytest.raises(TemplateError, match=rf"{name} has no chat template.*`chat: alpaca`"):
            asked("Hello.")


# What each system's own code writes for a conversation of two turns, up to where it answers the second.
SPOKEN = {
    "parrot": "Below is an instruction that describes a task. Write a response that appropriately completes the "
    "request.\n\n### Instruction:\nHello!\n\n### Response:Hi.</s>\n\n### Instruction:\nBye!\n\n### Response:",
    "bigtrans": "以下是一个描述任务的指令，请写一个完成该指令的适当回复。\n\n### 指令:\nHello!\n\n### 回复:Hi.</s>\n\n"
    "### 指令:\nBye!\n\n### 回复:",
    "bayling": "I am an intelligent language assistant developed by the NLP Group of ICT/CAS.\nBelow is a dialog "
    "consisting of instructions and responses. Write a response that completes the request.\n\n### Instruction:\n"
    "Hello!\n### Response:\nHi.</s>\n### Instruction:\nBye!\n### Response:\n",
}
TURNS = [Turn("user", "Hello!"), Turn("assistant", "Hi."), Turn("user", "Bye!")]


def test_every_system_that_converses_has_its_format() -> None:
    assert {"own", *FORMATS} == set(get_args(Chat))
    assert {name: system.chat for name, system in SYSTEMS.items()} == {
        "alma": None,
        "parrot": "parrot",
        "parrot-hint": "parrot",
        "bigtrans": "bigtrans",
        "bayling": "bayling",
        "tower": "tower",
        "alpaca-lora": "alpaca",
    }


@LLAMAS
@pytest.mark.parametrize("chat", SPOKEN)
def test_conversations_have_the_ids_of_the_systems_own_scripts(
    name: str, chat: Chat, tokenizer_folder: Callable[[str], Path]
) -> None:
    one = Renderer.load(tokenizer_folder(name), chat=chat)
    assert list(one.prompt(TURNS)) == one.tokenizer(SPOKEN[chat])["input_ids"]
    assert one.prompt(TURNS)[0] == 1
    assert one.end == one.stop == (2,)
    runs = one.conversation([*TURNS, Turn("assistant", "See you.")])
    assert [run.part for run in runs] == ["prompt", "answer", "end"] * 2
    assert runs[0].ids == one.prompt(TURNS[:1])
    assert one.turns(one.prompt(TURNS)) == tuple(TURNS)
    own = Renderer.load(tokenizer_folder(name), chat=chat, system="Be brief.\n")
    assert own.tokenizer.decode(own.prompt(TURNS)).startswith("<s> Be brief.\n\n\n###")


@pytest.mark.parametrize("system", ["parrot", "bigtrans", "bayling"])
@LLAMAS
def test_a_request_in_a_conversation_is_the_systems_own_prompt(
    name: str, system: str, tokenizer_folder: Callable[[str], Path]
) -> None:
    """The two ways of asking differ in nothing where the same is asked."""
    found = SYSTEMS[system]
    assert found.chat is not None
    one = Renderer.load(tokenizer_folder(name), chat=found.chat)
    before, between, after = {
        "parrot": ("### Instruction:\n", "\n\n### Input:\n", "\n\n### Response:"),
        "bigtrans": ("### 指令:\n", "", "\n\n### 回复:"),
        "bayling": ("### Instruction:\n", "", "\n### Response:\n"),
    }[system]
    request = found.ask(PAIR).split(before)[1].removesuffix(after)
    said, _, about = request.partition(between) if between else (request, "", "")
    assert one.prompt([Turn("user", said, about)]) == one.written(found.ask(PAIR))


@pytest.mark.parametrize(("name", "other"), [("qwen-2.5-like", "llama-like"), ("qwen2.5-7b-instruct", "llama-7b")])
def test_towers_conversations(name: str, other: str, tokenizer_folder: Callable[[str], Path]) -> None:
    one = Renderer.load(tokenizer_folder(name), chat="tower")
    text = (
        "<|im_start|>user\nHello!<|im_end|>\n<|im_start|>assistant\nHi.<|im_end|>\n<|im_start|>user\nBye!<|im_end|>\n"
    )
    assert one.tokenizer.decode(one.prompt(TURNS)) == f"{text}<|im_start|>assistant\n"  # and no system prompt
    (turn,) = TURNS[:1]
    asked = Turn("user", SYSTEMS["tower"].ask(PAIR).removeprefix("<|im_start|>user\n").split("<|im_end|>")[0])
    assert one.prompt([asked]) == one.written(SYSTEMS["tower"].ask(PAIR)) != one.prompt([turn])
    with pytest.raises(TemplateError, match=r"ends the assistant's turn with '<\|im_end\|>\\n'.* no special token"):
        Renderer.load(tokenizer_folder(other), chat="tower")  # a vocabulary without these tokens
