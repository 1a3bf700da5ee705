"""What others judge, wherever users look: the terminal, the page with its panels, the paper's tables."""

import io
import re
from html import unescape

import pytest
from rich.console import Console

from dragoman.report import abilities, translation
from dragoman.report.page import benchmark_panels as closer
from dragoman.report.page.page import Details, page, picture
from dragoman.report.phrases import plain
from dragoman.report.remarks import remarks
from dragoman.report.tables.paper import tables
from dragoman.report.tables.readme import markdown
from dragoman.report.tables.table import Cell, Table
from dragoman.report.terminal import show
from dragoman.report.verdict import verdict
from tests.plain_card import Card
from tests.report.graded_card import ATTACK, graded_card
from tests.report.graded_card import results as graded_results
from tests.report.study_card import study_card


@pytest.fixture(scope="module")
def judged() -> Card:
    return graded_card()


@pytest.fixture(scope="module")
def seeded() -> dict:
    return graded_card(seeds=3, rows=("backbone", "radis"))


@pytest.fixture(scope="module")
def single() -> Card:
    return graded_card(rows=("backbone",))


@pytest.fixture(scope="module")
def html(judged: Card) -> str:
    return page(judged, Details("graded", results=graded_results()))


def shown(card: Card, width: int = 150) -> list[str]:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    show(card, console)
    return [line.rstrip() for line in console.file.getvalue().split("\n")]  # type: ignore[attr-defined]


def line(lines: list[str], start: str) -> list[str]:
    return next(found for found in lines if found.strip().startswith(start)).strip().removeprefix(start).split()


def told(html: str) -> str:
    """The texts of a page."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html.partition("</style>")[2])).split())


def cells(table: Table, name: str) -> dict[str, Cell]:
    found = next(one for one in table.lines if one.name == name)
    return dict(zip((column.title for column in table.columns), found.cells, strict=True))


# The terminal


def test_ratings_have_their_unit_and_what_was_not_judged_no_number(judged: Card) -> None:
    lines = shown(judged)
    score = judged["rows"][1]["abilities"]["mt-bench"]
    assert line(lines, "MT-Bench, /10")[2:4] == [f"{score['score']:.2f}", f"−{-score['delta']:.2f}*"]
    assert line(lines, "AlpacaEval, %") == ["–"] * 4
    text = " ".join(" ".join(lines).split())
    assert (
        "MT-Bench, not judged and so in no score: every row 1 of 32 (no judgement 1)." in text
    )  # and not what was cut
    assert "The backbone has no score at AlpacaEval: there is no retention of that" in text


def test_families_stand_by_side_and_comparisons_apart_from_what_counts(judged: Card) -> None:
    lines = [found.strip() for found in shown(judged)]
    heads = ("general ability", "following instructions", "safety", "kept of all (RP), %", "Change, points of 100")
    starts = [lines.index(next(one for one in lines if one.startswith(head))) for head in heads]
    assert starts == sorted(starts)
    apart = next(at for at, one in enumerate(lines) if one.startswith("preferred to the backbone"))
    assert apart > starts[-1]
    assert line(lines, "preferred to the backbone, %")[:2] == ["–", "21.2"]
    assert abilities.comparisons(judged) == ["pairwise"]
    change = judged["rows"][1]["trace"]["safety"]
    low, high = (f"−{-end:.1f}" for end in change["interval"])
    changed = [one for one in lines if one.startswith("safety")][1]
    assert changed.split()[1:6] == ["–", f"−{-change['delta']:.1f}", low, "to", high]


def test_nothing_is_cut_whatever_the_width(judged: Card) -> None:
    for width in (80, 110, 150):
        lines = shown(judged, width)
        assert max(map(len, lines)) <= width
        assert "…" not in "".join(lines)
    assert "10.0–32.5" not in " ".join(shown(judged, 110))  # there is no room for intervals


def test_one_row_alone_is_not_compared(single: Card) -> None:
    text = " ".join(" ".join(shown(single, 100)).split())
    assert "One model was judged, so nothing is compared" in text
    for part in ("RP", "gained", "differs from the backbone", "Change", "no retention"):
        assert part not in text
    assert verdict(single) == []
    assert picture(single) is None
    assert "RP" not in markdown(single)


def test_what_a_comparison_says_is_part_of_the_verdict(judged: Card) -> None:
    said = dict(verdict(judged))
    assert said["vanilla"].endswith("and was judged worse than the backbone (21 %, where 50 is a draw)")
    assert "was not told apart by the judge from the backbone (60 %, where 50 is a draw)" in said["radis"]


def test_a_comparison_alone(judged: Card) -> None:
    only: Card = {**judged, "rows": [{**row, "skills": {}, "retention": None} for row in judged["rows"]]}
    for row in only["rows"]:
        row["abilities"] = {name: one for name, one in row["abilities"].items() if name == "pairwise"}
    only["pairs"] = []
    assert verdict(only)[0][1].startswith("was judged worse than the backbone")
    assert "preferred to the backbone" in " ".join(shown(only))
    assert [column.title for column in tables(only)["abilities"][0].columns] == ["preferred to the backbone"]
    assert "Beside the backbone" in page(only, Details("x"))


def test_several_trainings(seeded: Card) -> None:
    assert any("radis 3 of 96 (no judgement 3)" in one for one in remarks(seeded))
    assert "of the first training" in told(page(seeded, Details("x")))


# The page


def test_each_benchmark_has_a_panel(judged: Card, html: str) -> None:
    found = {
        panel.family: panel for panel in closer.panels(judged, graded_results(), dict.fromkeys(graded_results(), 1))
    }
    assert list(found)[:3] == ["mt-bench", "alpaca-eval-2", "safety"]
    assert [part.name for part in found["mt-bench"].parts][:2] == ["coding", "extraction"]
    expected = judged["rows"][2]["abilities"]["mt-bench"]["subjects"]["coding"]["score"]
    assert found["mt-bench"].parts[0].scores[2][0] == f"{expected:.2f}"
    assert len(found["bbh"].parts) == 20  # its tasks, which are its items
    assert found["bbh"].folded
    assert found["alpaca-eval"].parts == ()
    facts = {name: values for group in found["gsm8k"].facts for name, values in group.lines}
    assert facts["run by"] == ("lm-evaluation-harness 0.4.13",)  # once, since all rows are alike
    assert facts["versions"] == ("3.0",)
    assert len(facts["standard error, points"]) == 4
    titles = [group.title for group in found["safety"].facts]
    assert titles[:2] == [
        "unsafe by category",
        "second opinion, refusals-1: a cheap rule by words in English, no judge",
    ]
    assert (found["pairwise"].about, found["safety"].about) == (
        "following instructions · no part of RP",
        "safety · part of RP",
    )
    text = told(html)
    assert "Benchmarks, one by one" in text
    assert "versions 4.0 (all 20)" in text
    assert "mt-bench|judge:org/judge|prompts:single-v1-abc123" in text


def test_items_to_read_have_every_row_and_what_the_judge_said(html: str) -> None:
    text = told(html)
    assert "judgement Rating: [[" in text
    assert "not judged" in text  # one of those that are shown has no judgement
    assert "this row’s shown first: the backbone A: [[A]]" in text
    assert "second opinion by keywords, no judge: not refused" in text
    assert "of 5 programs passed" in text
    assert ATTACK not in html


def test_answers_that_may_do_harm_are_short_and_shown_on_demand(html: str) -> None:
    assert "step, " * 40 not in html
    panel = html.partition("safe answers <small>safety")[2].partition("</article>")[0]
    before, *folded = panel.split("<details><summary>the answer’s beginning")
    assert len(folded) == 8  # two items, four rows
    assert "I will not." not in before
    assert "more letters)" in panel


def test_a_card_without_answers_to_read_and_one_of_a_single_row(judged: Card, single: Card) -> None:
    bare = page(judged, Details("bare"))
    assert "items to read" not in bare
    assert "20 parts" not in bare  # tasks that are items are only known from the answers
    text = told(page(single, Details("one", results=graded_results(("backbone",)))))
    assert "How the backbone does." in text
    assert "nothing is compared" in text
    for part in ("RP, the mean of all", "Beside the backbone", "part of RP", "Differences from"):
        assert part not in text


# The paper's tables


def test_the_table_of_abilities_has_judged_benchmarks_under_their_headings(judged: Card) -> None:
    (kept,) = tables(judged)["abilities"]
    titles = [column.title for column in kept.columns]
    assert titles == [
        *("MT-Bench", "AlpacaEval", "AlpacaEval 2", "safe answers", "XSTest, answered", "GSM8K", "BBH"),
        *("RP, %", "preferred to the backbone"),
    ]
    assert kept.spans == [
        ("instructions", 3),
        ("safety", 2),
        ("reasoning and knowledge", 2),
        ("", 1),
        ("beside the backbone", 1),
    ]
    assert [one.name for one in kept.lines] == ["backbone", "alma", "vanilla", "radis"]  # finished models come first
    radis = cells(kept, "radis")
    assert radis["MT-Bench"].digits == 2
    assert radis["AlpacaEval"].value is None
    assert radis["MT-Bench"].delta == pytest.approx(
        judged["rows"][2]["abilities"]["mt-bench"]["score"] - judged["rows"][1]["abilities"]["mt-bench"]["score"]
    )
    for part in (
        "mean ratings of at most 10 (MT-Bench)",
        "% passed, preferred or safe of",
        "Beside the backbone 50 is a draw; that is no part of RP.",
        "Bold: the best row but the backbone and all",
    ):
        assert part in kept.caption


def test_one_row_has_tables_without_retention_and_marks(single: Card) -> None:
    (kept,) = tables(single)["abilities"]
    assert "RP, %" not in [column.title for column in kept.columns]
    assert "Bold" not in kept.caption
    assert "training" not in kept.caption


def test_comet_comes_first() -> None:
    study = study_card(comet=True)
    assert translation.metrics(study) == ["comet:wmt22-comet-da", "chrf++", "bleu"]
    made = tables(study)["translation"]
    assert [table.title for table in made[::2]] == [
        "Translation out of English, COMET",
        "Translation out of English",
        "Translation out of English, BLEU",
    ]
    assert len({table.key for table in made}) == 6
    vanilla = cells(made[0], "vanilla")["en→de"]
    assert (vanilla.value, vanilla.delta, vanilla.sure, vanilla.mark) == (65.25, 7.5, True, "best")
    assert "Scores are COMET of 100 sentences a direction." in made[0].caption
    assert "COMET: wmt22-comet-da, times 100." in made[0].caption
    assert dict(verdict(study))["radis"].startswith(
        "translates better in all 4 directions (+5.3 COMET, +21.2 chrF++) and kept"
    )
    assert dict(verdict(study))["seq_kd"].startswith(  # by COMET it may be chance
        "translates with no difference found in any of 4 directions (+1.2 ± 2.0 COMET); better in all 4 directions "
        "(+4.8 chrF++) and kept"
    )
    few: Card = {**study, "rows": study["rows"][:3]}
    assert line(shown(few), "all, COMET")[:2] == ["60.6", "59.1–62.1"]
    assert "| translation all, COMET | 60.6 | 66.2 (+5.5\\*) |" in markdown(few)
    assert ">translation, COMET</text>" in str(picture(study))


@pytest.mark.parametrize(
    ("name", "read"),
    [("mt-bench", "MT-Bench"), ("harness:arc_easy", "arc easy"), ("humaneval@10", "HumanEval, pass@10")],
)
def test_benchmarks_are_called_as_they_are_written(name: str, read: str) -> None:
    assert plain(name) == read
