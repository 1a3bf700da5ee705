"""Scored outputs: lines that correspond, records, and ParroT's JSON, which come to the same segments."""

import json
from pathlib import Path
from typing import Any

import pytest

from dragoman.corpora.formats.judgements.scored import Output, Scale, read, read_lines
from dragoman.corpora.formats.judgements.table import Table
from dragoman.corpora.records import TranslationError
from dragoman.errors import DataError

EN_DE = ("en", "de")
SOURCES = ["The dog sleeps.", "It barks."]
SAID = {"A": [("Der Hund schläft.", 1.0), ("Er bellt.", 0.9)], "B": [("Die Katze schläft.", 0.6), ("Es bellt.", 0.97)]}


def write(path: Path, *lines: object) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def in_lines(folder: Path) -> Table:
    outputs = []
    for system, said in SAID.items():
        texts, scores = zip(*said, strict=True)
        files = write(folder / f"{system}.de", *texts), write(folder / f"{system}.comet", *scores)
        outputs.append(Output(*files, system))
    return read_lines(write(folder / "a.en", *SOURCES), outputs, EN_DE, Scale(), "a.en")


def records() -> list[dict[str, Any]]:
    return [
        {"source": source, "translation": text, "score": score, "system": system}
        for system, said in SAID.items()
        for source, (text, score) in zip(SOURCES, said, strict=True)
    ]


def test_lines_and_records_come_to_the_same_in_points_of_mqm(tmp_path: Path) -> None:
    found = in_lines(tmp_path)
    first, second = found.records
    assert (first.source, first.source_language, first.target_language, first.origin) == (
        SOURCES[0],
        "en",
        "de",
        "a.en",
    )
    assert [(one.system, one.text, one.score) for one in first.translations] == [
        ("A", "Der Hund schläft.", 0),
        ("B", "Die Katze schläft.", pytest.approx(-10)),
    ]
    assert [one.errors for one in first.translations] == [(), (TranslationError("", "major"),)]
    assert [one.errors for one in second.translations] == [(TranslationError("", "minor"),), ()]
    for name, text in {
        "a.jsonl": "\n".join(map(json.dumps, records())),
        "a.json": json.dumps(records(), indent=1),
    }.items():
        assert read(write(tmp_path / name, text), EN_DE, Scale(), "a.en").records == found.records


@pytest.mark.parametrize("indent", [None, 4])
def test_parrots_json_has_severities_of_its_own(tmp_path: Path, indent: int | None) -> None:
    segment = {"source": [SOURCES[0]], "hypothesis": ["Hund schläft.", "Der Hund schläft."], "rating": [0.8, 0.7]}
    both = {"0": segment | {"severity": ["Minor", "no"]}, "1": {**segment, "source": [SOURCES[1]]}}
    path = write(tmp_path / "sys_rating_comet.en-de.json", json.dumps(both, indent=indent))
    told, guessed = read(path, EN_DE, Scale()).records
    assert [one.errors for one in told.translations] == [(TranslationError("", "minor"),), ()]
    assert [one.errors for one in guessed.translations] == [(TranslationError("", "major"),)] * 2
    assert [one.score for one in told.translations] == pytest.approx([-5, -7.5])


def test_scores_of_mqm_are_points_as_they_are(tmp_path: Path) -> None:
    rows = [{"source": "a", "translation": text, "score": score} for text, score in (("b", -0.5), ("c", -1), ("d", -6))]
    path = write(tmp_path / "a.jsonl", *map(json.dumps, rows))
    (one,) = read(path, EN_DE, Scale("mqm")).records
    assert [said.score for said in one.translations] == [-0.5, -1, -6]
    assert [error.severity for said in one.translations for error in said.errors] == ["minor", "major"]
    (one,) = read(path, EN_DE, Scale("mqm", -0.1, -10)).records
    assert [error.severity for said in one.translations for error in said.errors] == ["minor"] * 3


def test_lines_that_do_not_correspond_are_refused_all_at_once(tmp_path: Path) -> None:
    source = write(tmp_path / "a.en", *SOURCES)
    short, long = write(tmp_path / "a.de", "Ja."), write(tmp_path / "a.comet", 1, 0.9, 0.8)
    with pytest.raises(DataError) as refused:
        read_lines(source, [Output(short, long, "A")], EN_DE, Scale())
    assert str(refused.value).split("\n") == [
        f"{short}: 1 lines, and {source} has 2; each sentence needs its own",
        f"{long}: 3 lines, and {source} has 2; each sentence needs its own",
    ]


@pytest.mark.parametrize("score", ["", "good", "nan", "0,83", "inf"])
def test_a_line_that_is_no_score_is_refused_with_its_number(tmp_path: Path, score: str) -> None:
    paths = [write(tmp_path / "a.en", *SOURCES), write(tmp_path / "a.de", "Ja.", "Nein.")]
    scores = write(tmp_path / "a.comet", 1, score)
    with pytest.raises(DataError, match=r"a\.comet, line 2: .* is no score; a number is needed, as in 0\.8312"):
        read_lines(paths[0], [Output(paths[1], scores, "A")], EN_DE, Scale())


@pytest.mark.parametrize(
    ("record", "what"),
    [
        ({"source": "a", "score": 1}, "line 2: 'translation' is missing. It has source, score."),
        ({"source": "a", "translation": "b", "score": True}, "line 2: True is no score"),
        ({"source": "a", "translation": ["b"], "score": 1}, "line 2: source and translation must be texts"),
        ({"source": "a", "translation": "b", "score": 1, "severity": "bad"}, "line 2: severity 'bad'; known are no,"),
    ],
)
def test_a_faulty_record_is_refused_with_its_line(tmp_path: Path, record: dict[str, Any], what: str) -> None:
    with pytest.raises(DataError) as refused:
        read(write(tmp_path / "a.jsonl", json.dumps(records()[0]), json.dumps(record)), EN_DE, Scale())
    assert what in str(refused.value)


@pytest.mark.parametrize(
    "segment",
    [
        {"source": [], "hypothesis": ["a"], "rating": [1]},
        {"source": ["a"], "hypothesis": ["a", "b"], "rating": [1]},
        {"source": ["a"], "hypothesis": ["a"], "rating": [1], "severity": []},
        {"source": "a", "hypothesis": ["a"], "rating": [1]},
    ],
)
def test_a_segment_whose_lists_do_not_fit_is_refused(tmp_path: Path, segment: dict[str, Any]) -> None:
    with pytest.raises(DataError, match=r"segment '7': needs lists `source` with one text"):
        read(write(tmp_path / "a.json", json.dumps({"7": segment})), EN_DE, Scale())


def test_what_has_no_source_or_no_translation_is_left_out_and_told(tmp_path: Path) -> None:
    source = write(tmp_path / "a.en", *SOURCES, "", "Yes.")
    output = Output(write(tmp_path / "a.de", "", "Er bellt.", "Ja.", "Ja."), write(tmp_path / "s", 1, 1, 1, 1), "A")
    found = read_lines(source, [output, output], EN_DE, Scale())
    assert [one.source for one in found.records] == ["It barks.", "Yes."]
    assert found.dropped == {"empty translation": 2, "segment without source": 1}
    assert found.doubts == (f"{source}: 1 segments without a source (line 3)",)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no scored translation is in it"):
        read(write(tmp_path / "a.jsonl"), EN_DE, Scale())
