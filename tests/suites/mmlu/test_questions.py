"""MMLU: the original's form, Global-MMLU's, the paper's translated tables, and what is wrong with files."""

import csv
import io
import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from dragoman.corpora.records import Turn
from dragoman.errors import DataError
from dragoman.json_values import as_text, as_texts
from dragoman.suites.mmlu.questions import INPUT, INSTRUCTION, SUBJECTS, mmlu_questions
from dragoman.suites.questions.checks import check

PAPER = Path("crossalpaca", "data")
ROWS = (
    ("Which is\nthe capital of France?", "Bern", "Paris", "Rome", "Oslo", "B"),
    ("True or {false}?", "True, True", "True, False", "False, True", "False, False", "C"),
)


def table(path: Path, *rows: tuple[str, ...]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def test_a_question(tmp_path: Path) -> None:
    path = table(tmp_path / "abstract_algebra_test.csv", *ROWS)
    (first, second), notes = mmlu_questions("mmlu-en", path, "en")
    listed = "Which is\nthe capital of France?\nA. Bern\nB. Paris\nC. Rome\nD. Oslo"
    assert first.turns == (Turn("user", INSTRUCTION, listed),)
    assert (first.family, first.subject, first.language) == ("mmlu-en", "abstract_algebra", "en")
    assert first.texts == ("Which is\nthe capital of France?", "Bern; Paris; Rome; Oslo")
    assert first.check.name == "letter"
    assert first.check.arguments["value"] == "B"
    assert as_texts(first.check.arguments["options"]) == ["Bern", "Paris", "Rome", "Oslo"]
    assert second.turns[0].input.startswith("True or {false}?\nA. True, True")
    assert notes == {}


def test_wording_of_one_s_own_changes_the_prompt_and_the_name_of_the_wording(tmp_path: Path) -> None:
    path = table(tmp_path / "virology_test.csv", *ROWS)
    (standard, _), _ = mmlu_questions("mmlu-de", path, "de")
    (own, _), _ = mmlu_questions("mmlu-de", path, "de", instruction="Wähle.", input="{options}\n{question}")
    assert own.turns[0].text == "Wähle."
    assert own.turns[0].input.endswith("Oslo\nWhich is\nthe capital of France?")
    assert own.check.arguments["prompt"] != standard.check.arguments["prompt"]
    with pytest.raises(DataError, match=r"no place for \{options\}"):
        mmlu_questions("mmlu-de", path, "de", input="{question}")
    with pytest.raises(DataError, match="letter or its text"):
        mmlu_questions("mmlu-de", path, "de", extract="whole")


def test_answers_may_be_asked_for_as_text(tmp_path: Path) -> None:
    (first, _), _ = mmlu_questions("m", table(tmp_path / "x_test.csv", *ROWS), "en", extract="text")
    assert check(first.check, "The answer is Paris.").passed
    assert check(first.check, "Rome").extracted
    assert not check(first.check, "Rome").passed


def test_the_archive_of_the_original_gives_its_test_set(tmp_path: Path) -> None:
    archive = tmp_path / "data.tar"
    with tarfile.open(archive, "w") as tar:
        for name, rows in (
            ("data/test/anatomy_test.csv", ROWS),
            ("data/dev/anatomy_dev.csv", ROWS[:1]),
            ("data/test/astronomy_test.csv", ROWS[:1]),
        ):
            text = io.StringIO()
            csv.writer(text).writerows(rows)
            info = tarfile.TarInfo(name)
            info.size = len(text.getvalue().encode())
            tar.addfile(info, io.BytesIO(text.getvalue().encode()))
        tar.addfile(tarfile.TarInfo("data/README.txt"), io.BytesIO())
    questions, _ = mmlu_questions("mmlu-en", archive, "en")
    assert [question.subject for question in questions] == ["anatomy", "anatomy", "astronomy"]


def global_mmlu(subject: str, *answers: str) -> list[dict[str, Any]]:
    return [
        {
            "sample_id": f"{subject}/test/{number}",
            "subject": subject,
            "subject_category": "STEM",
            "question": f"Frage {number}",
            **{f"option_{one}": f"{one}{number}" for one in "dcba"},
            "answer": answer,
            "required_knowledge": "[]",
        }
        for number, answer in enumerate(answers)
    ]


def test_global_mmlu_in_parquet_jsonl_and_csv_is_the_same(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    records = global_mmlu("anatomy", "A", "D")
    (tmp_path / "de").mkdir()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(records), tmp_path / "de" / "test-00000-of-00001.parquet")
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(records[:1]), tmp_path / "de" / "dev-00000-of-00001.parquet")
    jsonl = tmp_path / "de.jsonl"
    jsonl.write_text("".join(json.dumps(record) + "\n" for record in records))
    header = table(tmp_path / "de.csv", tuple(records[0]), *(tuple(record.values()) for record in records))
    found = [mmlu_questions("mmlu-de", place, "de")[0] for place in (tmp_path / "de", jsonl, header)]
    assert found[0] == found[1] == found[2]
    assert [question.check.arguments["value"] for question in found[0]] == ["A", "D"]
    assert found[0][1].turns[0].input == "Frage 1\nA. a1\nB. b1\nC. c1\nD. d1"
    assert found[0][1].subject == "anatomy"


def test_headers_in_another_language_and_order(tmp_path: Path) -> None:
    rows = (("Antwort", "D", "C", "B", "A", "Frage"), ("A", "4", "3", "2", "1", "Wie viel?"))
    (only,), _ = mmlu_questions("m", table(tmp_path / "virology_test.csv", *rows), "de")
    assert only.turns[0].input == "Wie viel?\nA. 1\nB. 2\nC. 3\nD. 4"
    assert only.check.arguments["value"] == "A"


def test_originals_repair_answers_and_options_by_position(tmp_path: Path) -> None:
    english = table(tmp_path / "en" / "world_religions_test.csv", *ROWS)
    (_, *first), (_, *second) = ROWS
    german = table(
        tmp_path / "ar" / "worldreligions_test.csv",
        ("Welche Hauptstadt?", *first[:4], ""),
        ("Wahr?", "Wahr, wahr", "Wahr falsch", "Wahr falsch", "Falsch, falsch", "C"),
    )
    (one, two), notes = mmlu_questions("mmlu-ar", german, "ar", originals=english)
    assert one.check.arguments["value"] == "B"
    assert one.subject == "world_religions"
    assert as_texts(two.check.arguments["options"]) == second[:4]
    assert two.turns[0].input.startswith("Wahr?\nA. True, True")
    assert notes == {
        "rows repaired": 2,
        "gold labels by position": 1,
        "options in English, two had become the same": 1,
    }


def test_a_translation_with_another_number_of_rows_is_refused(tmp_path: Path) -> None:
    english = table(tmp_path / "en" / "virology_test.csv", *ROWS)
    short = table(tmp_path / "de" / "virology_test.csv", ROWS[0])
    with pytest.raises(DataError, match=r"de/virology_test.csv has 1 rows of virology, and its original .*en/.* 2:"):
        mmlu_questions("mmlu-de", short, "de", originals=english)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (("Q", "1", "2", "3", "4"), "row 3: 5 columns, and it should be 6"),
        (("Q", "1", "2", "3", "4", ""), "row 3, column 6: the answer is missing"),
        (
            ("Q", "1", "2", "3", "4", "(UND)"),
            r"row 3, column 6: the answer is '\(UND\)', and should be a letter, A to D",
        ),
        (("Q", "1", "2", "3", "4", "E"), "the answer is 'E'"),
        (("", "1", "2", "3", "4", "A"), "row 3, column 6: the question is missing"),
    ],
)
def test_what_is_wrong_is_said_with_file_row_and_column(tmp_path: Path, row: tuple[str, ...], told: str) -> None:
    path = table(tmp_path / "virology_test.csv", *ROWS, row)
    with pytest.raises(DataError, match=rf"virology_test.csv, {told}" if told.startswith("row") else told):
        mmlu_questions("m", path, "en")


def test_an_unknown_header_a_web_page_and_a_missing_column(tmp_path: Path) -> None:
    header = table(tmp_path / "virology_test.csv", ("soru", "a1", "b1", "c1", "d1", "cevap"), *ROWS)
    with pytest.raises(DataError, match="a header with names that are not known"):
        mmlu_questions("m", header, "tr")
    page = tmp_path / "page_test.csv"
    page.write_text("<!DOCTYPE html><html><title>GitHub</title></html>")
    with pytest.raises(DataError, match="a web page"):
        mmlu_questions("m", page, "en")
    archive = tmp_path / "data.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("anatomy_test.csv", "<html><title>Not found</title></html>")
    with pytest.raises(DataError, match=r"data\.zip, in it anatomy_test\.csv: it holds a web page"):
        mmlu_questions("m", archive, "en")
    tar = tmp_path / "data.tar"
    tar.write_text("<!DOCTYPE html><title>Moved</title>")
    with pytest.raises(DataError, match="no tar archive; it holds a web page"):
        mmlu_questions("m", tar, "en")
    records = global_mmlu("anatomy", "A", "B")
    records[1].pop("answer")
    jsonl = tmp_path / "de.jsonl"
    jsonl.write_text("".join(json.dumps(record) + "\n" for record in records))
    with pytest.raises(DataError, match=r"de\.jsonl, row 2: answer missing; it has sample_id"):
        mmlu_questions("m", jsonl, "de")


def test_mmlu_has_57_subjects() -> None:
    assert len(set(SUBJECTS)) == 57


@pytest.mark.parametrize(
    ("folder", "language", "options"),
    [
        *(("English", "en", 0), ("German", "de", 4), ("Spanish", "es", 3)),
        *(("Italian", "it", 1), ("Chinese", "zh", 2), ("Arabic", "ar", 73)),
    ],
)
def test_the_paper_s_translations(real_data: Path, folder: str, language: str, options: int) -> None:
    data = real_data / PAPER
    english, _ = mmlu_questions("mmlu-en", data / "English" / "MMLU", "en")
    questions, notes = mmlu_questions("mmlu", data / folder / "MMLU", language, originals=data / "English" / "MMLU")
    assert len(questions) == 1084
    assert {question.subject for question in questions} == {question.subject for question in english}
    found = "options in English, two had become the same"
    assert notes == ({"rows repaired": options, found: options} if options else {})
    for question, original in zip(questions, english, strict=True):
        gold = as_text(question.check.arguments["value"])
        assert gold == original.check.arguments["value"]
        assert check(question.check, gold).passed
        assert not check(question.check, "ABCD"[("ABCD".index(gold) + 1) % 4]).passed
    assert INPUT == "{question}\n{options}"
