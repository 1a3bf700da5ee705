"""What a first look at one's own files tells."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from dragoman.commands.data import corpora
from dragoman.commands.data.app import app
from dragoman.corpora.formats.parallel import ParallelText


def test_inspection_counts(tmp_path: Path) -> None:
    rows = [("a", "b")] * 3 + [("kurz", "kurz"), ("x" * 10, "y" * 40), ("", "empty"), ("Wort", "word")]
    path = tmp_path / "a.tsv"
    path.write_text("".join(f"{source}\t{target}\n" for source, target in rows), encoding="utf-8")
    found = corpora.inspect(ParallelText("de-en", table=path))
    assert found.pairs == 4
    assert found.dropped == {"empty": 1, "duplicate": 2}
    assert found.lengths == ((4, 10, 10), (4, 40, 40))
    assert (found.copies, found.lopsided) == (1, 1)
    assert len(found.samples) == len(set(found.samples)) == 3


def test_every_corpus_is_listed_with_its_licence() -> None:
    listed = dict(corpora.entries())
    assert {"alma-human", "wmt22"} <= set(listed)
    assert all("Licence: " in text for text in listed.values())
    assert "test: cs-en, " in listed["wmt22"]
    assert "for data.lessons and data.instructions. 13.1 MB. Licence: CC BY-SA 3.0" in listed["dolly"]
    assert "Size not stated, no checksum known. Licence: CC BY-NC 4.0" in listed["alpaca"]
    assert "for the suite of that name. 45 kB. Licence: MIT" in listed["humaneval"]


def test_get_says_what_it_could_not_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "alpaca").mkdir()
    (tmp_path / "alpaca" / "alpaca_data.json").write_text("[]")
    monkeypatch.setenv("DRAGOMAN_MIRROR", str(tmp_path))
    result = CliRunner().invoke(app, ["get", "alpaca"])
    assert result.stdout.strip() == str(tmp_path / "alpaca" / "alpaca_data.json")
    assert "alpaca_data.json could not be checked: the catalogue has no checksum of it." in result.stderr


def test_get_verifies_a_mirror(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGOMAN_MIRROR", str(real_data))
    paths = corpora.get("alma-human")
    assert len(paths) == len(set(paths))
    assert all(path.is_relative_to(real_data) for path in paths)
