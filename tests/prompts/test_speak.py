"""Records become prompts and training examples."""

from collections import Counter
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from dragoman.corpora.formats.parallel import ParallelText, read
from dragoman.corpora.records import Check, Dialogue, Pair, Question, Turn
from dragoman.errors import DataError
from dragoman.generation.ask import Completion
from dragoman.prompts.examples import Example
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker
from dragoman.prompts.translation import ALONE, INSTRUCTIONS, instruction
from tests import look_alikes, real_ones

PAIR = Pair("Guten Morgen!", "Good morning!", "de", "en")


def names(example: Example) -> list[tuple[str, float]]:
    return [(segment.name, segment.weight) for segment in example.segments]


def test_instructions_are_those_of_the_paper() -> None:
    asked = {instruction(Pair(f"Satz {number}.", "A sentence.", "de", "zh_Hant")) for number in range(60)}
    number_seven = {text for text in asked if "Satz 7." in text}
    assert len(number_seven) == 1
    assert {text.split("Satz")[0] for text in asked} == {
        "Could you please translate this sentence from German to Traditional Chinese?\n",
        "Translate the following sentence from German to Traditional Chinese:\n",
        "Translate this sentence from German to Traditional Chinese.\n",
        "Translate from German to Traditional Chinese:\n",
        "",
    }
    assert instruction(PAIR) in {
        form.format(source="German", target="English", text="Guten Morgen!") for form in INSTRUCTIONS
    }
    last = next(text for text in asked if text.startswith("Satz"))
    assert last.endswith(".\nTranslate this sentence to Traditional Chinese.")


def test_the_translation_alone_is_asked_for_in_each_of_them() -> None:
    for number in range(60):
        pair = Pair(f"Satz {number}. Traditional Chinese", "A sentence.", "de", "zh_Hant")
        plain, alone = instruction(pair), instruction(pair, alone=True)
        assert alone.count(ALONE) == 1
        assert alone.replace(ALONE, "") == plain
        assert pair.source in alone


def test_only_what_asks_for_it_asks_for_the_translation_alone(
    any_backbone: str, renderer: Callable[[str], Renderer]
) -> None:
    plain = Speaker(renderer(any_backbone))
    alone = Speaker(renderer(any_backbone), alone=True)
    asked = alone.translate(PAIR)
    assert ALONE in alone.renderer.tokenizer.decode(asked)
    assert ALONE not in plain.renderer.tokenizer.decode(plain.translate(PAIR))
    assert alone.but({}).translate(PAIR) == asked
    assert alone.prefix(PAIR) == plain.prefix(PAIR)  # what is learnt is asked as a method says
    assert plain.prefix(PAIR, alone=True).reference == plain.prefix(PAIR).reference
    assert ALONE in plain.renderer.tokenizer.decode(plain.prefix(PAIR, alone=True).prompt)


def test_draw_of_instructions() -> None:
    """Even, the same each time, another with another seed, and not moved by braces in the text."""
    pairs = [Pair(f"{{text}} {number}", "x", "de", "en") for number in range(2000)]
    first = [instruction(pair).replace(pair.source, "…") for pair in pairs]
    counts = Counter(first)
    assert len(counts) == 5
    assert all(340 < count < 460 for count in counts.values())
    assert first == [instruction(pair).replace(pair.source, "…") for pair in pairs]
    moved = sum(a != instruction(pair, seed=1).replace(pair.source, "…") for a, pair in zip(first, pairs, strict=True))
    assert 1500 < moved < 1700  # four of five


def test_prefix_is_prompt_and_reference(any_backbone: str, renderer: Callable[[str], Renderer]) -> None:
    one = renderer(any_backbone)
    speak = Speaker(one, seed=3)
    prefix = speak.prefix(PAIR)
    assert prefix.key == PAIR.key
    assert prefix.prompt == speak.request(PAIR)
    assert prefix.ids == prefix.prompt + prefix.reference
    assert speak.decode(prefix.reference).strip() == "Good morning!"
    assert instruction(PAIR, 3) in one.tokenizer.decode(prefix.prompt)
    assert speak.stop == one.stop


def test_a_translation_is_asked_for_alike_whether_it_is_known_or_not(
    any_backbone: str, renderer: Callable[[str], Renderer]
) -> None:
    """So that `dragoman translate` asks as a test does, and a test's wording does not depend on its reference."""
    speak = Speaker(renderer(any_backbone))
    for number in range(20):
        known = Pair(f"Satz {number}.", f"Sentence {number}.", "de", "en")
        assert speak.translate(known) == speak.translate(Pair(known.source, "", "de", "en"))


def test_example_without_rationale_is_the_whole_turn(any_backbone: str, renderer: Callable[[str], Renderer]) -> None:
    one = renderer(any_backbone)
    speak = Speaker(one)
    example = speak.example(speak.prefix(PAIR))
    assert names(example) == [("prompt", 0.0), ("reference", 1.0), ("end", 1.0)]
    messages = [{"role": "user", "content": instruction(PAIR)}, {"role": "assistant", "content": "Good morning!"}]
    whole = tuple(one.tokenizer.apply_chat_template(messages)["input_ids"])
    assert example.ids == whole[: len(example)]
    assert one.tokenizer.decode(whole[len(example) :]).strip() == ""
    assert example.trained == len(example.segments[1].ids) + len(one.end)
    assert example.key == PAIR.key


def test_real_pairs(backbone: str, renderer: Callable[[str], Renderer], real_data: Path) -> None:
    """Of published translations, every token is the one that the template renders."""
    one = renderer(backbone)
    speak = Speaker(one)
    table = real_data / "alma" / "human_written_data" / "zhen" / "valid.zh-en.json"
    apart = 0
    for pair in islice(read(ParallelText("zh-en", table=table, both=True)), 200):
        example = speak.example(speak.prefix(pair))
        messages = [{"role": "user", "content": instruction(pair)}, {"role": "assistant", "content": pair.target}]
        whole = tuple(one.tokenizer.apply_chat_template(messages)["input_ids"])
        apart += example.ids != whole[: len(example)]
        assert one.tokenizer.decode(example.ids) == one.tokenizer.decode(whole).rstrip("\n")
    assert apart <= (2 if "2023-12" in backbone else 0)  # there a bracket may grow into the prompt's own


def test_rationale_is_what_the_engine_returned(made: Callable[..., Any]) -> None:
    """Whatever ids it wrote, in whichever tokenisation; the end is its own, or there is none."""
    speak = Speaker(Renderer(made()))
    prefix = speak.prefix(PAIR)
    done = speak.example(prefix, Completion((13, 13, 70, 256), "unread", "stop"))
    assert names(done)[2:] == [("rationale", 1.0), ("end", 1.0)]
    assert done.ids == (*prefix.ids, 13, 13, 70, 256)
    assert done.segments[3].ids == (256,)  # not the template's own end, which is 257
    cut = speak.example(prefix, Completion((13, 13, 70), "unread", "length"))
    assert names(cut)[2:] == [("rationale", 1.0)]
    assert cut.ids == (*prefix.ids, 13, 13, 70)
    at_once = speak.example(prefix, Completion((257,), "", "stop"))
    assert names(at_once)[1:] == [("reference", 1.0), ("end", 1.0)]
    assert at_once.ids == (*prefix.ids, 257) == speak.example(prefix).ids


@pytest.mark.parametrize("name", ["llama-3-like", "llama-3-8b-instruct"])
def test_a_healed_rationale_begins_in_the_reference(name: str, renderer: Callable[[str], Renderer]) -> None:
    """`.` was taken back and became `.\\n\\n`: the ids are those that the engine saw and returned."""
    speak = Speaker(renderer(name))
    prefix = speak.prefix(Pair("Guten Morgen.", "Good morning.", "de", "en"))
    dot, merged, *rest = (speak.renderer.tokenizer(text)["input_ids"][1] for text in (".", ".\n\n", "Note", ":"))
    assert prefix.reference[-1] == dot != merged
    done = speak.example(prefix, Completion((merged, *rest, speak.stop[0]), "", "stop"), healed=True)
    assert names(done)[1:] == [("reference", 1.0), ("rationale", 1.0), ("end", 1.0)]
    assert [segment.ids for segment in done.segments[1:3]] == [(*prefix.reference[:-1], merged), tuple(rest)]
    assert done.ids == (*prefix.ids[:-1], merged, *rest, speak.stop[0])
    at_once = speak.example(prefix, Completion((dot, speak.stop[0]), "", "stop"), healed=True)
    assert at_once == speak.example(prefix)
    cut = speak.example(prefix, Completion((merged,), "", "length"), healed=True)
    assert names(cut)[1:] == [("reference", 1.0)]
    assert cut.ids == (*prefix.ids[:-1], merged)
    assert speak.example(prefix, None, healed=True) == speak.example(prefix)


STEPS = tuple(((token, -0.5), (9, -2.0)) for token in range(4))


def test_log_probabilities_stay_with_the_ids_that_they_are_of(made: Callable[..., Any]) -> None:
    """Those of a healed token belong to the reference, which is not the model's own."""
    speak = Speaker(Renderer(made()))
    prefix = speak.prefix(PAIR)

    def likely(example: Example) -> dict[str, Any]:
        return {segment.name: segment.logprobs for segment in example.segments if segment.logprobs}

    ended = Completion((13, 13, 70, 256), "", "stop", STEPS)
    assert likely(speak.example(prefix, ended)) == {"rationale": STEPS[:3]}
    assert likely(speak.example(prefix, ended, healed=True)) == {"rationale": STEPS[1:3]}
    assert likely(speak.example(prefix, Completion((13, 13, 70, 71), "", "length", STEPS))) == {"rationale": STEPS}
    assert likely(speak.own("key", prefix.prompt, ended)) == {"own": STEPS[:3], "end": STEPS[3:]}
    told = Completion((13, 13, 70, 71, 256), "", "stop", STEPS)  # by a server that does not tell the end
    assert likely(speak.own("key", prefix.prompt, told)) == {"own": STEPS}
    other = speak.adopt(prefix, " Note", finished=True)
    assert likely(speak.example(prefix, other)) == likely(speak.example(prefix)) == {}


def test_weight_and_number_of_a_rationale(made: Callable[..., Any]) -> None:
    speak = Speaker(Renderer(made()))
    prefix = speak.prefix(PAIR)
    written = Completion((13, 13, 70, 257), "unread", "stop")
    light = speak.example(prefix, written, weight=0.25, sample=2)
    assert names(light)[1:] == [("reference", 1.0), ("rationale", 0.25), ("end", 1.0)]
    assert light.key == f"{PAIR.key}#2"
    assert light.ids == speak.example(prefix, written).ids
    assert speak.example(prefix, written, sample=0).key == PAIR.key


RATIONALE = "\n\nExplanation: „Morgen“ means <|im_end|> or </s>."


def test_a_rationale_of_another_vocabulary(any_backbone: str, renderer: Callable[[str], Renderer]) -> None:
    """Its text follows the reference; the reference keeps its ids, and what spells a special token stays text."""
    one = renderer(any_backbone)
    speak = Speaker(one)
    special = set(one.tokenizer.all_special_ids)
    for target, text in (("Good morning.", RATIONALE), ("早上好。", " And so on"), ("Yes", "terday")):
        prefix = speak.prefix(Pair("Guten Morgen!", target, "de", "en"))
        adopted = speak.adopt(prefix, text, finished=True)
        assert adopted.end == one.end
        assert special.isdisjoint(adopted.body)
        whole = one.tokenizer.decode(prefix.ids + adopted.body)
        assert whole == one.tokenizer.decode(prefix.ids) + text
        example = speak.example(prefix, adopted)
        assert example.ids == prefix.ids + adopted.body + one.end
        healed = speak.adopt(prefix, text, finished=False, healed=True)
        assert healed.end == ()
        assert healed.body[0] in one.extensions(prefix.ids[-1])
        assert one.tokenizer.decode(prefix.ids[:-1] + healed.body) == whole
    assert speak.adopt(prefix, "", finished=True).body == ()
    assert speak.adopt(prefix, "", finished=True, healed=True).body == prefix.ids[-1:]


JOINED = ("qwen-2.5-like", "llama-3-like", "lab", *real_ones("qwen2.5-7b-instruct", "llama-3-8b-instruct"))


@pytest.mark.parametrize("name", JOINED)
def test_an_adopted_rationale_is_healed_as_the_tokenizer_would(name: str, renderer: Callable[[str], Renderer]) -> None:
    one = renderer(name)
    speak = Speaker(one)
    prefix = speak.prefix(Pair("Gut.", "Good.", "de", "en"))
    text = "\n\nA note."
    exact, healed = (speak.adopt(prefix, text, True, healed=healed).body for healed in (False, True))
    whole = one.tokenizer("Good." + text, add_special_tokens=False)["input_ids"]
    assert prefix.ids[:-1] + healed == (*prefix.prompt, *whole)
    assert len(exact) == len(healed)  # the blank line by itself, instead of with the full stop
    assert exact[1:] == healed[1:]


def test_speakers_of_other_models(made: Callable[..., Any]) -> None:
    other = Speaker(Renderer(made()))
    speak = Speaker(Renderer(made()), others={"teacher": other})
    assert speak.of("teacher") is other
    assert speak.of("backbone") is speak


def test_empty_reference(made: Callable[..., Any]) -> None:
    with pytest.raises(DataError, match="the de-en pair with the source 'Hallo' has an empty translation"):
        Speaker(Renderer(made())).prefix(Pair("Hallo", " \n", "de", "en"))


def test_question_and_dialogue(made: Callable[..., Any]) -> None:
    speak = Speaker(Renderer(made()))
    turns = (Turn("user", "1 + 1?"), Turn("assistant", "2"), Turn("user", "And 2 + 2?"))
    prompt = speak.question(Question("sums", turns, Check("number", {"value": 4})))
    text = "<|im_start|>user\n1 + 1?<|im_end|>\n<|im_start|>assistant\n2<|im_end|>\n"
    text += "<|im_start|>user\nAnd 2 + 2?<|im_end|>\n"
    assert speak.renderer.tokenizer.decode(prompt) == text + "<|im_start|>assistant\n"
    dialogue = Dialogue((*turns, Turn("assistant", "4")))
    example = speak.dialogue(dialogue)
    assert example.key == dialogue.key
    assert names(example) == [("prompt", 0.0), ("answer", 1.0), ("end", 1.0)] * 2
    assert speak.renderer.tokenizer.decode(example.ids) == text + "<|im_start|>assistant\n4<|im_end|>"
    assert example.trained == 4  # two digits and their two ends


def test_unknown_language(made: Callable[..., Any]) -> None:
    with pytest.raises(DataError, match="the language code 'xx' is not known"):
        Speaker(Renderer(made())).translate(Pair("a", "b", "xx", "en"))


CHAT = Dialogue((Turn("user", "1 + 1?"), Turn("assistant", "2"), Turn("user", "And 2 + 2?"), Turn("assistant", " 4 ")))


def test_of_a_conversation_the_last_answer_is_the_reference(
    any_backbone: str, renderer: Callable[[str], Renderer]
) -> None:
    """The ids are those of the whole conversation as the template renders it."""
    one = renderer(any_backbone)
    speak = Speaker(one)
    prefix = speak.prefix(CHAT)
    assert prefix.key == CHAT.key
    assert prefix.prompt == speak.request(CHAT) == one.prompt(CHAT.turns[:3])
    assert speak.decode(prefix.reference).strip() == "4"
    whole = speak.dialogue(CHAT)
    assert speak.example(prefix).ids == whole.ids
    assert names(speak.example(prefix)) == [("prompt", 0.0), ("reference", 1.0), ("end", 1.0)]
    assert speak.request(PAIR) == speak.prefix(PAIR).prompt


def test_texts_of_records(made: Callable[..., Any]) -> None:
    speak = Speaker(Renderer(made()), seed=3)
    assert speak.texts(PAIR) == (instruction(PAIR, 3), "Good morning!")
    assert speak.texts(Dialogue(CHAT.turns[:2])) == ("1 + 1?", "2")
    assert speak.texts(CHAT) == ("User: 1 + 1?\n\nAssistant: 2\n\nUser: And 2 + 2?", "4")


def test_what_the_model_wrote_itself(made: Callable[..., Any]) -> None:
    speak = Speaker(Renderer(made()))
    prompt = speak.request(PAIR)
    done = speak.own("key", prompt, Completion((13, 70, 256), "unread", "stop"))
    assert names(done) == [("prompt", 0.0), ("own", 1.0), ("end", 1.0)]
    assert (done.key, done.ids) == ("key", (*prompt, 13, 70, 256))
    cut = speak.own("key", prompt, Completion((13, 70), "unread", "length"))
    assert names(cut) == [("prompt", 0.0), ("own", 1.0)]
    with pytest.raises(DataError, match="example key has no token to learn from"):
        speak.own("key", prompt, Completion((257,), "", "stop"))


PLAIN = real_ones(
    ("llama-2-7b-chat", (1, 7197, 29889)),
    ("mistral-7b-instruct-v0.2", (1, 5801, 28723)),
    ("llama-3-8b-instruct", (128000, 15571, 13)),
    ("qwen2.5-7b-instruct", (15216, 13)),  # it has none
)


@pytest.mark.parametrize("name", look_alikes.CHAT)
def test_plain_text_begins_as_the_vocabulary_or_the_template_has_it(
    name: str, renderer: Callable[[str], Renderer]
) -> None:
    one = renderer(name)
    begin = () if name.startswith("qwen") else (one.tokenizer.bos_token_id,)
    assert Speaker(one).plain("Good.") == (*begin, *one.encode("Good."))
    assert one.tokenizer.decode(Speaker(one).plain("Good.")[len(begin) :]).strip() == "Good."


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("lab", (1, 2371, 19)),  # its tokenizer puts no first token, its chat template does
        *PLAIN,
    ],
)
def test_plain_text(name: str, ids: tuple[int, ...], renderer: Callable[[str], Renderer]) -> None:
    speak = Speaker(renderer(name))
    assert speak.plain("Good.") == ids
    assert speak.plain("Good.\n")[: len(ids) - 1] == ids[:-1]
    special = {*speak.renderer.tokenizer.all_special_ids}
    assert special.isdisjoint(speak.plain("He said </s> and <|end|> <|im_end|> <|eot_id|>.")[1:])
    assert speak.chat("Good.") == speak.renderer.prompt([Turn("user", "Good.")])
