"""How much a data stage wrote, told apart by the languages that methods choose by."""

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import pytest

from dragoman.corpora.amounts import Kind
from dragoman.corpora.records import Dialogue, Pair, Record, Turn
from dragoman.lab import BACKBONE
from dragoman.pipeline.forecast import amounts as volumes
from dragoman.pipeline.forecast.amounts import Vocabulary, written
from dragoman.pipeline.models.cast import Model
from dragoman.store import Artifact


def talk(number: int, language: str) -> Dialogue:
    return Dialogue(
        (Turn("user", f"Request {number}"), Turn("assistant", f"Answer {number}")), f"alpaca-{language}", language
    )


RECORDS: list[Record] = [
    *(Pair(f"Word {n}.", f"Wort {n}.", "en", "de") for n in range(3000)),
    *(Pair(f"Haus {n}.", f"House {n}.", "de", "en") for n in range(1000)),
    *(talk(n, "en") for n in range(500)),
    *(talk(n, "de") for n in range(2500)),
]


@pytest.fixture
def data(tmp_path: Path) -> Artifact:
    """What a data stage leaves: all pairs come before all conversations."""
    lines = [json.dumps(asdict(record)) + "\n" for record in RECORDS]
    (tmp_path / "train.jsonl").write_text("".join(lines))
    counts = Counter(one.direction if isinstance(one, Pair) else one.origin for one in RECORDS)
    return Artifact("data-x", tmp_path, {}, {"train": dict(counts), "test": {}})


@pytest.mark.parametrize("large", [False, True])
def test_what_was_written_is_counted_by_language(data: Artifact, large: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of a file that is too large to be read: the last corpus in it counts as the first does."""
    if large:
        monkeypatch.setattr(volumes, "WHOLE", 1000)
        monkeypatch.setattr(volumes, "BEGINNING", 400)
    vocabulary = Vocabulary(Model("lab", BACKBONE, ""), None)
    found = written(data, "train", vocabulary)
    assert {kind: volume.records for kind, volume in found.volumes.items()} == {
        Kind("en", "de"): 3000,
        Kind("de", "en"): 1000,
        Kind("en", "en", pairs=False): 500,
        Kind("de", "de", pairs=False): 2500,
    }
    whole = vocabulary.of(RECORDS).total
    assert found.total.asked == pytest.approx(whole.asked, rel=0.1)
    assert found.total.answered == pytest.approx(whole.answered, rel=0.1)
    (data.folder / "test.jsonl").write_text("")
    assert written(data, "test", vocabulary).total.records == 0
