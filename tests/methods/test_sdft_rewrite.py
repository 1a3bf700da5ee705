"""SDFT: what the backbone is asked, what of its rewrites is learnt, and where the original is kept."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from dragoman.corpora.records import Dialogue, Turn
from dragoman.generation.ask import Completion, Sampling
from dragoman.methods.sdft_rewrite import Options, prompt_of, reason_to_keep, same_code, sdft_rewrite
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker
from tests import real_ones
from tests.methods.method_kit import CHAT, PAIR, RECORDS, Known, ended, plain, says, segments, told

ASKED = """Below are an instruction that describes a task along with a reference answer. \
Using the reference answer as a guide, write your own response.{between}### Instruction:
Could you please translate this sentence from German to English?
Der Hund schläft.

### Reference Answer:
The dog sleeps.

### Response:{after}"""


@pytest.mark.parametrize("template", ["chat", "paper"])
def test_the_rewrite_is_learnt_as_an_answer_to_the_original_request(
    vocabulary: tuple[Speaker, Known], template: Literal["chat", "paper"]
) -> None:
    speak, known = vocabulary
    rewrite = ended(known.own, "The dog is asleep.", speak)
    cut = Completion(known.own, "The dog is asleep.", "length")
    asks, lesson = told(sdft_rewrite(RECORDS, speak, Options(template=template)), says(rewrite, cut))
    assert [ask.model for ask in asks] == ["backbone"]
    assert asks[0].prompts == [prompt_of(record, speak, template) for record in RECORDS]
    assert asks[0].sampling == Sampling(512, speak.stop)
    assert [segments(example) for example in lesson.examples] == [
        [("prompt", known.prompt, 0), ("own", known.own, 1), ("end", known.end, 1)],
        plain(known)[1],
    ]
    assert [example.key for example in lesson.examples] == [PAIR.key, CHAT.key]
    assert +lesson.notes == {"rewritten": 1, "originals kept: cut off at the limit": 1}


def test_raw_text_has_no_chat_format_but_the_token_that_begins_a_text(vocabulary: tuple[Speaker, Known]) -> None:
    speak, _ = vocabulary
    ids = prompt_of(PAIR, speak, "paper")
    assert ids[0] == 1
    assert speak.decode(ids[1:]).strip() == ASKED.format(between=" ", after="\n").strip()
    assert speak.decode(ids).endswith("### Response:\n")


@pytest.mark.parametrize(
    "name", ["llama-2-like", "mistral-like", *real_ones("llama-2-7b-chat", "mistral-7b-instruct-v0.2")]
)
def test_raw_text_has_the_ids_of_the_pieces_by_themselves(backbone_folder: Callable[[str], Path], name: str) -> None:
    """As SDFT's code joins them: the system's text and the body are encoded apart, and SentencePiece puts the space."""
    speak = Speaker(Renderer.load(backbone_folder(name)))
    before, body = ASKED.format(between="|", after="\n").split("|")
    apart = [speak.renderer.tokenizer(text, add_special_tokens=False)["input_ids"] for text in (before, body)]
    assert prompt_of(PAIR, speak, "paper") == (1, *apart[0], *apart[1])


@pytest.mark.parametrize("name", ["qwen-2.5-like", "qwen2.5-7b-instruct"])
def test_a_vocabulary_without_a_first_token_has_none_in_raw_text(
    backbone_folder: Callable[[str], Path], name: str
) -> None:
    speak = Speaker(Renderer.load(backbone_folder(name)))
    start = speak.renderer.encode("Below are an")
    assert prompt_of(PAIR, speak, "paper")[: len(start)] == start


def test_the_chat_format_holds_the_same_words_in_the_user_s_turn(vocabulary: tuple[Speaker, Known]) -> None:
    speak, _ = vocabulary
    (turn,) = speak.renderer.turns(prompt_of(PAIR, speak, "chat"))
    assert turn == Turn("user", ASKED.format(between="\n\n", after=""))
    (turn,) = speak.renderer.turns(prompt_of(CHAT, speak, "chat"))
    assert "\nUser: 2+2?\n\nAssistant: 4\n\nUser: And 3?\n\n### Reference Answer:\n6\n\n" in turn.text


@pytest.mark.parametrize("name", ["llama-3-like", "llama-3-8b-instruct"])
def test_raw_text_that_ends_in_another_token_ends_as_a_turn_does(
    backbone_folder: Callable[[str], Path], name: str
) -> None:
    speak = Speaker(Renderer.load(backbone_folder(name)))
    end_of_text, end_of_turn = speak.renderer.tokenizer.convert_tokens_to_ids(["<|end_of_text|>", "<|eot_id|>"])
    rewrite = Completion((*speak.renderer.encode("The dog"), end_of_text), "The dog", "stop")
    ends = [
        told(sdft_rewrite([PAIR], speak, Options(template=template)), says(rewrite))[1].examples[0].segments[-1].ids
        for template in ("paper", "chat")
    ]
    assert ends == [(end_of_turn,), (end_of_text,)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("The dog is asleep.", ""),
        ("As the Reference Answer says, the dog sleeps.", "says “reference answer”"),
        ("YOUR RESPONSE: the dog sleeps.", "says “your response”"),
        ("My response: the dog sleeps.", "says “my response”"),
        ("Write your own response.", "says “your own response”"),
        ("Now it's your turn!", "says “now it's your turn”"),
        ("  Your turn", "begins “Your turn”"),
        ("your turn", ""),  # as in SDFT's code, which asks for the capital
        ("It is Your turn", ""),
        (" \n", "empty"),
    ],
)
def test_rules_by_which_an_original_is_kept(text: str, reason: str) -> None:
    assert reason_to_keep(PAIR, Completion((7, 2), text, "stop")) == reason


def test_what_was_cut_off_or_refused_is_kept_as_it_was() -> None:
    assert reason_to_keep(PAIR, Completion((7,), "The dog is", "length")) == "cut off at the limit"
    assert reason_to_keep(PAIR, Completion((), "", "failed", why="busy")) == "failed"


BARE = "def f(x):\n    if x:\n        return x + 3"
FENCED = f"Here is the code:\n\n```python\n{BARE}\n```\n\nIt adds three."


@pytest.mark.parametrize(
    ("reference", "rewrite", "same"),
    [
        (BARE, f"Sure!\n\n```python\n{BARE}\n```", True),
        (BARE, BARE.replace("x + 3", "x+3").replace("\n", "\n\n"), True),
        (BARE, f"I have written it.\n{BARE}\n\nIt adds three.", True),
        (BARE, BARE.replace("+", "-"), False),
        (BARE, BARE.replace("        return", "    return"), False),  # another program
        (BARE, "It adds three.", False),
        (FENCED, f"1. This adds three:\n\n   ```py\n   {BARE.replace(chr(10), chr(10) + '   ')}\n   ```", True),
        (FENCED, f"```\nimport re\n\n{BARE}\n```", True),
        (FENCED, f"```\n{BARE}", True),
        (FENCED, f"```\n{BARE[:20]}\n```", False),
        (FENCED + "\n```\nprint(f(1))\n```", FENCED, False),
        (FENCED + "\n```\nprint(f(1))\n```", f"```\n{BARE}\nprint(f(1))\n```", True),
        ("The class is over.\nimport duties rise.", "Anything.", True),  # no code
        ("x plus three", "three and x", True),
    ],
)
def test_code_of_a_conversation_stays_as_it_is(reference: str, rewrite: str, same: bool) -> None:
    assert same_code(reference, rewrite) is same
    lesson = Dialogue((Turn("user", "Add three."), Turn("assistant", reference)))
    assert reason_to_keep(lesson, Completion((7, 2), rewrite, "stop")) == ("" if same else "other code")


def test_a_request_that_leaves_no_room_is_not_made(lab: tuple[Speaker, Known]) -> None:
    known = lab[1]
    short, long = (len(prompt_of(record, lab[0], "chat")) for record in RECORDS)
    assert short < long
    speak = Speaker(lab[0].renderer, context=long)
    rewrite = ended(known.reference, "The dog sleeps.", speak)
    asks, lesson = told(sdft_rewrite(RECORDS, speak, Options()), says(rewrite))
    assert asks[0].prompts == [prompt_of(PAIR, speak, "chat")]
    assert segments(lesson.examples[1]) == plain(known)[1]
    assert +lesson.notes == {
        "originals kept: too long for the model's context": 1,
        "rewritten": 1,
        "rewritten to the same words": 1,
    }
