"""Preferences from files, in a plain form and in ALMA-R's. The records are our own."""

import json
from pathlib import Path
from typing import Any

import pytest

from dragoman.corpora.formats.judgements.preferences import Choice, read
from dragoman.corpora.records import Preference
from dragoman.errors import DataError

ALMA: dict[str, Any] = {
    "de": "Guten Morgen.",
    "en": "Good morning.",
    "gpt4_de": "Schönen guten Morgen.",
    "alma_de": "Gut Morgen.",
    "gpt4_en": "A good morning.",
    "alma_en": "Morning.",
    "ref_de_kiwi_xcomet": 0.9,
    "gpt4_de_kiwi_xcomet": 0.95,
    "alma_de_kiwi_xcomet": 0.4,
    "ref_en_kiwi_xcomet": 0.9,
    "gpt4_en_kiwi_xcomet": 0.7,
    "alma_en_kiwi_xcomet": 0.8,
    "ref_de_kiwi": 0.9,
    "gpt4_de_kiwi": 0.2,
    "alma_de_kiwi": 0.4,
    "language_pair": "en-de",
    "required_directions": "",
    "Delta": 0,
}


def written(folder: Path, *records: dict[str, Any]) -> Path:
    path = folder / "some.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in records), encoding="utf-8")
    return path


def alma(**changes: Any) -> dict[str, Any]:
    return {"translation": {name: value for name, value in (ALMA | changes).items() if value is not None}}


def both(found: list[Preference]) -> list[tuple[str, str, str]]:
    return [(one.direction, one.chosen, one.rejected) for one in found]


def test_the_best_by_the_score_is_chosen_and_the_worst_rejected(tmp_path: Path) -> None:
    path = written(tmp_path, alma(), alma(required_directions="en-de"))
    to_german = ("en-de", "Schönen guten Morgen.", "Gut Morgen.")
    expected = [to_german, ("de-en", "Good morning.", "A good morning."), to_german]
    assert both(read(path).records) == expected
    assert both(read(path, "de-en").records) == expected[1:2]
    assert both(read(path, "en-de", Choice("kiwi")).records)[0] == (
        "en-de",
        "Guten Morgen.",
        "Schönen guten Morgen.",
    )
    assert {one.source for one in read(path, "en-de").records} == {"Good morning."}


@pytest.mark.parametrize(
    ("delta", "best", "worst"),
    [(1, "Schönen guten Morgen.", "Gut Morgen."), (-0.5, "Gut Morgen.", "Schönen guten Morgen.")],
)
def test_what_a_person_preferred_decides(delta: float, best: str, worst: str, tmp_path: Path) -> None:
    path = written(tmp_path, alma(Delta=delta, required_directions="en-de", ref_de_kiwi_xcomet=None))
    assert both(read(path).records) == [("en-de", best, worst)]


def test_what_is_closer_than_the_margin_is_left_out_and_counted(tmp_path: Path) -> None:
    found = read(written(tmp_path, alma()), None, Choice(margin=0.3))
    assert [one.direction for one in found.records] == ["en-de"]
    assert found.dropped == {"closer than the margin": 1}


def test_plain_records(tmp_path: Path) -> None:
    one = {"source": " Guten Morgen. ", "chosen": "Good morning.", "rejected": "Morning."}
    other = {"prompt": "Gute Nacht.", "chosen": "Good night.", "rejected": "Night."}
    same = {"source": "Ja.", "chosen": "Yes.", "rejected": "Yes. "}
    found = read(written(tmp_path, one, same, other), "de-en", origin="mine")
    assert found.records == [
        Preference("Guten Morgen.", "Good morning.", "Morning.", "de", "en", "mine"),
        Preference("Gute Nacht.", "Good night.", "Night.", "de", "en", "mine"),
    ]
    assert found.dropped == {"equal sides": 1}
    assert found.doubts == (f"{tmp_path}/some.jsonl: 1 preferences between equal translations are left out (line 2)",)
    with pytest.raises(DataError, match=r"no de-en preference is in it; left out: 2 equal sides"):
        read(written(tmp_path, same, same), "de-en")


@pytest.mark.parametrize(
    ("record", "what"),
    [
        (
            {"source": "Ja.", "chosen": "Yes."},
            r"line 1: 'rejected' must be a text. The record has source, chosen; it needs",
        ),
        (alma(gpt4_de_kiwi_xcomet=None), r"line 1: has no score 'gpt4_de_kiwi_xcomet'; name another under `score`"),
        (alma(gpt4_de_kiwi_xcomet="n/a"), r"'gpt4_de_kiwi_xcomet' is no number; name another"),
        (alma(Delta=1, alma_de=None), r"Delta compares gpt4 and alma, and alma_de is missing"),
        (alma(language_pair=None), r"'language_pair' must name two languages, as in de-en, not None"),
        (alma(required_directions="cs-en"), r"required_directions has 'cs-en', and the sides are en-de"),
        (alma(de=" "), r"'de' must be a text"),
        (alma(gpt4_de=None, alma_de=None), r"no translation beside 'de' to compare it with"),
    ],
)
def test_faults_say_where_and_what_to_do(record: dict[str, Any], what: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=what):
        read(written(tmp_path, record), "en-de")


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 1: .*\n.*line 3: "):
        read(written(tmp_path, {"chosen": 1}, alma(), {}), "en-de")
    with pytest.raises(DataError, match="of which languages"):
        read(written(tmp_path, {"source": "Ja.", "chosen": "Yes.", "rejected": "No."}))
