"""How much a data stage wrote, told apart by the languages that methods choose by."""

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import pytest

from dragoman.corpora import catalog
from dragoman.corpora.amounts import Kind
from dragoman.corpora.records import Dialogue, Pair, Record, Turn
from dragoman.lab import BACKBONE
from dragoman.pipeline.forecast import amounts as volumes
from dragoman.pipeline.forecast.amounts import Vocabulary, of_prompts, written
from dragoman.pipeline.models.cast import Model
from dragoman.recipe.data.conversations import ReplayData
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


def test_prompts_for_replay_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("".join(f"Say the number {number}.\n" for number in range(60)))
    sources = [
        {"file": str(path), "limit": 40},
        {"own": 30},
        {"corpus": "lab-requests", "kinds": ["facts"], "limit": 7},
    ]
    said = ReplayData.model_validate({"prompts": sources, "max_tokens": 50})
    vocabulary = Vocabulary(Model("lab", BACKBONE, ""), None)
    found = of_prompts(said, vocabulary)
    assert found.records == 77
    assert found.answered == 77 * 50  # what is assumed of an answer is longer than it may be
    assert 30 * 77 < found.asked < 60 * 77
    assert of_prompts(said, vocabulary, 12.5).answered == 77 * 12.5


def test_prompts_that_are_not_here_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    said = ReplayData.model_validate({"prompts": [{"corpus": "requests"}]})
    vocabulary = Vocabulary(Model("lab", BACKBONE, ""), None)
    assert of_prompts(said, vocabulary).records == sum(part.records or 0 for part in catalog.find("requests").parts)
    monkeypatch.setattr(catalog, "here", lambda entry, path: None)
    assert of_prompts(said, vocabulary) is None
