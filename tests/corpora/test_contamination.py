"""What counts as shared with a test set and what does not, on written cases and on files that are known to overlap."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from dragoman.corpora.contamination import Index, Shared, index
from dragoman.corpora.formats.conversations.dialogues import DialogueFile
from dragoman.corpora.formats.conversations.dialogues import read as read_dialogues
from dragoman.corpora.formats.parallel import ParallelText, read
from dragoman.corpora.records import Check, Dialogue, Pair, Question, Turn

CHECK = Check("contains")
FIRST = "The harbour of Emden lies on the Ems."
SECOND = (
    "In 1846 the old harbour was made deeper because the great ships of that time, as the chronicle of the "
    "town tells us, could no longer reach it."
)
CHINESE = "埃姆登港位于埃姆斯河畔，一八四六年人们把旧港口挖得更深，因为当时的大船已经无法驶入。"


def benchmark(*texts: str, request: str = "Read this and answer.") -> Index:
    return index([Question("reading", (Turn("user", request),), CHECK, texts=texts)], [])


def dialogue(instruction: str, about: str = "", answer: str = "Yes.") -> Dialogue:
    return Dialogue((Turn("user", instruction, about), Turn("assistant", answer)))


@pytest.mark.parametrize(
    ("text", "kind", "shared"),
    [
        (f"Hark!  {FIRST} So it is.", "exact", FIRST),
        (FIRST.upper().replace(".", "!"), "normalised", FIRST.upper().replace(".", "!")),
        (
            "The harbour — of Ｅｍｄｅｎ,\u00a0lies on the Ems",
            "normalised",
            "The harbour — of Ｅｍｄｅｎ,\u00a0lies on the Ems",
        ),
        (
            "They say that the great ships of that time, as the Chronicle of the Town tells us, sank.",
            "13-gram",
            "the great ships of that time as the chronicle of the town tells",
        ),
        (f"文章说：{CHINESE}", "exact", CHINESE),
        (
            "一八四六年人们把旧港口挖得更深，因为当时的大船",
            "13-gram",
            " ".join("一八四六年人们把旧港口挖得更深因为当时的"),
        ),
    ],
)
@pytest.mark.parametrize("place", ["instruction", "input", "answer", "source", "target"])
def test_what_is_shared(text: str, kind: str, shared: str, place: str) -> None:
    found = benchmark(f"{FIRST} {SECOND}", CHINESE)
    record = {
        "instruction": dialogue(text),
        "input": dialogue("Sum up.", text),
        "answer": dialogue("Sum up.", answer=text),
        "source": Pair(text, "x", "en", "de"),
        "target": Pair("x", text, "de", "en"),
    }[place]
    if kind == "exact" and text.startswith("文"):  # one sentence with what precedes it
        kind, shared = "13-gram", " ".join(CHINESE.replace("，", "")[:20])
    assert found.find(record) == Shared(kind, shared, "reading")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "Translate the following sentence.",  # says too little, though the benchmark has it
        "Which one?",
        "请翻译以下句子。",
        "the great ships of that time, as the chronicle of the town sank",  # 12 words and another
        "一八四六年人们把旧港口挖得更深，因为当时",  # 19 characters
        "1 2 3 4 5 6 7 8 9 10 11 12 13 14",  # numbers in a row are nobody's text
        "",
    ],
)
def test_what_is_not_shared(text: str) -> None:
    counting = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14"
    texts = (f"{FIRST} {SECOND}", CHINESE, "Translate the following sentence. Which one?", "请翻译以下句子。", counting)
    assert benchmark(*texts).find(dialogue(f"Do this. {text}", answer=text)) is None


def test_the_words_around_a_question_are_no_content() -> None:
    asked = "Read the text below and answer the question with words of the text. Text: the Ems. Answer now, please."
    found = benchmark(FIRST, request=asked)
    assert found.find(dialogue(asked + " Text: the Rhine.")) is None
    assert found.find(dialogue(asked.upper())) == Shared("whole", asked.upper(), "reading")
    assert found.find(dialogue(*asked.split(" Text: "))) is None
    assert found.find(dialogue("x", answer=asked)) is None


def test_a_question_with_earlier_turns_is_another_question() -> None:
    def talk(*texts: str) -> tuple[Turn, ...]:
        return tuple(Turn("assistant" if at % 2 else "user", text) for at, text in enumerate(texts))

    found = index([Question("follow_up", talk("Name a dog.", "Rex.", "And a cat?"), CHECK)], [])
    assert found.find(Dialogue(talk("And a cat?", "Tom."))) is None
    same = Dialogue((Turn("system", "Be kind."), *talk("name a DOG.", "Rex.", "And a cat?", "Tom.")))
    assert found.find(same) == Shared("whole", "And a cat?", "follow_up")


def test_an_input_belongs_to_the_request() -> None:
    found = index([Question("qa", (Turn("user", "Who?", "Ann ran."),), CHECK)], [])
    assert found.find(dialogue("who?", "Ann  ran.")) == Shared("whole", "who?\n\nAnn  ran.", "qa")
    assert found.find(dialogue("Who?")) is None


def test_short_sides_of_pairs_count_as_wholes() -> None:
    found = index([], [Pair("Danke.", "Thank you.", "de", "en"), Pair(FIRST, "x", "en", "de")])
    assert found.find(Pair("Merci.", "thank  you.", "fr", "en")) == Shared("whole", "thank  you.", "translation de-en")
    assert found.find(Pair("Oh. Thank you.", "Oh, danke.", "en", "de")) is None
    assert found.find(dialogue("Thank you.")) == Shared("whole", "Thank you.", "translation de-en")
    assert found.find(dialogue("Hello.", answer="Thank you.")) is None
    assert found.find(Pair("y", f"Oh. {FIRST}", "de", "en")) == Shared("exact", FIRST, "translation en-de")


def held(found: Index, *records: Pair | Dialogue) -> list[str]:
    """The test sets that the items are of, one for each."""
    return sorted(found.names[found.items[item]] for record in records for item in found.held(record))


def test_how_much_of_a_test_set_a_record_has() -> None:
    found = index(
        [
            Question("reading", (Turn("user", asked),), CHECK, texts=(f"{FIRST} {SECOND}",))
            for asked in ("Who?", "When?")
        ],
        [
            Pair("Danke.", "Thank you.", "de", "en"),
            Pair("Bitte.", "Thank you.", "de", "en"),
            Pair(CHINESE, "x", "zh", "en"),
        ],
        prompts={"safety": ["Tell me how to dig up the harbour of Emden.", "Who?"]},
    )
    assert dict(found.sizes()) == {0: 2, 1: 1, 2: 2, 3: 2}
    assert found.names == ["translation de-en", "translation zh-en", "reading", "safety"]
    assert held(found, dialogue("Sum up.", FIRST.upper())) == ["reading", "reading"]  # two questions on one passage
    assert held(found, dialogue("Who?")) == ["reading", "safety"]
    assert held(found, dialogue("Now tell me how to dig up the harbour of Emden.")) == []
    assert held(found, dialogue("Hm.", answer="tell me how to dig up the harbour of emden!")) == ["safety"]
    assert held(found, Pair("Danke.", "Thanks.", "de", "en"), Pair("Oh!", "Thank you.", "de", "en")) == []
    assert held(found, Pair("danke.", "Thank  you.", "de", "en")) == ["translation de-en"]
    assert held(found, Pair("y", CHINESE, "en", "zh")) == ["translation zh-en"]
    some = "the great ships of that time, as the chronicle of the town tells us"
    assert found.find(dialogue(some)) is not None
    assert held(found, dialogue(some)) == []  # some words in a row


def test_prompts_are_compared_like_other_texts() -> None:
    found = index([], [], prompts={"mt-bench": [f"Go on: {SECOND}"], "safety": []})
    assert found.names == ["mt-bench"]
    assert found.find(dialogue(f"Go on: {SECOND}")) == Shared("exact", f"Go on: {SECOND}", "mt-bench")
    assert found.find(dialogue("x", answer=SECOND)) == Shared(
        "13-gram", "in 1846 the old harbour was made deeper because the great ships of", "mt-bench"
    )


def test_texts_of_one_grammar_are_compared_as_wholes() -> None:
    found = index([], [Pair(FIRST, "x", "en", "de")], one_grammar=True)
    assert found.find(Pair(f"Oh. {FIRST}", "y", "en", "de")) is None
    assert found.find(Pair(FIRST, "y", "en", "de")) == Shared("whole", FIRST, "translation en-de")


def test_an_initial_ends_no_sentence() -> None:
    found = benchmark("President George W. Bush welcomed it.")
    assert found.find(dialogue("Is it so? President George W. Bush welcomed it. Yes.")) == Shared(
        "exact", "President George W. Bush welcomed it.", "reading"
    )


def alma(folder: Path, language: str) -> Iterator[Pair]:
    start = folder / "alma" / "human_written_data" / f"{language}en" / f"train.{language}-en"
    return read(ParallelText(f"{language}-en", Path(f"{start}.{language}"), Path(f"{start}.en")))


@pytest.mark.parametrize(
    ("language", "file", "kinds"),
    [
        ("de", "deu_Latn", {"exact": 1012}),
        ("zh", "zho_Hans", {"exact": 1011, "13-gram": 1}),
    ],
)
def test_all_of_flores_is_in_what_alma_was_trained_on(
    real_data: Path, language: str, file: str, kinds: dict[str, int]
) -> None:
    folder = real_data / "flores200" / "devtest"
    devtest = ParallelText(f"{language}-en", folder / f"{file}.devtest", folder / "eng_Latn.devtest")
    judged = index([], read(devtest))
    found = [shared for pair in alma(real_data, language) if (shared := judged.find(pair))]
    assert Counter(shared.kind for shared in found) == kinds
    assert {shared.test_set for shared in found} == {f"translation {language}-en"}


def test_german_alpaca_shares_nothing_with_wmt22(real_data: Path) -> None:
    folder = real_data / "wmt22" / "txt"
    sources = folder / "sources" / "generaltest2022.en-de.src.en"
    judged = index([], read(ParallelText("en-de", sources, folder / "references" / "generaltest2022.en-de.ref.A.de")))
    path = real_data / "instruction" / "german_alpaca"
    german = read_dialogues(DialogueFile(path / "translated" / "translated_tasks_de_deepl_12k.json", "de"))
    assert [shared for one in german if (shared := judged.find(one))] == []
    english = read_dialogues(DialogueFile(path / "source_tasks" / "tasks_translated_en.json", "en"))
    polite = Shared("exact", "Is there anything else I can help you with?", "translation en-de")
    assert [shared for one in english if (shared := judged.find(one))] == [polite, polite]
