"""The data of a recipe: lessons, instructions and suites become files, and everything is counted."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dragoman.corpora.records import Dialogue, Pair
from dragoman.errors import DataError
from dragoman.lab import abilities
from dragoman.pipeline.data import conversations
from dragoman.pipeline.data.make_data import data_inputs, make_data, missing
from dragoman.pipeline.data.record_files import read_pairs, read_questions, read_records
from dragoman.pipeline.stages.data import told
from dragoman.recipe.schema import Recipe
from dragoman.store import Digests

Making = Callable[..., dict[str, Any]]
PROGRAMS = {"corpus": "lab-programs", "limit": 20}


def recipe(data: dict[str, Any], evaluate: tuple[str, ...] = ("programs",), **evaluation: int) -> Recipe:
    settings = {"name": "x", "backbone": "lab", "data": data, "methods": ({"vanilla": {}},), "evaluate": evaluate}
    return Recipe.model_validate({**settings, "evaluation": {"questions": 5, "noise_seeds": 1, **evaluation}})


def written(folder: Path, name: str, *requests: str) -> str:
    """A file of instructions, each answered with its own length."""
    path = folder / name
    rows = [{"instruction": request, "output": str(len(request))} for request in requests]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def numbered(count: int, what: str = "Say") -> list[str]:
    return [f"{what} {number}." for number in range(count)]


def dialogues(path: Path) -> list[Dialogue]:
    return [record for record in read_records(path) if isinstance(record, Dialogue)]


def test_lessons_alone(tmp_path: Path) -> None:
    facts = make_data(recipe({"lessons": [PROGRAMS]}), tmp_path)
    assert facts["train"] == {"lab-programs": 20}
    assert facts["test"] == facts["instructions"] == facts["left out"] == {}
    assert facts["questions"] == {"programs": 5}
    records = list(read_records(tmp_path / "train.jsonl"))
    assert records == abilities.dialogues("programs", 20, 0)
    assert [len(part.read_text()) for part in map(tmp_path.joinpath, ("test.jsonl", "instructions.jsonl"))] == [0, 0]


def test_pairs_and_lessons_follow_each_other(tmp_path: Path) -> None:
    lab = {"corpus": "lab", "directions": ["de-en"], "limit": 7}
    data = {"train": lab, "test": {**lab, "limit": 3}, "lessons": [PROGRAMS, {"corpus": "lab-programs", "limit": 30}]}
    facts = make_data(recipe(data, ("translation",)), tmp_path)
    kinds = [type(record) for record in read_records(tmp_path / "train.jsonl")]
    assert kinds == [Pair] * facts["train"]["de-en"] + [Dialogue] * 30
    assert facts["train"]["lab-programs"] == 30  # the first 20 of the second source are the first source's
    assert facts["left out"]["duplicate"] == 20
    assert len(list(read_pairs(tmp_path / "test.jsonl"))) == facts["test"]["de-en"] == 3


def test_programs_that_are_taught_are_never_asked(tmp_path: Path) -> None:
    make_data(recipe({"lessons": [{"corpus": "lab-programs", "limit": 400}]}, questions=40), tmp_path)
    taught = {record.turns[0].text for record in dialogues(tmp_path / "train.jsonl")}
    (asked,) = read_questions(tmp_path / "questions.jsonl")
    assert len(taught) == 400
    assert len(asked) == 40
    assert not taught & {question.turns[0].text for question in asked}
    assert {question.family for question in asked} == {"programs"}


def test_instructions_by_share(tmp_path: Path) -> None:
    first, second = written(tmp_path, "a.jsonl", *numbered(90)), written(tmp_path, "b.jsonl", *numbered(90, "Count"))
    data = {"lessons": [PROGRAMS], "instructions": [{"file": first, "share": 0.3}, {"file": second, "share": 0.5}]}
    facts = make_data(recipe(data), tmp_path)
    assert facts["instructions"] == {"a.jsonl": 30, "b.jsonl": 50}  # of 100 in all, 20 of which are lessons
    assert facts["short"] == {}
    assert facts["left out"] == {"over the limit, of the instructions": 100}
    assert sum(1 for _ in dialogues(tmp_path / "instructions.jsonl")) == 80


def test_a_share_counts_those_with_a_limit_too(tmp_path: Path) -> None:
    first, second = written(tmp_path, "a.jsonl", *numbered(90)), written(tmp_path, "b.jsonl", *numbered(90, "Count"))
    data = {"lessons": [PROGRAMS], "instructions": [{"file": first, "share": 0.5}, {"file": second, "limit": 10}]}
    assert make_data(recipe(data), tmp_path)["instructions"] == {"b.jsonl": 10, "a.jsonl": 30}


def test_a_share_is_capped_by_what_there_is(tmp_path: Path) -> None:
    data = {"lessons": [PROGRAMS], "instructions": [{"file": written(tmp_path, "a.jsonl", "Hi."), "share": 0.5}]}
    facts = make_data(recipe(data), tmp_path)
    assert facts["instructions"] == {"a.jsonl": 1}
    assert facts["short"] == {"a.jsonl": {"wanted": 20, "there": 1}}
    assert ", ".join(told(facts)) == "20 train, 5 questions, 1 instructions, a.jsonl has 1 where its share asks for 20"


def test_what_is_asked_later_is_not_taught(tmp_path: Path) -> None:
    question = {"family": "own", "prompt": "What is  the CAPITAL of France?", "check": {"name": "refusal"}}
    (tmp_path / "asked.jsonl").write_text(json.dumps(question) + "\n")
    lab = {"corpus": "lab", "directions": ["de-en"], "limit": 3}
    make_data(recipe({"train": lab, "test": lab}, ("translation",)), tmp_path)
    side = next(read_pairs(tmp_path / "test.jsonl")).target
    file = written(tmp_path, "a.jsonl", "what is the capital of france?", side.upper(), "Name a capital.")
    data = {"lessons": [{"file": file}], "instructions": [{"file": file}], "test": lab}
    facts = make_data(recipe(data, (str(tmp_path / "asked.jsonl"), "translation")), tmp_path)
    assert facts["left out"] == {"also in the test set": 2, "also in the test set, of the instructions": 2}
    assert [record.turns[0].text for record in dialogues(tmp_path / "train.jsonl")] == ["Name a capital."]


def test_skills_and_fixed_sets_are_asked_once(tmp_path: Path, real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGOMAN_MIRROR", str(real_data))
    suites = ("lab", "programs", "humaneval")
    facts = make_data(recipe({"lessons": [PROGRAMS]}, suites, questions=2, noise_seeds=2), tmp_path)
    draws = read_questions(tmp_path / "questions.jsonl")
    families = [[question.family for question in drawn] for drawn in draws]
    assert [len(drawn) for drawn in families] == [2 * len(abilities.FAMILIES) + 2 + 164, *[16, 16]]
    assert families[1] == families[2] == [family for family in abilities.FAMILIES for _ in range(2)]
    assert facts["questions"]["humaneval"] == 164
    assert facts["asked of the backbone"] == 182 + 16 + 16


def test_where_only_skills_are_asked_there_is_one_draw(tmp_path: Path) -> None:
    make_data(recipe({"lessons": [PROGRAMS]}, noise_seeds=2), tmp_path)
    assert len(read_questions(tmp_path / "questions.jsonl")) == 1


@pytest.mark.parametrize("name", list(conversations.LAB))
def test_what_the_lab_makes_depends_on_the_seed_alone(name: str, tmp_path: Path) -> None:
    def made(seed: int) -> str:
        make_data(recipe({"lessons": [{"corpus": name, "limit": 25, "seed": seed}]}), tmp_path)
        return (tmp_path / "train.jsonl").read_text()

    assert made(1) == made(1) != made(2)
    origins = {record.origin.removesuffix("-en") for record in dialogues(tmp_path / "train.jsonl")}
    assert origins == {name}


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"corpus": "wmt22"}, "corpus 'wmt22' has no dialogues part; it has test"),
        (
            {"corpus": "lab-program"},
            "the lab has no conversations 'lab-program'; it has lab-programs, lab-instructions",
        ),
        ({"corpus": "alpca"}, "Did you mean 'alpaca'"),
        ({"file": "none.jsonl"}, "there is no file none.jsonl"),
    ],
)
def test_lessons_that_cannot_be_had(source: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said):
        make_data(recipe({"lessons": [source]}), tmp_path)
    with pytest.raises(DataError, match=said):
        data_inputs(recipe({"lessons": [PROGRAMS], "instructions": [source]}), Digests(tmp_path / "memo"))


def test_nothing_left(tmp_path: Path) -> None:
    empty = tmp_path / "a.jsonl"
    empty.write_text('{"instruction": "a", "output": ""}\n')
    with pytest.raises(DataError, match="nothing is left to learn from; left out: 1 empty"):
        make_data(recipe({"lessons": [{"file": str(empty)}]}), tmp_path)
    with pytest.raises(DataError, match=r"nothing is left to mix in \(data.instructions\)"):
        make_data(recipe({"lessons": [PROGRAMS], "instructions": [{"file": str(empty)}]}), tmp_path)


def test_the_inputs_change_with_contents_and_choices(
    tmp_path: Path, real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAGOMAN_MIRROR", str(real_data))

    def inputs(**source: Any) -> Any:
        data = {"lessons": [PROGRAMS], "instructions": [source]}
        return data_inputs(recipe(data, ("humaneval",)), Digests(tmp_path / "memo"))

    path = written(tmp_path, "a.jsonl", "Hi.")
    first = inputs(file=path)
    assert inputs(file=path) == first
    assert inputs(file=path, seed=1) != first
    written(tmp_path, "a.jsonl", "Ho, ho.")
    assert inputs(file=path) != first
    assert first["benchmark humaneval"] == {
        "contents": ["b796127e635a67f93fb35c04f4cb03cf06f38c8072ee7cee8833d7bee06979ef"]
    }


def test_a_corpus_without_checksum_is_named_in_the_facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGOMAN_MIRROR", str(tmp_path))
    monkeypatch.setenv("DRAGOMAN_CACHE", str(tmp_path / "cache"))
    chosen = recipe({"lessons": [PROGRAMS], "instructions": [{"corpus": "alpaca", "limit": 1}]})
    assert missing(chosen) == ("alpaca",)
    (tmp_path / "alpaca").mkdir()
    (tmp_path / "alpaca" / "alpaca_data.json").write_text(
        json.dumps([{"instruction": "a", "input": "", "output": "b"}])
    )
    assert missing(chosen) == ()
    facts = make_data(chosen, tmp_path)
    assert facts["unchecked"] == ["alpaca: alpaca_data.json"]
    assert "alpaca: alpaca_data.json could not be checked (no checksum is known)" in ", ".join(told(facts))


def test_the_language_of_instruction_data(tmp_path: Path, real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGOMAN_MIRROR", str(real_data))
    file = written(tmp_path, "a.jsonl", "Di' ciao.")
    sources = [
        {"corpus": "alpaca-de-12k"},
        {"corpus": "lab-alpaca", "language": "it", "limit": 3},
        {"corpus": "lab-alpaca", "language": "de", "limit": 2},
        {"file": file, "language": "it"},
        {"file": written(tmp_path, "b.jsonl", "Say hi.")},
    ]
    facts = make_data(recipe({"lessons": sources}), tmp_path)
    numbers = {"alpaca-de-12k": 11_950, "lab-alpaca-it": 3, "lab-alpaca-de": 2, "a.jsonl": 1, "b.jsonl": 1}
    assert facts["train"] == numbers
    records = dialogues(tmp_path / "train.jsonl")
    assert {(one.origin, one.language) for one in records} == {
        ("alpaca-de-12k", "de"), ("lab-alpaca-it", "it"), ("lab-alpaca-de", "de"), ("a.jsonl", "it"), ("b.jsonl", "en")
    }  # fmt: skip
    assert any(one.turns[0].input for one in records)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"file": "a.jsonl", "language": "german"}, "german"),
        ({"corpus": "lab-programs", "language": "de"}, "lab-programs is in English alone, not in 'de'"),
        ({"corpus": "lab-alpaca", "language": "fr"}, "The lab has no instructions in 'fr'; it has them in en, de, it"),
    ],
)
def test_a_language_that_cannot_be_had(source: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said):
        make_data(recipe({"lessons": [source]}), tmp_path)


def test_what_cannot_be_asked_of_a_test_is_counted(tmp_path: Path) -> None:
    sound = [json.dumps({"source": f"Satz {number}", "target": f"Sentence {number}"}) for number in range(5)]
    halved = json.dumps({"source": "Satz \ud83d", "target": "Sentence"})
    (tmp_path / "test.jsonl").write_text("\n".join([*sound, halved, '{"source": "Leer", "target": " "}']))
    test = {"files": [{"table": str(tmp_path / "test.jsonl"), "direction": "de-en"}], "limit": 4}
    facts = make_data(recipe({"lessons": [PROGRAMS], "test": test}, ("translation",)), tmp_path)
    assert facts["test"] == {"de-en": 4}
    assert facts["left out"] == {"with half a character, of the test": 1, "empty, of the test": 1}
