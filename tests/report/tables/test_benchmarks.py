"""Benchmarks in several languages: which families they are, their tables, and how they are shown."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from dragoman.report.families import Benchmark, benchmarks, by_language, split
from dragoman.report.page.page import Details, page, write_report
from dragoman.report.tables.paper import tables
from dragoman.report.tables.readme import markdown
from dragoman.report.tables.table import Cell, Table
from dragoman.report.tables.table_formats import written
from dragoman.report.terminal import show
from dragoman.report.verdict import verdict
from tests.plain_card import Card
from tests.report.crossalpaca_card import crossalpaca_card, rows


@pytest.fixture(scope="module")
def study() -> Card:
    return crossalpaca_card()


def cells(table: Table, name: str) -> dict[str, Cell]:
    line = next(line for line in table.lines if line.name == name)
    titles = [f"{column.group} {column.title}".strip() for column in table.columns]
    return dict(zip(titles, line.cells, strict=True))


@pytest.mark.parametrize(
    ("family", "expected"),
    [
        ("qa-de", Benchmark("qa-de", "qa", "de")),
        ("mlqa-de-en", Benchmark("mlqa-de-en", "mlqa", "en", "de")),
        ("global-mmlu-zh_Hant", Benchmark("global-mmlu-zh_Hant", "global-mmlu", "zh_Hant")),
        ("mt-bench", None),
        ("follow_up", None),
        ("de", None),
    ],
)
def test_a_family_that_ends_with_a_language_is_a_benchmark(family: str, expected: Benchmark | None) -> None:
    assert split(family) == expected


def test_english_comes_first_and_two_languages_last() -> None:
    found = [parts for name in ("mlqa-de-en", "qa-it", "qa-en", "bbh-it") if (parts := split(name))]
    named = {title: [parts.family for parts in some] for title, some in by_language(found).items()}
    assert list(named.items()) == [
        ("in English", ["qa-en"]),
        ("in Italian", ["qa-it", "bbh-it"]),
        ("across languages", ["mlqa-de-en"]),
    ]


def test_a_table_for_each_language(study: Card) -> None:
    made = tables(study)
    assert list(made) == ["benchmarks", "cost"]  # no family is left for a table of abilities
    english, german, italian = made["benchmarks"]
    assert [table.title for table in made["benchmarks"]] == [
        "Benchmarks in English",
        "Benchmarks in German",
        "Benchmarks in Italian",
    ]
    assert list(cells(german, "de-cross")) == ["qa EM", "qa F1", "choice", "reasoning all", "reasoning by subject"]
    assert list(cells(english, "backbone"))[-1] == "RP, %"
    row = next(row for row in study["rows"] if row["name"] == "de-cross")
    scored = row["skills"]["qa-de"]
    shown = cells(german, "de-cross")
    assert shown["qa EM"].value == scored["score"]
    assert shown["qa EM"].delta == scored["delta"]
    assert shown["qa EM"].sure
    assert shown["qa F1"].value == scored["f1"]["score"] > scored["score"]
    assert shown["qa F1"].delta is None  # F1 is not tested
    assert shown["reasoning by subject"].value == pytest.approx(row["skills"]["reasoning-de"]["subject_mean"])
    assert not cells(italian, "de-cross")["qa EM"].sure  # German teaches no Italian
    assert german.caption.startswith("EM: answers that are right word for word, in %; F1: ")
    assert "RaDis" not in made["cost"][0].caption


def test_all_formats(study: Card) -> None:
    made = {"benchmarks": tables(study)["benchmarks"]}
    assert written(made, "latex").count(r"\multicolumn{2}{c}{qa}") == 3
    assert "| EM<br><sub>qa</sub> | F1<br><sub>qa</sub> | choice |" in written(made, "markdown")
    assert "| qa in German, % | choice in German, % |" in markdown(study)


def test_in_the_terminal_each_language_has_a_table_that_fits(study: Card) -> None:
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system=None)
    show(study, console)
    lines = console.file.getvalue().split("\n")  # type: ignore[attr-defined]
    heads = [line.split() for line in lines if line.startswith(" in ") and "qa" in line]
    asked = ["qa", "qa", "F1", "choice", "reasoning"]
    assert heads == [["in", f"{language},", "%", *asked] for language in ("English", "German", "Italian")]
    assert max(map(len, lines)) <= 100
    few: Card = {**study, "rows": study["rows"][:3]}
    console = Console(file=io.StringIO(), width=120, force_terminal=False)
    show(few, console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "Benchmarks in German" in text
    assert text.count("  F1") == 3


def test_what_was_gained_is_said_by_language(study: Card) -> None:
    said = dict(verdict(study))
    assert "is better at qa-it" in said["it-cross"]
    assert "was not found to differ at any of 3 benchmarks in Italian" in said["de-cross"]


def test_the_page_has_a_section_of_its_own(study: Card) -> None:
    html = page(study, Details("study", options=rows()))
    section = html.partition("<h2>Benchmarks</h2>")[2].partition("</section>")[0]
    assert section.count('class="sheet"') == 3
    assert section.count("<details") == 3  # reasoning, in each language
    assert "reasoning in German, by subject" in section
    assert section.count("<svg") == 2 * 4  # once more for a phone
    assert html.count("<h3>Benchmarks in German") == 1
    assert len(benchmarks(study)) == 9


def test_a_picture_for_each_sweep(study: Card, tmp_path: Path) -> None:
    write_report(tmp_path, study, Details("study", options=rows()))
    assert sorted(path.name for path in tmp_path.glob("*.svg")) == [
        f"sweep-{language}-cross-{option}.svg" for language in ("de", "it") for option in ("amount", "directions")
    ]
