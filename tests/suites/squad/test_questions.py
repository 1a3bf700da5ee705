"""XQuAD and MLQA: as published, between languages, and as a translation service left them."""

import csv
import json
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dragoman.corpora.records import Question
from dragoman.errors import DataError
from dragoman.json_values import as_text, as_texts
from dragoman.suites.squad.questions import squad_files, squad_questions

PAPER = Path("crossalpaca", "data")


def written(path: Path, *asked: dict[str, Any], context: str = "Rom liegt am Tiber. 308 Hügel.") -> Path:
    paragraphs = [{"context": context, "qas": list(asked)}]
    path.write_text(json.dumps({"version": "1.1", "data": [{"title": "t", "paragraphs": paragraphs}]}))
    return path


def asked(name: str, question: str, *answers: str) -> dict[str, Any]:
    return {"id": name, "question": question, "answers": [{"text": text, "answer_start": 0} for text in answers]}


def table(path: Path, *rows: tuple[str, ...]) -> Path:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def values(question: Question) -> list[str]:
    return as_texts(question.check.arguments["values"])


def test_a_question_of_a_published_form(our_data: Path) -> None:
    (first, *others), notes = squad_questions("rivers-de", "xquad", our_data / "xquad", "de")
    assert (len(others), +notes) == (3, Counter())
    assert first.texts == (
        "Die Ahre ist 308 Kilometer lang. Am Ufer steht eine Mühle.",
        "Wie lang ist die Ahre?",
    )
    assert (first.family, first.language, values(first)) == ("rivers-de", "de", ["308"])


def test_texts_and_questions_of_a_published_form_in_two_languages(our_data: Path, tmp_path: Path) -> None:
    *_, last = squad_questions("x", "xquad", our_data / "xquad", "en", "zh")[0]
    assert (last.language, last.check.arguments["language"], values(last)) == ("en", "zh", ["118公里"])
    assert last.texts[1] == "How long is the Wümme?"
    place = our_data / "mlqa" / "mlqa.en.zh" / "1.0.0" / "dummy_data.zip"
    packed, _ = squad_questions("x", "mlqa", place, "zh", "en")
    assert [values(one) for one in packed] == [["308"], ["169"], ["128"], ["118"]]
    with zipfile.ZipFile(place) as archive:
        archive.extractall(tmp_path)
    assert squad_questions("x", "mlqa", tmp_path, "zh", "en")[0] == packed
    assert len(squad_questions("x", "mlqa", our_data / "mlqa" / "xtreme_mock", "de")[0]) == 4


def test_a_question_of_xquad(real_data: Path) -> None:
    (first, *others), notes = squad_questions("xquad-de", "xquad", real_data / "xquad", "de")
    assert (len(others), +notes) == (1189, Counter())
    (turn,) = first.turns
    context, question = first.texts
    assert context.startswith("Die Verteidigung der Panthers gab nur 308 Punkte ab")
    assert question == "Wie viele Punkte gab die Verteidigung der Panthers ab?"
    assert turn.text == "Read the text and answer the question with words from the text. Give the answer only."
    assert turn.input == f"{context}\n\nQuestion: {question}"
    assert (first.family, first.language, values(first)) == ("xquad-de", "de", ["308"])
    told = first.check.arguments
    assert (told["language"], told["extract"], len(as_text(told["prompt"]))) == ("de", "first_line", 8)


def test_texts_and_questions_in_two_languages(real_data: Path) -> None:
    """XQuAD is joined by its ids; the answer is judged in the language of the text."""
    questions, _ = squad_questions("x", "xquad", real_data / "xquad", "en", "zh")
    last = questions[-1]
    assert (last.language, last.check.arguments["language"], len(questions)) == ("en", "zh", 1190)
    assert last.texts[1] == "What includes pressure terms when calculating area in volume?"
    assert values(last) == ["公式"]
    assert "公式" in last.texts[0]
    (question,), _ = squad_questions("x", "mlqa", real_data / "mlqa", "de", "en")
    assert (question.language, question.check.arguments["language"], values(question)) == ("de", "en", ["525"])


def test_mlqa_as_it_lies(real_data: Path, tmp_path: Path) -> None:
    """Archive, unpacked folder, single file, and the files of XTREME."""
    place = real_data / "mlqa" / "mlqa.en.es" / "1.0.0" / "dummy_data.zip"
    packed, _ = squad_questions("x", "mlqa", place, "es", "en")
    with zipfile.ZipFile(place) as archive:
        archive.extractall(tmp_path)
    (member,) = squad_files("mlqa", tmp_path, "es", "en")
    assert member.name == "test-context-en-question-es.json"
    assert squad_questions("x", "mlqa", tmp_path, "es", "en")[0] == packed
    assert squad_questions("x", "mlqa", member, "es", "en")[0] == packed
    questions, _ = squad_questions("x", "mlqa", real_data / "mlqa" / "xtreme_mock", "de")
    assert [values(question) for question in questions] == [["3050 und 3350 Meter"]]
    with pytest.raises(DataError, match=r"dummy_data\.zip has no test-context-de-question-vi\.json in it"):
        squad_questions("x", "mlqa", place, "vi", "de")


@pytest.mark.parametrize(
    ("language", "name"), [("de", "German"), ("ar", "Arabic"), ("zh", "Chinese"), ("es", "Spanish")]
)
def test_the_papers_tables(real_data: Path, language: str, name: str) -> None:
    """They are XQuAD itself; now and then with a byte order mark before a text."""
    folder = real_data / PAPER / name / "XQUAD"
    found, notes = squad_questions("x", "xquad", folder, language)
    published, _ = squad_questions("x", "xquad", real_data / "xquad", language)
    assert (len(found), +notes) == (1190, Counter())
    assert [values(one) for one in found] == [values(one) for one in published]
    assert not any(one.texts[0].startswith("\ufeff") for one in found)


def test_the_papers_italian_tables(real_data: Path) -> None:
    """Counted in the files: 52 literals of XQuAD do not parse, 230 have other keys, many answers are not there."""
    place = real_data / PAPER / "Italian"
    found, notes = squad_questions("x", "xquad", place / "XQUAD", "it")
    lost = (
        notes["rows whose answer is not in the text, left out"] + notes["rows whose answers cannot be read, left out"]
    )
    assert (len(found), lost) == (829, 361)
    assert notes["answers with a stray apostrophe, read all the same"] == 18
    verbatim = [one for one in found if values(one)[0].casefold() in one.texts[0].casefold()]
    assert len(verbatim) == 828  # and '"Siamo mendicanti,"' but for its marks

    mended, again = squad_questions("x", "xquad", place / "XQUAD", "it", originals=real_data / "xquad")
    borrowed = again["answers lost in translation, taken from the English original as they stand in the text"]
    assert (len(mended), borrowed) == (829 + 28, 28)

    questions, notes = squad_questions("x", "mlqa", place / "MLQA", "it")  # its columns stand in another order
    assert (len(questions), sum(count for what, count in notes.items() if "left out" in what)) == (957, 664)


def test_rows_of_a_table_one_by_one(tmp_path: Path) -> None:
    path = table(
        tmp_path / "xquad_IT.csv",
        ("risposte", "id", "contesto", "domanda"),
        ("{'testo': ['L'inno'], 'risposta_inizio': [0]}", "1", "\ufeffL'inno è vecchio.", "Che cosa?"),
        ("{'testo': ['Roma'], 'risposta_inizio': [0]}", "2", "A roma piove.", "Dove?"),
        ("{'text': ['Broncos di Denver'], 'answer_start': [0]}", "3", "I Denver Broncos vincono.", "Chi?"),
        ("{'text': ['sei'], 'answer_start': [0]}", "4", "Sono in quattro.", "Quanti?"),
        ("__import__('os').abort()", "5", "Sono in quattro.", "Quanti?"),
        ("{'text': ['" + "a" * 30_000 + "']}", "6", "a" * 30_001, "Quanti?"),
        ("{'text': ['sei']}", "7"),
    )
    questions, notes = squad_questions("x", "xquad", path, "it")
    assert [values(one) for one in questions] == [["L'inno"], ["Roma"]]
    assert dict(notes) == {
        "answers with a stray apostrophe, read all the same": 1,
        "answers under translated keys, read all the same": 1,
        "rows whose answer is not in the text, left out": 2,
        "rows whose answers cannot be read, left out": 2,
        "rows with too few or too many fields, left out": 1,
    }
    english = [
        asked(f"e{row}", "?", answer) for row, answer in enumerate(("a", "b", "Denver Broncos", "six", "5", "6", "7"))
    ]
    original = written(tmp_path / "xquad.en.json", *english)
    mended, notes = squad_questions("x", "xquad", path, "it", originals=original)
    assert [values(one) for one in mended] == [["L'inno"], ["Roma"], ["Denver Broncos"]]
    written(original, *english[:-1])
    with pytest.raises(DataError, match="has 7 rows and the originals have 6"):
        squad_questions("x", "xquad", path, "it", originals=original)


def test_what_is_wrong_with_a_file_is_said(tmp_path: Path) -> None:
    path = written(tmp_path / "xquad.de.json", asked("a1", "Wo?"), asked("a2", " ", "Rom"), asked("a3", "Wo?", "Rom"))
    with pytest.raises(DataError) as error:
        squad_questions("x", "xquad", path, "de")
    first, second = str(error.value).splitlines()
    assert first == (
        f"{path}, question a1: has no answers: there is nothing to judge by. A test set without answers can't be used"
    )
    assert second == f"{path}, question a2: 'question' must be some text, not ' '"
    written(path, asked("a", "Wo?", "Rom"), asked("b", "Was?", "Rom"))
    written(tmp_path / "xquad.en.json", asked("a", "Where?", "Rome"))
    with pytest.raises(DataError, match=r"xquad\.en\.json lacks 1 questions of .*xquad\.de\.json, such as b"):
        squad_questions("x", "xquad", tmp_path, "en", "de")
    with pytest.raises(DataError, match=r"is one file, and the texts are to be in de, the questions in en"):
        squad_questions("x", "xquad", path, "en", "de")
    page = tmp_path / "MLQA_V1.zip"
    page.write_text("<!DOCTYPE html><html><title>Not here</title></html>")
    with pytest.raises(
        DataError, match=r"MLQA_V1\.zip: no zip archive, whatever its name says; it holds a web page \(“Not here”\)"
    ):
        squad_questions("x", "mlqa", tmp_path, "de")
    with pytest.raises(DataError, match=r"line 1: the header is a, b; no column is known as id or context or question"):
        squad_questions("x", "xquad", table(tmp_path / "a.csv", ("a", "b"), ("1", "2")), "de")
    with pytest.raises(DataError, match=r"has no place for \{question\}"):
        squad_questions("x", "xquad", path, "de", input="{context}")


def test_a_wording_of_ones_own(tmp_path: Path) -> None:
    path = written(tmp_path / "xquad.de.json", asked("a", "Wo {context}?", "Rom"), context="Rom {question}")
    (plain,), _ = squad_questions("x", "xquad", path, "de")
    (own,), _ = squad_questions(
        "x", "xquad", path, "de", instruction="Sag es.", input="{question}\n{context}", extract="whole"
    )
    assert own.turns[0].whole == "Sag es.\n\nWo {context}?\nRom {question}"
    assert own.check.arguments["extract"] == "whole"
    assert own.check.arguments["prompt"] != plain.check.arguments["prompt"]
