"""What a recipe's data shares with what it is judged on: left out, counted and listed, or refused."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dragoman.errors import DataError
from dragoman.pipeline.show import told
from dragoman.pipeline.sources import data_inputs, make_data, read_dialogues, read_lines
from dragoman.recipe.schema import Recipe
from dragoman.store import Digests

LAB = {"corpus": "lab", "directions": ["de-en"], "limit": 3}


def recipe(evaluate: tuple[str, ...] = ("translation",), **data: Any) -> Recipe:
    settings = {"questions": 2, "noise_seeds": 0}
    return Recipe(
        name="x", backbone="lab", data=data, methods=({"vanilla": {}},), evaluate=evaluate, evaluation=settings
    )


def pairs(path: Path, *rows: tuple[str, str]) -> dict[str, Any]:
    path.write_text("".join(f"{source}\t{target}\n" for source, target in rows), encoding="utf-8")
    return {"files": [{"table": str(path), "direction": "de-en"}]}


def instructions(path: Path, *answers: str) -> dict[str, Any]:
    rows = [{"istruzione": f"Say {number}.", "output": answer} for number, answer in enumerate(answers)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return {"file": str(path), "language": "it"}


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
    said = told("data", facts)
    assert "left out: 2 with a sentence of the test set," in said
    assert "those that share text with the test set are listed in contamination.jsonl" in said
    assert "a.jsonl: 'istruzione' is read as 'instruction'" in said


def test_a_language_stays_with_its_records(tmp_path: Path) -> None:
    make_data(contaminated(tmp_path), tmp_path)
    assert [one.language for one in read_dialogues(tmp_path / "instructions.jsonl")] == ["it"]


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
    assert "contamination" not in told("data", facts)


def test_what_is_to_be_done_is_an_input_of_the_data(tmp_path: Path) -> None:
    digests = Digests(tmp_path / "memo")
    removed, refused = (
        data_inputs(recipe(train=LAB, test=LAB, contamination=choice), digests) for choice in ("remove", "refuse")
    )
    assert {name for name in removed if removed[name] != refused[name]} == {"contamination"}


def test_alma_is_not_judged_on_flores(tmp_path: Path, real_data: Path) -> None:
    alma = real_data / "alma" / "human_written_data" / "deen" / "train.de-en."
    flores = real_data / "flores200" / "devtest"
    facts = make_data(
        recipe(
            train={"files": [{"source": f"{alma}de", "target": f"{alma}en", "direction": "de-en"}]},
            test={
                "files": [
                    {
                        "source": str(flores / "deu_Latn.devtest"),
                        "target": str(flores / "eng_Latn.devtest"),
                        "direction": "de-en",
                    }
                ]
            },
        ),
        tmp_path,
    )
    assert facts["contamination"] == {"files de-en": {"translation de-en": {"exact": 1012}}}
    assert facts["left out"].pop("with a sentence of the test set") == 1012
    assert facts["train"]["de-en"] + facts["left out"].get("duplicate", 0) == 14_211 - 1012


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
