"""MT-Bench's files."""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dragoman.corpora import catalog
from dragoman.errors import DataError
from dragoman.suites.mt_bench.files import PROMPTS, WITH_REFERENCE, categories, read

ASKED = {"question_id": 1, "category": "writing", "turns": ["Write a letter.", "Shorter."]}
SUM = {"question_id": 2, "category": "math", "turns": ["1 + 1?", "And one more?"]}
ANSWER = {"question_id": 2, "choices": [{"index": 0, "turns": ["2", "3"]}]}


def lines(*records: dict[str, Any]) -> str:
    return "".join(f"{json.dumps(record)}\n" for record in records)


@pytest.fixture
def mirror(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DRAGOMAN_MIRROR", str(real_data))
    return real_data


@pytest.fixture
def told(our_data: Path, tmp_path: Path) -> str:
    """Judge prompts, copied beside the questions of a test."""
    return str(shutil.copy(our_data / "mt_bench" / "judge_prompts.jsonl", tmp_path))


def test_questions_references_and_prompts_of_a_folder(our_data: Path) -> None:
    material = read([our_data / "mt_bench"])
    assert [question["id"] for question in material["questions"]] == list(range(81, 97))
    assert len(material["texts"]) == 32
    assert {q["category"] for q in material["questions"] if "reference" in q} == set(WITH_REFERENCE)
    assert set(material["prompts"]) == set(PROMPTS)
    assert json.loads(json.dumps(material)) == material


def test_the_catalogue_s_files(mirror: Path) -> None:
    entry = catalog.find("mt-bench")
    material = read([catalog.local(entry, path) for path in entry.files])
    questions = material["questions"]
    assert [question["id"] for question in questions] == list(range(81, 161))
    kinds = Counter(question["category"] for question in questions)
    assert len(kinds) == 8
    assert set(kinds.values()) == {10}
    assert len(material["texts"]) == 160
    assert material["texts"][1] == "Rewrite your previous response. Start every sentence with the letter A."
    assert [q["id"] for q in questions if "reference" in q] == [
        q["id"] for q in questions if q["category"] in WITH_REFERENCE
    ]
    assert set(material["prompts"]) == set(PROMPTS)
    assert json.loads(json.dumps(material)) == material
    assert read([mirror / "mt_bench"]) == material  # the folder, judgements and answers of models beside it


def test_questions_of_one_s_own(tmp_path: Path, mirror: Path) -> None:
    folder = tmp_path / "own"
    (folder / "reference_answer").mkdir(parents=True)
    (folder / "question.jsonl").write_text(lines(ASKED, SUM))
    (folder / "reference_answer" / "me.jsonl").write_text(lines(ANSWER))
    material = read([folder])
    assert [question.get("reference") for question in material["questions"]] == [None, ["2", "3"]]
    assert material["prompts"] == read([mirror / "mt_bench"])["prompts"]
    alone = tmp_path / "anything.jsonl"
    alone.write_text(lines(ASKED | {"turns": ["Write a letter."]}))
    assert read([alone])["texts"] == ["Write a letter."]
    assert categories(folder / "question.jsonl") == {1: "writing", 2: "math"}


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ((), "has no questions"),
        ((ASKED, SUM), "question 2 is on math, which is judged by a reference answer, and there is none"),
        ((ASKED, ASKED), "line 2: a second question has the question_id 1"),
        (
            (ASKED | {"turns": []}, ASKED | {"question_id": None}),
            r"line 1: 'turns' must be(.|\n)*line 2: 'question_id'",
        ),
        ((ASKED | {"category": 3},), "line 1: 'category' must be some text"),
        ((ASKED | {"turns": ["a", "b", "c"]},), "one or two texts"),
    ],
)
def test_files_that_are_none(tmp_path: Path, told: str, records: tuple[Any, ...], said: str) -> None:
    (tmp_path / "question.jsonl").write_text(lines(*records))
    with pytest.raises(DataError, match=said):
        read([tmp_path])


def test_folders_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"needs one file of questions, question\.jsonl; in .* there is none"):
        read([tmp_path])
    (tmp_path / "question.jsonl").write_text(lines(ASKED))
    prompts = tmp_path / "judge_prompts.jsonl"
    prompts.write_text(lines({"name": "single-v1", "system_prompt": "", "prompt_template": "Rate {answre}"}))
    with pytest.raises(DataError, match=r"line 1: the template of single-v1 can't be filled \('answre'\)"):
        read([tmp_path])
    prompts.write_text(lines({"name": "single-v1", "system_prompt": "", "prompt_template": "Rate {answer}"}))
    with pytest.raises(DataError, match="has no judge prompt single-math-v1, single-v1-multi-turn"):
        read([tmp_path])
