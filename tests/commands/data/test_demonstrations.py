"""Demonstrations as a file: what is in them, and what is told about them."""

import json
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dragoman.cli import app
from dragoman.corpora.records import Pair
from dragoman.prompts.translation import demonstration


def made(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["data", "demonstrations", *map(str, arguments)])


def read(path: Path) -> list[dict[str, str]]:
    records: list[dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    return records


@pytest.fixture
def ntrex(real_data: Path) -> tuple[object, ...]:
    folder = real_data / "ntrex" / "NTREX-128"
    files = ("--source", folder / "newstest2019-src.eng.txt", "--target", folder / "newstest2019-ref.deu.txt")
    return (*files, "--direction", "en-de")


def test_of_real_files(ntrex: tuple[object, ...], tmp_path: Path) -> None:
    output = tmp_path / "new" / "both.json"
    result = made(*ntrex, "--count", 500, "--output", output)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == f"1,000 demonstrations in {output}: 500 en-de, 500 de-en"
    records = read(output)
    assert all(record.keys() == {"instruction", "input", "output"} for record in records)
    english = {line.strip() for line in Path(str(ntrex[1])).read_text(encoding="utf-8").split("\n")}
    ways = Counter("en-de" if record["input"] in english else "de-en" for record in records)
    assert ways == {"en-de": 500, "de-en": 500}
    sources = {record["input"] for record in records} & english
    assert len(sources) == 500
    assert not sources & {record["output"] for record in records}  # no sentence goes both ways
    assert len({record["instruction"] for record in records}) == 10  # five, with the languages either way
    assert 200 < [record["input"] in english for record in records[:500]].count(True) < 300  # mixed
    one = next(record for record in records if record["input"] in english)
    asked, answer = demonstration(Pair(one["input"], one["output"], "en", "de")).turns
    assert one == {"instruction": asked.text, "input": asked.input, "output": answer.text}
    again = tmp_path / "again.json"
    made(*ntrex, "--count", 500, "--output", again)
    assert again.read_bytes() == output.read_bytes()
    made(*ntrex, "--count", 500, "--output", again, "--force", "--seed", 1)
    assert 100 < len({record["input"] for record in read(again)} & {record["input"] for record in records}) < 700


def test_one_way_and_one_instruction(ntrex: tuple[object, ...], tmp_path: Path) -> None:
    output = tmp_path / "x-en.json"
    result = made(*ntrex, "--directions", "x-en", "--fixed", "--max-characters", 100, "--output", output)
    records = read(output)
    assert {record["instruction"] for record in records} == {"Translate the following text from German to English."}
    assert max(len(record[side]) for record in records for side in ("input", "output")) <= 100
    first, second, third = result.stdout.splitlines()
    assert first == f"{len(records):,} demonstrations in {output}: {len(records):,} de-en"
    assert second == "de-en: fewer than the 10,000 asked for, because no more pairs fit"
    left = dict(part.split(" ", 1)[::-1] for part in third.split(": ")[1].split(", "))
    assert left.keys() == {"too long", "the same on both sides"}
    assert len(records) + sum(int(count.replace(",", "")) for count in left.values()) == 1997


def test_of_an_archive(real_data: Path, tmp_path: Path) -> None:
    output = tmp_path / "ar.json"
    archive = real_data / "news_commentary" / "ar-en" / "11.0.0" / "dummy_data.zip"
    result = made("--table", archive, "--direction", "ar-en", "--count", 2, "--output", output)
    assert result.stdout.splitlines() == [
        f"4 demonstrations in {output}: 2 en-ar, 2 ar-en",
        "left out, each pair counted once for each way: 5 serves the other direction, 1 over the limit",
    ]
    assert len(read(output)) == 4


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "which text? Name --source and --target, or one --table"),
        (("--corpus", "news-commentary"), "which languages of news-commentary? Say --direction; it has ar-en, en-ar"),
        (("--corpus", "news-commentary", "--direction", "en-fi"), "has no en-fi to learn from; it has ar-en, "),
        (("--corpus", "news-commentary", "--table", "a.tsv"), "Name --corpus, or files, not both"),
        (("--corpus", "news-comentary", "--direction", "de-en"), "Did you mean 'news-commentary'?"),
        (("--table", "a.tsv", "--direction", "en-xx"), "the language code 'xx' is not known"),
        (
            ("--table", "a.tsv", "--direction", "de-it", "--directions", "en-x"),
            "neither de nor it is English; only both",
        ),
        (("--table", "a.tsv", "--direction", "de-en"), "no pair is left to make a demonstration of; left out: 2 empty"),
        (("--table", "page.zip", "--direction", "de-en"), "It holds a.html, a web page (“Oh”)"),
        (("--output", "a.tsv"), "a.tsv: there already. Take another --output, or say --force"),
    ],
)
def test_what_can_not_be_made(
    arguments: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.tsv").write_text("Ja.\t\n")
    with zipfile.ZipFile("page.zip", "w") as archive:
        archive.writestr("a.html", "<!DOCTYPE html><title>Oh</title>")
    result = made(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not Path("demonstrations.json").exists()
