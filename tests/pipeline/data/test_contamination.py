"""What a recipe's data shares with what it is judged on: left out, counted and listed; or much, and refused."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from dragoman.corpora.records import Check, Dialogue, Pair, Question, Turn
from dragoman.errors import DataError
from dragoman.pipeline.data.contamination import refuse_trained_on, trained_on
from dragoman.pipeline.data.make_data import data_inputs, make_data
from dragoman.pipeline.data.record_files import read_lines, read_records
from dragoman.pipeline.stages.data import told
from dragoman.recipe.schema import Recipe
from dragoman.store import Digests

LAB = {"corpus": "lab", "directions": ["de-en"], "limit": 3}


def recipe(evaluate: tuple[str, ...] = ("translation",), **data: Any) -> Recipe:
    settings = {"name": "x", "backbone": "lab", "data": data, "methods": ({"vanilla": {}},), "evaluate": evaluate}
    return Recipe.model_validate({**settings, "evaluation": {"questions": 2, "noise_seeds": 0}})


def pairs(path: Path, *rows: tuple[str, str]) -> dict[str, Any]:
    path.write_text("".join(f"{source}\t{target}\n" for source, target in rows), encoding="utf-8")
    return {"files": [{"table": str(path), "direction": "de-en"}]}


def instructions(path: Path, *answers: str) -> dict[str, Any]:
    rows = [{"istruzione": f"Say {number}.", "output": answer} for number, answer in enumerate(answers)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return {"file": str(path), "language": "it"}


def question(text: str) -> Question:
    return Question("facts", (Turn("user", text),), Check("contains"))


SENTENCE = "The harbour lies at the mouth of the river."


def contaminated(folder: Path, **more: Any) -> Recipe:
    return recipe(
        test=pairs(folder / "test.tsv", (f"Im Norden. {SENTENCE}", "x"), ("Danke.", "Thanks.")),
        train=pairs(folder / "train.tsv", (f"Ja. {SENTENCE}", "a"), ("Merci.", "thanks."), ("b", "c")),
        lessons=[instructions(folder / "a.jsonl", SENTENCE.upper(), "d", SENTENCE)],
        instructions=[instructions(folder / "b.jsonl", SENTENCE, "e")],
        **more,
    )


def test_what_is_shared_is_left_out_and_listed(tmp_path: Path) -> None:
    facts = make_data(contaminated(tmp_path), tmp_path)
    assert facts["train"] == {"de-en": 1, "a.jsonl": 1}
    assert facts["instructions"] == {"b.jsonl": 1}
    assert facts["contamination"] == {
        "a.jsonl": {"translation de-en": {"normalised": 1, "exact": 1}},
        "files de-en": {"translation de-en": {"exact": 1, "whole": 1}},
        "b.jsonl": {"translation de-en": {"exact": 1}},
    }
    assert facts["left out"] == {
        "with a sentence of the test set": 2,
        "with a sentence of the test set, but for case and punctuation": 1,
        "also in the test set": 1,
        "with a sentence of the test set, of the instructions": 1,
    }
    lines = list(read_lines(tmp_path / "contamination.jsonl"))
    assert [(line["part"], line["origin"], line["kind"]) for line in lines] == [
        ("data.lessons", "a.jsonl", "normalised"),
        ("data.lessons", "a.jsonl", "exact"),
        ("data.train", "files de-en", "exact"),
        ("data.train", "files de-en", "whole"),
        ("data.instructions", "b.jsonl", "exact"),
    ]
    assert (lines[2]["text"], lines[2]["test_set"]) == (SENTENCE, "translation de-en")
    assert lines[2]["record"]["source"] == f"Ja. {SENTENCE}"
    said = ", ".join(told(facts))
    assert "left out: 2 with a sentence of the test set," in said
    assert "those that share text with the test set are listed in contamination.jsonl" in said
    assert "a.jsonl: 'istruzione' is read as 'instruction'" in said


def test_a_language_stays_with_its_records(tmp_path: Path) -> None:
    make_data(contaminated(tmp_path), tmp_path)
    assert [one.language for one in read_records(tmp_path / "instructions.jsonl") if isinstance(one, Dialogue)] == [
        "it"
    ]


def test_refused_on_request(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        make_data(contaminated(tmp_path, contamination="refuse"), tmp_path)
    assert str(error.value).split("\n") == [
        "5 of the records to learn from share text with what models are judged on, and data.contamination is `refuse`:",
        "  a.jsonl: 1 with a sentence of the test set, but for case and punctuation (translation de-en)",
        "  a.jsonl: 1 with a sentence of the test set (translation de-en)",
        "  files de-en: 1 with a sentence of the test set (translation de-en)",
        "  files de-en: 1 also in the test set (translation de-en)",
        "  b.jsonl: 1 with a sentence of the test set (translation de-en)",
        "The first:",
        f"  a.jsonl: {SENTENCE.upper()!r}",
        f"  a.jsonl: {SENTENCE!r}",
        f"  files de-en: {SENTENCE!r}",
        "With `contamination: remove` they are left out and listed; or choose other data.",
    ]


def test_nothing_shared_is_not_refused(tmp_path: Path) -> None:
    facts = make_data(recipe(train=LAB, test=LAB, contamination="refuse"), tmp_path)
    assert facts["contamination"] == facts["left out"] == {}
    assert list(read_lines(tmp_path / "contamination.jsonl")) == []
    assert "contamination" not in ", ".join(told(facts))


def test_what_is_to_be_done_is_an_input_of_the_data(tmp_path: Path) -> None:
    digests = Digests(tmp_path / "memo")
    removed, refused = (
        data_inputs(recipe(train=LAB, test=LAB, contamination=choice), digests) for choice in ("remove", "refuse")
    )
    assert {name for name in removed if removed[name] != refused[name]} == {"contamination"}


def flores_and_alma(folder: Path, **more: Any) -> Recipe:
    alma, flores = folder / "alma" / "human_written_data" / "deen" / "train.de-en.", folder / "flores200" / "devtest"
    tested = {"source": str(flores / "deu_Latn.devtest"), "target": str(flores / "eng_Latn.devtest")}
    return recipe(
        train={"files": [{"source": f"{alma}de", "target": f"{alma}en", "direction": "de-en"}]},
        test={"files": [{**tested, "direction": "de-en", "both": True}]},
        **more,
    )


def test_who_trains_on_alma_is_not_judged_on_flores(tmp_path: Path, real_data: Path) -> None:
    with pytest.raises(DataError) as error:
        make_data(flores_and_alma(real_data), tmp_path)
    said = str(error.value).split("\n")
    assert "what is judged on was trained on" in said[0]
    assert said[1:3] == [
        "  translation de-en: 1,012 of 1,012 (100%), in 1,012 records of files de-en",
        "  translation en-de: 1,012 of 1,012 (100%)",
    ]
    assert said[3] == "The first:"
    assert len(said[4:-1]) == 3
    assert "write `data: {contamination: remove}`" in said[-1]


def test_unless_the_recipe_takes_it_out(tmp_path: Path, real_data: Path) -> None:
    facts = make_data(flores_and_alma(real_data, contamination="remove"), tmp_path)
    assert facts["contamination"] == {"files de-en": {"translation de-en": {"exact": 1012}}}
    assert facts["left out"].pop("with a sentence of the test set") == 1012
    assert facts["train"]["de-en"] + facts["left out"].get("duplicate", 0) == 14_211 - 1012
    flores = real_data / "flores200" / "devtest"
    sides = [(flores / f"{name}.devtest").read_text(encoding="utf-8").split("\n") for name in ("deu_Latn", "eng_Latn")]
    tested = [Pair(source, target, "de", "en") for source, target in zip(*sides, strict=True) if source]
    assert trained_on(tmp_path, pairs=tested) == []  # for they were left out


def numbered(folder: Path, name: str, numbers: Iterable[int]) -> dict[str, Any]:
    return pairs(folder / name, *((f"Der Hafen Nummer {at} liegt am Rhein.", f"The port {at}") for at in numbers))


@pytest.mark.parametrize(("tested", "shared", "refused"), [(100, 10, True), (100, 9, False), (101, 10, False)])
def test_a_tenth_is_no_accident(tmp_path: Path, tested: int, shared: int, refused: bool) -> None:
    own = recipe(
        test=numbered(tmp_path, "test.tsv", range(tested)),
        train=numbered(tmp_path, "train.tsv", range(tested - shared, tested + 50)),
    )
    if not refused:
        facts = make_data(own, tmp_path)
        assert facts["contamination"] == {"files de-en": {"translation de-en": {"exact": shared}}}
        return
    with pytest.raises(
        DataError, match=rf"translation de-en: {shared} of {tested} \(10%\), in {shared} records of files"
    ):
        make_data(own, tmp_path)


def test_a_few_records_are_no_accident_only_where_the_test_set_has_more_than_a_few(tmp_path: Path) -> None:
    own = recipe(
        test=numbered(tmp_path, "test.tsv", range(9)),
        train=numbered(tmp_path, "train.tsv", range(20)),
    )
    assert make_data(own, tmp_path)["train"] == {"de-en": 11}


def test_what_finished_recipes_were_trained_on(tmp_path: Path) -> None:
    make_data(contaminated(tmp_path), tmp_path)
    kept = trained_on(
        tmp_path,
        pairs=[Pair("b", "c", "de", "en"), Pair("Danke.", "c", "de", "en")],
        questions=[question("Say 1."), question("Say 2.")],
        prompts={"safety": ["Say 1.", "Say it."], "mt-bench": ["Sing."]},
    )
    assert [(one.test_set, one.found, one.of, one.much) for one in kept] == [
        ("translation de-en", 1, 2, False),
        ("facts", 1, 2, False),
        ("safety", 1, 2, False),
    ]
    assert kept[1].origins == {"a.jsonl": 1, "b.jsonl": 1}
    refuse_trained_on(kept, "…")  # which are no reason


def test_what_only_some_methods_see_can_be_left_aside(tmp_path: Path) -> None:
    own = recipe(
        lessons=[instructions(tmp_path / "a.jsonl", *(f"Lesson number {at} is about ports." for at in range(12)))],
        instructions=[instructions(tmp_path / "b.jsonl", *(f"General remark {at} on the sea." for at in range(12)))],
        test=pairs(tmp_path / "test.tsv", ("Danke.", "Thanks.")),
    )
    make_data(own, tmp_path)
    asked = {"sea": [f"General remark {at} on the sea." for at in range(30)]}
    assert trained_on(tmp_path, prompts=asked, instructions=False) == []
    (found,) = trained_on(tmp_path, prompts=asked)
    assert (found.found, found.of, found.much, found.origins) == (12, 30, True, {"b.jsonl": 12})
    with pytest.raises(DataError, match=r"  sea: 12 of 30 \(40%\), in 12 records of b.jsonl\n.*\n.*General remark 0"):
        refuse_trained_on([found], "Take another model.")


def test_dolly_has_passages_of_xquad(tmp_path: Path, real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGOMAN_MIRROR", str(real_data))
    dolly = {"file": str(real_data / "instruction" / "sdft" / "dolly" / "dolly_train.json")}
    facts = make_data(recipe(("xquad-en",), lessons=[dolly]), tmp_path)
    assert facts["contamination"] == {"dolly_train.json": {"xquad-en": {"13-gram": 2, "exact": 1}}}
    assert facts["train"] == {"dolly_train.json": 1996}  # one of the 2,000 is there twice
    lines = list(read_lines(tmp_path / "contamination.jsonl"))
    assert Counter(line["text"] for line in lines) == {
        "that covers most of the amazon basin of south america this basin encompasses": 2,
        "Particularly fast methods are available for numbers of special forms, such as Mersenne numbers.": 1,
    }
