"""The renderer with the vocabularies and chat templates of real backbones."""

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest

from dragoman.corpora.records import Turn
from dragoman.errors import DataError, EngineError, TemplateError
from dragoman.prompts.render import Renderer, Run
from dragoman.prompts.template import PROBES
from tests import look_alikes

USER = [Turn("user", "Translate from German to English:\nGuten Morgen!")]
CHATML = "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
ENDS = {
    "llama-2-7b-chat": (29871, 2),
    "mistral-7b-instruct-v0.2": (2,),
    "mistral-7b-instruct-v0.2 (2023-12)": (2,),
    "qwen2.5-7b-instruct": (151645,),
    "qwen3-8b": (151645,),
    "llama-3-8b-instruct": (128009,),
    "smollm2-135m-instruct": (2,),
}


def joined(runs: Iterable[Run]) -> tuple[int, ...]:
    return tuple(chain.from_iterable(run.ids for run in runs))


def test_prefix_is_what_transformers_continues(
    backbone: str, renderer: Callable[[str], Renderer], expected: dict[str, Any]
) -> None:
    prompt, answer = renderer(backbone).answer([Turn("user", expected["user"])], expected["y"])
    assert prompt + answer == tuple(expected["tokenizers"][backbone]["prefix_ids"])


def test_finished_turns_are_what_transformers_renders(
    backbone: str, renderer: Callable[[str], Renderer], expected: dict[str, Any]
) -> None:
    facts = expected["tokenizers"][backbone]
    long = [Turn("user", expected["user"]), Turn("assistant", expected["y"] + expected["r"])]
    for turns, name in (([Turn("user", "x"), Turn("assistant", "y")], "one_turn_ids"), (long, "full_ids")):
        ids = joined(renderer(backbone).conversation(turns))
        whole = tuple(facts[name])
        assert ids == whole[: len(ids)]
        # all that may be missing is the line feed that ChatML writes after the end of a turn
        assert renderer(backbone).tokenizer.decode(whole[len(ids) :]).strip() == ""


def test_a_prompt_begins_with_the_opening(backbone: str, renderer: Callable[[str], Renderer]) -> None:
    """So what a model writes after it stands where a user's text would."""
    made = renderer(backbone)
    opening, after = made.opening
    for text in ("Who are you?", "Yes."):
        prompt = made.prompt([Turn("user", text)])
        assert prompt[: len(opening)] == opening
        assert made.decode(prompt[len(opening) :]).lstrip().startswith(text)
        assert text + after.rstrip() in made.tokenizer.decode(prompt)
    assert {made.stop[0], made.encode("\n")[-1]} <= set(made.ends_of_line)
    assert not set(made.encode("One, two.")) & set(made.ends_of_line)


def test_end_and_stop(backbone: str, renderer: Callable[[str], Renderer]) -> None:
    assert renderer(backbone).end == ENDS[backbone]
    assert renderer(backbone).stop == ENDS[backbone][-1:]


@pytest.mark.parametrize("name", look_alikes.CHAT)
def test_what_ends_an_answer_ends_it(name: str, renderer: Callable[[str], Renderer]) -> None:
    one = renderer(name)
    before = ["▁"] if name == "llama-2-like" else []
    assert one.tokenizer.convert_ids_to_tokens(list(one.end)) == [*before, one.tokenizer.eos_token]
    assert one.stop == (one.tokenizer.eos_token_id,)


def test_what_keeps_an_answer_from_ending_at_once(any_backbone: str, renderer: Callable[[str], Renderer]) -> None:
    """Llama-2's own end begins with a bare space, which may then not come first either."""
    one = renderer(any_backbone)
    banned, tokens = one.going_on
    assert tokens == 1
    space = {one.tokenizer.convert_tokens_to_ids("▁")} if any_backbone.startswith("llama-2") else set()
    assert set(banned) == set(one.stop) | space


def test_what_else_begins_with_the_first_token_of_llama_2s_end(
    renderer: Callable[[str], Renderer], real_data: Path
) -> None:
    """The table in docs/boundary.md: sentences after a full stop, with something between."""
    one = renderer("llama-2-7b-chat")
    before = one.tokenizer("Good morning.")["input_ids"]
    for languages, least, most in (("ces deu eng ita rus spa", 0, 0.8), ("arb", 95.6, 95.6), ("zho", 98, 98)):
        for language in languages.split():
            (path,) = (real_data / "flores200" / "devtest").glob(f"{language}_*.devtest")
            sentences = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
            for between, low, high in ((" ", least, most), ("", 0, 0), ("\n\n", 0, 0), (" \n", 100, 100)):
                ids = one.tokenizer([f"Good morning.{between}{sentence}" for sentence in sentences])["input_ids"]
                share = 100 * sum(found[len(before)] == one.end[0] for found in ids) / len(ids)
                assert low <= round(share, 1) <= high, (language, between)


def test_an_end_that_begins_with_a_line_feed_leaves_line_feeds_to_explanations(made: Callable[..., Any]) -> None:
    """They begin with one, as a rule: there the token that ends is kept from as many places as the end has."""
    one = Renderer(made(CHATML.replace("<|im_end|>", "\n<|im_end|>")))
    assert len(one.end) == 2
    assert one.going_on == (one.stop, 2) == ((257,), 2)


def test_prompt_is_the_generation_prompt(
    backbone: str, renderer: Callable[[str], Renderer], expected: dict[str, Any]
) -> None:
    prompt = renderer(backbone).prompt([Turn("user", "x")])
    generation = tuple(expected["tokenizers"][backbone]["generation_prompt_ids"])
    if backbone == "qwen3-8b":  # whose finished turns have an empty think block more
        block = renderer(backbone).tokenizer("<think>\n\n</think>\n\n")["input_ids"]
        assert prompt == generation + tuple(block)
    else:
        assert prompt == generation


def test_prompt_is_the_same_for_asking_and_for_training(any_backbone: str, renderer: Callable[[str], Renderer]) -> None:
    one = renderer(any_backbone)
    for text in (*PROBES, "(in brackets)", ": colon", "//", "Good morning!"):
        prompt, answer = one.answer(USER, text)
        assert prompt == one.prompt(USER)
        assert normalize("NFC", one.decode(answer).strip()) == normalize("NFC", text)  # Qwen composes letters


def test_answers_are_stripped(any_backbone: str, renderer: Callable[[str], Renderer]) -> None:
    one = renderer(any_backbone)
    assert one.answer(USER, "\n Good morning! \n\n") == one.answer(USER, "Good morning!")
    assert one.answer(USER, " ")[1] == ()


def test_special_tokens_in_a_text_stay_text(any_backbone: str, renderer: Callable[[str], Renderer]) -> None:
    one = renderer(any_backbone)
    text = f"(a) struck <s>out</s>, {one.tokenizer.eos_token} and <|im_end|>."
    prompt, answer = one.answer(USER, text)
    assert set(answer).isdisjoint(one.tokenizer.all_special_ids)
    assert one.decode(answer).strip() == text
    whole = one.tokenizer.decode(prompt + answer)
    assert whole.removesuffix(text).rstrip(" ") == one.tokenizer.decode(prompt)
    runs = one.conversation([*USER, Turn("assistant", text)])
    assert runs[1].ids == answer
    assert [run.part for run in runs] == ["prompt", "answer", "end"]


def test_whole_conversations(any_backbone: str, renderer: Callable[[str], Renderer]) -> None:
    """Of several turns too, the ids are those of the template's own rendering."""
    one = renderer(any_backbone)
    turns = [
        Turn("user", "Hello, how are you?"),
        Turn("assistant", "Fine.\n\nAnd you?"),
        Turn("user", "(Not bad.)"),
        Turn("assistant", "Good"),
        Turn("user", "Bye!"),
        Turn("assistant", "„Bis bald“"),
    ]
    runs = one.conversation(turns)
    messages = [{"role": turn.role, "content": turn.text} for turn in turns]
    whole = tuple(one.tokenizer.apply_chat_template(messages)["input_ids"])
    assert joined(runs) == whole[: len(joined(runs))]
    assert one.tokenizer.decode(whole[len(joined(runs)) :]).strip() == ""
    assert [run.part for run in runs] == ["prompt", "answer", "end"] * 3
    assert [one.decode(run.ids).strip() for run in runs if run.part == "answer"] == [
        "Fine.\n\nAnd you?",
        "Good",
        "„Bis bald“",
    ]
    assert {run.ids for run in runs if run.part == "end"} == {one.end}


def test_one_beginning(any_backbone: str, renderer: Callable[[str], Renderer]) -> None:
    one = renderer(any_backbone)
    begin = one.tokenizer.bos_token_id
    prompt = one.prompt(USER)
    if any_backbone.startswith(("llama", "mistral")):
        assert prompt[0] == begin
        assert prompt.count(begin) == 1


@pytest.mark.parametrize(
    ("name", "bracket", "text"),
    [
        ("mistral-like (2023-12)", ["▁", "[/", "INST", "]"], ["▁te", "xt"]),
        ("mistral-7b-instruct-v0.2 (2023-12)", ["▁[", "/", "INST", "]"], ["▁text"]),
    ],
)
def test_boundary_token_is_split(
    name: str, bracket: list[str], text: list[str], renderer: Callable[[str], Renderer]
) -> None:
    """In Mistral's first template nothing stands between `[/INST]` and the answer, and `](` is one token."""
    one = renderer(name)
    assert "](" in one.tokenizer.get_vocab()
    prompt, answer = one.answer(USER, "(aside) text")
    tokens = one.tokenizer.convert_ids_to_tokens
    assert tokens(list(prompt[-4:])) == bracket
    assert tokens(list(answer)) == ["(", "as", "ide", ")", *text]
    assert one.tokenizer.decode(prompt + answer).endswith("[/INST](aside) text")


@pytest.mark.parametrize(
    ("name", "said"), [("qwen-2.5-like", "You are a look-alike"), ("qwen2.5-7b-instruct", "You are Qwen")]
)
def test_system_prompt(name: str, said: str, renderer: Callable[[str], Renderer]) -> None:
    tokenizer = renderer(name).tokenizer
    default, own = Renderer(tokenizer), Renderer(tokenizer, "Be brief.")
    assert said in tokenizer.decode(default.prompt(USER))
    assert tokenizer.decode(own.prompt(USER)).startswith("<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n")
    turns = [Turn("system", "Be long."), *USER]
    assert "Be long." in tokenizer.decode(own.prompt(turns))
    assert "Be brief." not in tokenizer.decode(own.prompt(turns))


@pytest.mark.parametrize("name", ["mistral-like (2023-12)", "mistral-7b-instruct-v0.2 (2023-12)"])
def test_system_prompt_refused(name: str, renderer: Callable[[str], Renderer]) -> None:
    tokenizer = renderer(name).tokenizer
    with pytest.raises(TemplateError, match="It knows no system prompt: leave `system` out of the recipe"):
        Renderer(tokenizer, "Be brief.")


def test_system_prompt_swallowed(made: Callable[..., Any]) -> None:
    template = CHATML.replace("in messages", "in messages if m['role'] != 'system'")
    Renderer(made(template))
    with pytest.raises(TemplateError, match="leaves the system prompt out"):
        Renderer(made(template), "Be brief.")


@pytest.mark.parametrize("name", ["llama-like", "llama-7b"])
def test_no_template(name: str, tokenizer_folder: Callable[[str], Path]) -> None:
    one = Renderer.load(tokenizer_folder(name))
    for asked in (
        one.require_chat,
        lambda: one.prompt(USER),
        lambda: one.conversation([*USER, Turn("assistant", "x")]),
    ):
        with pytest.raises(
            TemplateError, match=rf"{name} has no chat template.*Take the instruct or chat version.*`chat: alpaca`"
        ):
            asked()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("m['content'] | replace('\\n\\n', '\\n')", r"it turned 'a\\n\\nb' into 'a\\nb'"),
        ("m['content'] | lower", "does not render the assistant's text as it is"),
        ("m['content'] | escape", "it turned 'He said .* into 'He said &#34;yes"),
        ("m['content'].split('\\n')[0]", r"it turned 'first line\\nsecond line' into 'first line'"),
        ("m['content'][:40]", "alters the assistant's text"),
    ],
)
def test_template_that_alters_the_text(made: Callable[..., Any], change: str, said: str) -> None:
    Renderer(made(CHATML))
    with pytest.raises(TemplateError, match=said):
        Renderer(made(CHATML.replace("m['content']", change)))


def test_template_without_an_end(made: Callable[..., Any]) -> None:
    open_ended = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
    one = Renderer(made(open_ended))
    assert one.end == one.stop == (257,)  # the vocabulary's own end
    with pytest.raises(TemplateError, match="no special token, so a model could not be told where to stop"):
        Renderer(made(open_ended, eos=None))
    with pytest.raises(TemplateError, match="ends the assistant's turn with '###"):
        Renderer(made(open_ended.replace("\n{% endfor", "###{% endfor")))


def test_stop_has_the_end_of_text_too(made: Callable[..., Any]) -> None:
    assert Renderer(made(CHATML, eos="<|im_start|>")).stop == (257, 256)


def test_conversation_that_teaches_nothing(made: Callable[..., Any]) -> None:
    one = Renderer(made())
    for turns in ([Turn("user", "x")], [Turn("user", "x"), Turn("assistant", " ")]):
        with pytest.raises(DataError, match="must end with the assistant's turn"):
            one.conversation(turns)


def test_today_is_not_part_of_the_prompt(made: Callable[..., Any]) -> None:
    dated = Renderer(made("{{ strftime_now('%Y-%m-%d') }}" + CHATML))
    text = dated.tokenizer.decode(dated.prompt(USER))
    assert text.startswith("2024-07-26<|im_start|>")
    assert datetime.now().strftime("%Y-%m-%d") not in text


def test_fingerprint_names_what_determines_the_ids(made: Callable[..., Any]) -> None:
    one = Renderer(made()).fingerprint
    assert Renderer(made()).fingerprint == one
    other = made()
    other.add_special_tokens({"pad_token": "<pad>"})
    assert len({one, Renderer(made(), "Be brief.").fingerprint, Renderer(made("\n" + CHATML)).fingerprint}) == 3
    assert Renderer(other).fingerprint != one


def test_fingerprint_stays_when_the_tokenizer_is_used(made: Callable[..., Any]) -> None:
    tokenizer = made()
    one = Renderer(tokenizer).fingerprint
    tokenizer(["some text", "more of it"], truncation=True, max_length=5)
    assert Renderer(tokenizer).fingerprint == one


def test_nothing_to_load(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"no tokenizer can be loaded from the folder .*holds nothing"):
        Renderer.load(tmp_path)
    with pytest.raises(EngineError, match="no tokenizer found for 'nobody/nothing': there is no such folder"):
        Renderer.load("nobody/nothing")


@pytest.mark.parametrize("name", ["smollm-like", "smollm2-135m-instruct"])
def test_decode_leaves_spaces_alone(name: str, renderer: Callable[[str], Renderer]) -> None:
    one = renderer(name)
    ids = one.tokenizer("it 's , fine . <|im_end|>")["input_ids"]
    assert one.decode(ids) == "it 's , fine . "
