"""BBH: the original, the paper's damaged translations with and without it, and what is wrong with files."""

import csv
import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from dragoman.corpora.records import Question
from dragoman.errors import DataError
from dragoman.json_values import as_texts
from dragoman.suites.bbh.questions import bbh_questions
from dragoman.suites.questions.checks import check

PAPER = Path("crossalpaca", "data")
LANGUAGES = {"German": "de", "Spanish": "es", "Italian": "it", "Chinese": "zh", "Arabic": "ar"}
REPAIRED, GOLD, MARKS = "rows repaired", "gold labels by position", "option letters by position"


def table(path: Path, *rows: tuple[str, ...]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def original(path: Path, *examples: tuple[str, str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"canary": "…", "examples": [{"input": one, "target": two} for one, two in examples]}))
    return path


def both(
    tmp_path: Path, task: str, language: str, english: Sequence[tuple[str, str]], rows: Sequence[tuple[str, str]]
) -> tuple[list[Question], Counter[str]]:
    source = original(tmp_path / "en" / f"{task}.json", *english)
    translated = table(tmp_path / language / f"{task}.csv", ("Eingang", "Ziel"), *rows)
    return bbh_questions(f"bbh-{language}", translated, language, originals=source)


def said(question: Question, answer: str) -> str:
    verdict = check(question.check, answer)
    return "right" if verdict.passed else "wrong" if verdict.extracted else "none"


DATE = ("Which day?\nOptions:\n(A) Monday\n(B) Up\n(C) Friday\n(D) a\n(E) b", "(E)")


def test_the_original(tmp_path: Path) -> None:
    (only,), notes = bbh_questions("bbh-en", original(tmp_path / "date_understanding.json", DATE), "en")
    assert only.turns[0].text == "Answer the following question. Reply with the letter of the right option only."
    assert only.turns[0].input == DATE[0]
    assert (only.subject, only.family, only.texts) == (
        "date_understanding",
        "bbh-en",
        ("Which day?", "Monday; Up; Friday; a; b"),
    )
    assert only.check.name == "letter"
    assert only.check.arguments["value"] == "E"
    assert notes == {}


def test_letters_are_restored_by_their_order(tmp_path: Path) -> None:
    german = ("Welcher Tag?\nOptionen:\n(A) Montag\n(Tasse\n(F)Freitag\n（一）x\n(UND) y", "(UND)")
    (only,), notes = both(tmp_path, "date_understanding", "de", [DATE], [german])
    assert only.turns[0].input == "Welcher Tag?\nOptionen:\n(A) Montag\n(B) Up\n(C) Freitag\n(D) x\n(E) y"
    assert only.check.arguments["value"] == "E"
    told = "options in English, their letter was part of a word"
    assert notes == {REPAIRED: 1, GOLD: 1, MARKS: 1, told: 1}


def test_without_the_originals_a_damaged_answer_is_left_out_with_advice(tmp_path: Path) -> None:
    rows = [(f"Wer?\nOptionen:\n(A) Otto{number}\n(B) Ida", "(B)" if number else "(UND)") for number in range(3)]
    path = table(tmp_path / "x.csv", ("Eingang", "Ziel"), *rows)
    questions, notes = bbh_questions("bbh-de", path, "de")
    assert [question.check.arguments["value"] for question in questions] == ["B", "B"]
    (note,) = notes
    assert notes[note] == 1
    assert "not among the options" in note
    assert "`originals`" in note


def test_arabic_s_and_is_not_taken_for_the_sixth_letter(tmp_path: Path) -> None:
    """A service made "(E)" an "and", which is also Arabic's sixth letter."""
    options = "\n".join(f"({one}) خيار {number}" for number, one in enumerate(("أ", "ب", "ج", "د", "هـ", "و")))
    rows = [(f"سؤال؟\nخيارات:\n{options}", "(و)"), (f"سؤال؟\nخيارات:\n{options}", "(ج)")]
    path = table(tmp_path / "ar" / "date_understanding.csv", ("مدخل", "هدف"), *rows)
    questions, notes = bbh_questions("bbh-ar", path, "ar")
    assert [question.check.arguments["value"] for question in questions] == ["C"]
    assert notes.total() == 1
    english = [(DATE[0] + "\n(F) c", "(E)"), (DATE[0] + "\n(F) c", "(C)")]
    source = original(tmp_path / "en" / "date_understanding.json", *english)
    questions, _ = bbh_questions("bbh-ar", path, "ar", originals=source)
    assert [question.check.arguments["value"] for question in questions] == ["E", "C"]
    assert said(questions[0], "(هـ)") == "right"


NAVIGATE = [("Back?\nOptions:\n- Yes\n- No", "No"), ("Back?\nOptions:\n- Yes\n- No", "Yes")]


def test_yes_and_no_are_what_the_file_its_options_and_the_language_call_them(tmp_path: Path) -> None:
    rows = [("Zurück?\nOptionen:\n- Jawohl\n- NEIN", "Nö"), ("Zurück?\nOptionen:\n- Jawohl\n- NEIN", "Ja")]
    english = [(asked, target) for asked, target in NAVIGATE]
    (no, yes), notes = both(tmp_path, "navigate", "de", english, rows)
    for answer in ("Nein", "nö", "No", "NEIN."):
        assert (said(no, answer), said(yes, answer)) == ("right", "wrong"), answer
    for answer in ("Ja", "Jawohl", "Yes, it does."):
        assert (said(no, answer), said(yes, answer)) == ("wrong", "right") or answer == "Jawohl", answer
    assert no.turns[0].text == yes.turns[0].text
    assert no.turns[0].text.endswith("Reply with one of these answers only: Ja, Nein.")
    assert notes == {REPAIRED: 1, GOLD: 1}


def test_a_word_that_stands_for_both_answers_decides_nothing(tmp_path: Path) -> None:
    rows = [("x", "hm"), ("y", "hm")]
    (false, true), notes = both(tmp_path, "boolean_expressions", "de", [("a", "False"), ("b", "True")], rows)
    assert said(false, "hm") == said(true, "hm") == "none"
    assert said(false, "falsch") == said(true, "wahr") == "right"
    assert notes["rows whose label stands for both answers"] == 2


def test_numbers_and_brackets_are_taken_from_the_english_row(tmp_path: Path) -> None:
    (first, second), notes = both(
        tmp_path, "multistep_arithmetic_two", "ar", [("a", "-33"), ("b", "702")], [("a", "ع"), ("b", "٧٠٢")]
    )
    assert said(first, "-33") == "right"
    assert said(second, "٧٠٢") == "right"
    assert notes == {REPAIRED: 1, GOLD: 1}


def test_words_are_sorted_anew_where_the_answer_has_other_words(tmp_path: Path) -> None:
    english = [("Sort: List: syndrome therefrom art", "art syndrome therefrom")] * 3
    rows = [
        ("Sortiere: Liste: Syndrom ärgern Zug baden", "etwas ganz anderes"),
        ("Sortiere: Liste: Zug baden", "baden Zug"),
        ("Sortiere: Liste: roter Zug, Bad", "Bad, roter Zug"),
    ]
    (first, second, third), notes = both(tmp_path, "word_sorting", "de", english, rows)
    assert said(first, "ärgern, baden, Syndrom, Zug") == "right"
    assert said(first, "Syndrom ärgern baden Zug") == "wrong"
    assert said(second, "baden Zug") == "right"
    assert as_texts(third.check.arguments["values"]) == ["Bad, roter Zug"]
    assert notes == {REPAIRED: 1, "words sorted anew": 1}


def test_options_that_ran_into_each_other_are_left_out(tmp_path: Path) -> None:
    german = ("Ähnlich:\nOptionen:\n(A) Montag\n(B) Auf\n(C) Und) a\n(E) b", "(A)")
    questions, notes = both(tmp_path, "movie_recommendation", "de", [DATE], [german])
    assert questions == []
    assert notes == {"left out: options that ran into each other": 1}


def test_files_that_do_not_fit(tmp_path: Path) -> None:
    source = original(tmp_path / "en" / "navigate.json", *NAVIGATE)
    short = table(tmp_path / "de" / "navigate.csv", ("Eingang", "Ziel"), NAVIGATE[0])
    with pytest.raises(DataError, match=r"de/navigate.csv has 1 rows, and its original .*navigate.json 2"):
        bbh_questions("b", short, "de", originals=source)
    with pytest.raises(DataError, match="row 1: the columns are called soru, cevap"):
        bbh_questions("b", table(tmp_path / "tr" / "navigate.csv", ("soru", "cevap"), NAVIGATE[0]), "tr")
    with pytest.raises(DataError, match="row 2: the answer is missing"):
        bbh_questions("b", table(tmp_path / "x" / "navigate.csv", ("input", "target"), ("a", "")), "en")
    with pytest.raises(DataError, match="row 3: 3 columns, and the header has 2"):
        bbh_questions("b", table(tmp_path / "y" / "n.csv", ("input", "target"), ("a", "b"), ("a", "b", "c")), "en")
    broken = tmp_path / "z.json"
    broken.write_text('{"examples": [{"input": "a", "target": 3}]}')
    with pytest.raises(DataError, match="example 1: 'input' and 'target' must both be text"):
        bbh_questions("b", broken, "en")
    page = tmp_path / "bbh.csv"
    page.write_text("<html><title>Sign in</title>")
    with pytest.raises(DataError, match="a web page"):
        bbh_questions("b", page, "en")


def test_columns_in_another_order(tmp_path: Path) -> None:
    path = table(tmp_path / "object_counting.csv", ("目标", "输入"), ("8", "我有多少件乐器？"))
    (only,), _ = bbh_questions("bbh-zh", path, "zh")
    assert only.turns[0].input == "我有多少件乐器？"
    assert only.check.arguments["values"] == ["8"]


def test_the_original_whole(real_data: Path) -> None:
    questions, notes = bbh_questions("bbh-en", real_data / "bbh" / "bbh", "en")
    assert len(questions) == 6083
    assert len({question.subject for question in questions}) == 25
    assert notes == {}
    folder = real_data / "bbh" / "bbh"
    found = {path.stem: json.loads(path.read_text())["examples"] for path in sorted(folder.glob("*.json"))}
    published = [example for task in sorted(found) for example in found[task]]
    for question, example in zip(questions, published, strict=True):
        assert said(question, example["target"]) == "right", question
        assert re.sub(r"\s+", " ", question.turns[0].input) == re.sub(r"\s+", " ", example["input"].strip())


@pytest.mark.parametrize(
    ("folder", "left", "repaired"),
    [
        ("German", 2935, {GOLD: 48, MARKS: 1, "words sorted anew": 244}),
        ("Spanish", 2936, {GOLD: 48, MARKS: 30, "words sorted anew": 245}),
        ("Italian", 2936, {GOLD: 0, MARKS: 37, "words sorted anew": 238}),
        ("Chinese", 2686, {GOLD: 0, MARKS: 305, "words sorted anew": 0}),
        ("Arabic", 2932, {GOLD: 163, MARKS: 1249, "words sorted anew": 244}),
    ],
)
def test_the_paper_s_translations(real_data: Path, folder: str, left: int, repaired: dict[str, int]) -> None:
    data, language = real_data / PAPER, LANGUAGES[folder]
    questions, notes = bbh_questions("bbh", data / folder / "BBH", language, originals=real_data / "bbh" / "bbh")
    assert len(questions) == left
    assert {what: notes[what] for what in repaired} == repaired
    assert notes["left out: options that ran into each other"] == 1
    for question in questions:
        arguments = question.check.arguments
        if question.check.name == "letter":
            letters = [chr(ord("A") + at) for at in range(len(as_texts(arguments["options"])))]
            assert said(question, f"({arguments['value']})") == "right"
            assert {said(question, f"({one})") for one in letters} - {"right"} == {"wrong"}
        else:
            assert {said(question, value) for value in as_texts(arguments["values"])} == {"right"}, question
            assert {said(question, other) for other in as_texts(arguments["others"])} <= {"wrong"}, question


def test_english_and_german_answers_agree_row_by_row(real_data: Path) -> None:
    """The German gold is the English one: the letter at the same place, and Ja where English has Yes."""
    german, _ = bbh_questions(
        "b",
        real_data / PAPER / "German" / "BBH" / "date_understanding.csv",
        "de",
        originals=real_data / "bbh" / "bbh" / "date_understanding.json",
    )
    published = json.loads((real_data / "bbh" / "bbh" / "date_understanding.json").read_text())["examples"]
    assert [f"({one.check.arguments['value']})" for one in german] == [example["target"] for example in published]
    navigate, _ = bbh_questions(
        "b",
        real_data / PAPER / "German" / "BBH" / "navigate.csv",
        "de",
        originals=real_data / "bbh" / "bbh" / "navigate.json",
    )
    published = json.loads((real_data / "bbh" / "bbh" / "navigate.json").read_text())["examples"]
    for question, example in zip(navigate, published, strict=True):
        assert said(question, "Ja") == ("right" if example["target"] == "Yes" else "wrong")
