"""The paper's tables: which cells stand where, against whom, and what is marked."""

import copy

import pytest

from dragoman.report.tables.captions import merged
from dragoman.report.tables.paper import arrow, tables
from dragoman.report.tables.table import Cell, Table
from tests.plain_card import Card


def row(table: Table, name: str) -> dict[str, Cell]:
    line = next(line for line in table.lines if line.name == name)
    return dict(zip((column.title for column in table.columns), line.cells, strict=True))


def told(cell: Cell) -> tuple[float | None, float | None, bool, str]:
    value, delta = (None if x is None else round(x, 2) for x in (cell.value, cell.delta))
    return value, delta, cell.sure, cell.mark


def test_tables_1_and_2(study: Card) -> None:
    out, into, *_ = tables(study)["translation"]
    assert [column.title for column in out.columns] == ["en→de", "en→it", "mean"]
    assert [column.title for column in into.columns] == ["de→en", "it→en", "mean", "all 4"]
    assert [line.title for line in out.lines] == [
        "Backbone",
        "Vanilla-FT",
        "Seq-KD",
        "SDFT",
        "Multi-task",
        "RaDis",
        "radis-weaker",
        "radis-stronger",
    ]
    assert {title: told(cell) for title, cell in row(out, "radis").items()} == {
        "en→de": (60.0, 29.0, True, "second"),
        "en→it": (62.2, 29.2, True, "best"),
        "mean": (61.1, 29.1, True, "second"),
    }
    assert told(row(out, "backbone")["mean"]) == (32.0, None, False, "")
    assert told(row(into, "seq_kd")["all 4"]) == (47.25, 4.75, True, "")
    cell = row(into, "vanilla")["de→en"]
    assert (cell.interval, cell.n, cell.seeds, cell.sd) == ((64.5, 67.5), 100, (65.4, 66.0, 66.6), 0.6)
    assert (cell.signature or "").startswith("chrf++|nrefs:1|")


def test_the_rule_of_the_marks_and_how_the_numbers_were_made_stand_below(study: Card) -> None:
    out = tables(study)["translation"][0]
    for part in (
        "Scores are chrF++ of 100 sentences a direction.",
        "In brackets the difference from the backbone, * where p < 0.05.",
        "Means of 3 trainings with different seeds.",
        "95 % interval over items and seeds.",
        "Bold: the best method and all that cannot be told apart from it (p ≥ 0.05, paired over items and seeds);",
        "Signature: chrf++|nrefs:1|bs:1000|seed:12345|case:mixed|eff:yes|nc:6|nw:2|space:no|version:2.6.0.",
    ):
        assert part in out.caption
    (kept,) = tables(study)["abilities"]
    assert kept.caption.startswith(
        "Scores are % passed of 200 questions a column. In brackets the difference from Vanilla"
    )
    (ablation,) = tables(study)["ablation"]
    assert "chrF++ of 400 sentences in all directions and % passed of 200 questions a column." in ablation.caption
    assert "RP also where the difference is within the noise floor of 2.5" in kept.caption


def test_table_3_compares_abilities_with_plain_fine_tuning_and_rp_with_the_backbone(study: Card) -> None:
    (kept,) = tables(study)["abilities"]
    assert kept.spans == [("instructions", 2), ("safety", 2), ("reasoning and knowledge", 3), ("", 1)]
    radis = row(kept, "radis")
    assert told(radis["refusal"]) == (81.0, 72.0, True, "second")
    assert told(radis["harmless"]) == (94.0, 24.0, True, "best")  # one of four that cannot be told apart
    assert told(row(kept, "seq_kd")["harmless"])[3] == "best"
    assert told(row(kept, "vanilla")["refusal"]) == (9.0, None, False, "")
    assert told(radis["RP, %"]) == (91.91, None, False, "second")
    assert radis["RP, %"].seeds == pytest.approx((91.31, 91.91, 92.51), abs=0.01)
    assert row(kept, "backbone")["RP, %"].interval is None


def test_without_plain_fine_tuning_abilities_are_compared_with_the_backbone(study: Card) -> None:
    study["rows"] = [one for one in study["rows"] if one["name"] != "vanilla"]
    (kept,) = tables(study)["abilities"]
    assert told(row(kept, "radis")["refusal"]) == (81.0, -18.0, True, "second")
    assert "the difference from the backbone" in kept.caption


def test_table_5_compares_who_wrote_the_rationales(study: Card) -> None:
    (ablation,) = tables(study)["ablation"]
    titles = [line.title for line in ablation.lines]
    assert titles == [
        "Backbone",
        "Vanilla-FT",
        "RaDis (itself)",
        "radis-weaker (lab-small)",
        "radis-stronger (lab-large)",
    ]
    stronger, own = row(ablation, "radis-stronger"), row(ablation, "radis")
    assert told(stronger["translation, chrF++"]) == (65.18, 1.53, False, "best")
    assert told(own["translation, chrF++"]) == (63.65, None, False, "best")
    assert told(own["RP, %"])[3] == "best"
    assert told(stronger["RP, %"]) == (87.39, -4.51, True, "second")
    assert told(row(ablation, "vanilla")["reading"]) == (50.0, -22.0, True, "")  # marks are for the variants
    study["rows"] = [one for one in study["rows"] if one["name"] not in ("radis-weaker", "radis-stronger")]
    assert "ablation" not in tables(study)


def test_table_7_is_there_where_another_skill_was_judged(study: Card, skilled: Card) -> None:
    assert "skill" not in tables(study)
    (skill,) = tables(skilled)["skill"]
    assert skill.columns[0].title == "programs"
    assert told(row(skill, "vanilla")["programs"]) == (55.0, 43.0, True, "best")
    assert told(row(skill, "radis")["programs"]) == (52.0, 40.0, True, "second")
    assert told(row(skill, "radis")["reading"]) == (72.0, 22.0, True, "best")
    for one in skilled["rows"]:
        one |= {"translation": None, "abilities": {}, "retention": None}
    alone = tables(skilled)
    assert set(alone) == {"skill", "ablation", "cost"}
    assert [column.title for column in alone["skill"][0].columns] == ["programs"]


def test_what_each_method_cost_stands_beside_what_came_of_it(study: Card) -> None:
    (cost,) = tables(study)["cost"]
    assert [line.name for line in cost.lines][:2] == ["vanilla", "seq_kd"]
    assert [cell.value for cell in cost.lines[4].cells][:6] == [8000, 248000, 248.0, 1194000, 375, 81.5]
    assert [round(cell.value or 0, 1) for cell in cost.lines[4].cells][6:] == [63.7, 91.9]
    assert "20 GPU hours on A100 for RaDis: 4 of generation and 16 of training" in cost.caption


def test_a_scorecard_as_a_run_leaves_it(card: Card) -> None:
    """One training of each method, ability families of its own, no costs."""
    made = tables(card)
    assert set(made) == {"translation", "abilities"}
    out, into, *_ = made["translation"]
    assert round(row(into, "radis")["all 4"].value or 0, 1) == 81.5
    assert row(into, "radis")["all 4"].delta == card["rows"][2]["translation"]["all"]["chrf++"]["delta"]
    pair = next(pair for pair in card["pairs"] if pair["row"] == "vanilla")  # and radis
    gaps = {arrow(name): found["delta"] for name, found in pair["directions"].items()}
    ahead = {title: row(out, "vanilla")[title].value - row(out, "radis")[title].value for title in ("en→de", "en→it")}  # type: ignore[operator]
    assert ahead == pytest.approx({title: gaps[title] for title in ahead})
    assert {row(out, "vanilla")[title].mark for title in ahead} <= {"best", ""}
    assert "One training of each method. Below each score its 95 % interval over items." in out.caption
    (kept,) = made["abilities"]
    assert row(kept, "radis")["refusals"].delta == pytest.approx(53.3, abs=0.1)
    assert {line.name: line.cells[-1].mark for line in kept.lines} == {"backbone": "", "vanilla": "", "radis": "best"}


def test_pairs_of_other_languages_have_a_table_of_their_own(study: Card) -> None:
    card = copy.deepcopy(study)
    for one in card["rows"]:
        one["translation"]["directions"]["de-it"] = one["translation"]["directions"]["en-de"]
    titles = {table.key: [column.title for column in table.columns] for table in tables(card)["translation"][:3]}
    assert titles == {
        "out_of_english": ["en→de", "en→it", "mean"],
        "into_english": ["de→en", "it→en", "mean"],
        "other": ["de→it", "all 5"],
    }


def test_signatures_are_told_as_one() -> None:
    one, other = "passed|check:equals|tokens:160|version:1", "passed|check:number|tokens:160|version:1"
    assert merged([one, other]) == "passed|check:equals+number|tokens:160|version:1"
    assert merged([f"mean of 2 directions: chrf|nrefs:1 · {one}"]) == f"chrf|nrefs:1 · {one}"
