"""Each model in the language that it was taught: one table out of the runs of several recipes."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dragoman import cli
from dragoman.commands import recipes
from dragoman.report.tables.own_language import Taught, TaughtRun, table
from dragoman.report.tables.table_formats import markdown
from tests.plain_card import Card
from tests.report.crossalpaca_card import crossalpaca_card as card
from tests.report.crossalpaca_card import rows


def of(language: str, whole: Card) -> Card:
    """The scorecard of a run in which English and one language were taught and asked."""
    names = ["backbone", "en-alpaca", f"{language}-alpaca", f"{language}-cross"]
    kept = [row for row in whole["rows"] if row["name"] in names]
    return {
        **whole,
        "rows": kept,
        "pairs": [pair for pair in whole["pairs"] if {pair["row"], pair["other"]} <= set(names)],
    }


def taught(language: str) -> dict[str, Taught]:
    return {
        "en-alpaca": Taught("en", "alpaca"),
        f"{language}-alpaca": Taught(language, "alpaca"),
        f"{language}-cross": Taught(language, "cross"),
    }


@pytest.fixture(scope="module")
def runs() -> list[TaughtRun]:
    return [TaughtRun(f"run-{language}", of(language, card()), taught(language)) for language in ("de", "it")]


def scored(whole: Card, row: str, family: str) -> float:
    found = next(one for one in whole["rows"] if one["name"] == row)
    return (found["abilities"].get(family) or found["skills"].get(family))["score"]


def test_runs_of_several_recipes_join_into_one_table(runs: list[TaughtRun]) -> None:
    found = table(runs)
    assert found is not None
    assert [column.title for column in found.columns] == ["qa", "choice", "reasoning"]
    assert [line.title for line in found.lines] == [
        "en-alpaca",  # of both runs, which agree
        "de-alpaca",
        "it-alpaca",
        "mean of x-alpaca",
        "de-cross",
        "it-cross",
        "mean of x-cross",
    ]
    whole, cells = card(), {line.title: line.cells for line in found.lines}
    assert cells["en-alpaca"][0].value == scored(whole, "en-alpaca", "qa-en")
    assert cells["it-cross"][2].value == scored(whole, "it-cross", "reasoning-it")
    german, italian = (scored(whole, f"{language}-cross", f"qa-{language}") for language in ("de", "it"))
    assert cells["mean of x-cross"][0].value == pytest.approx((german + italian) / 2)
    gains = [
        scored(whole, f"{one}-cross", f"qa-{one}") - scored(whole, f"{one}-alpaca", f"qa-{one}") for one in ("de", "it")
    ]
    assert [cells["de-cross"][0].delta, cells["it-cross"][0].delta] == pytest.approx(gains)
    assert cells["mean of x-cross"][0].delta == pytest.approx(sum(gains) / 2)
    assert cells["de-cross"][0].sure
    assert cells["de-alpaca"][0].delta is None
    text = markdown(found)
    assert "each in the language of its line" in text
    assert "difference from Alpaca in the same language" in text


def test_a_model_about_which_runs_disagree_has_a_line_of_each(runs: list[TaughtRun]) -> None:
    first, second = runs
    other = json.loads(json.dumps(second.card))
    english = next(row for row in other["rows"] if row["name"] == "en-alpaca")
    kind = "abilities" if "qa-en" in english["abilities"] else "skills"
    english[kind]["qa-en"]["score"] += 1
    found = table([first, TaughtRun(second.name, other, second.taught)])
    assert found is not None
    assert [line.title for line in found.lines][:2] == ["en-alpaca (run-de)", "en-alpaca (run-it)"]


def test_a_mean_is_one_over_all_languages_or_none(runs: list[TaughtRun]) -> None:
    first, second = runs
    less = json.loads(json.dumps(second.card))
    for row in less["rows"]:
        for kind in ("abilities", "skills"):
            row[kind].pop("qa-it", None)
    found = table([first, TaughtRun(second.name, less, second.taught)])
    assert found is not None
    mean = next(line for line in found.lines if line.title == "mean of x-cross")
    assert mean.cells[0].value is None
    assert mean.cells[1].value is not None


def test_rows_that_differ_in_more_than_the_language_have_means_of_their_own() -> None:
    found = table([TaughtRun("study", card(), dict(recipe_rows()))])
    assert found is not None
    titles = [line.title for line in found.lines]
    assert titles[:4] == ["en-alpaca", "de-alpaca", "it-alpaca", "mean of x-alpaca"]
    assert "mean of x-cross-0.25" in titles
    assert "mean of x-cross" in titles
    assert "multi-cross" not in titles
    assert "multi-cross" in found.caption


def recipe_rows() -> list[tuple[str, Taught]]:
    made = [(row, method, options) for row, (method, options) in rows().items() if row != "backbone"]
    return [
        (row, Taught(options["languages"][0], json.dumps([method, {**options, "languages": None}])))
        for row, method, options in made
        if len(options["languages"]) == 1
    ]


def test_nothing_to_tell() -> None:
    assert table([TaughtRun("study", card(), {})]) is None


def report(*words: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(cli.app, ["report", *map(str, words)])
    return result.exit_code, result.output


@pytest.fixture
def done(tmp_path: Path, runs: list[TaughtRun], monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Two recipes as if they were done."""
    made = {}
    for part in runs:
        language = part.name.removeprefix("run-")
        text = {
            "name": part.name,
            "backbone": "lab",
            "data": {
                "train": {"corpus": "lab", "directions": [f"en-{language}"]},
                "lessons": [{"corpus": "lab-alpaca", "language": language}],
            },
            "methods": [
                {"alpaca": {"label": "en-alpaca", "languages": ["en"]}},
                {"alpaca": {"label": f"{language}-alpaca", "languages": [language]}},
                {"crossalpaca": {"label": f"{language}-cross", "languages": [language]}},
            ],
            "evaluate": ["lab-languages"],
        }
        (tmp_path / f"{part.name}.yaml").write_text(json.dumps(text))
        folder = tmp_path / "runs" / part.name
        folder.mkdir(parents=True)
        (folder / "scorecard.json").write_text(json.dumps(part.card))
        made[part.name] = folder
    monkeypatch.setattr(recipes, "_require_done", lambda _: None)

    def finished(recipe: Any, **_: Any) -> Path:
        assert recipe.seeds == (0, 1)
        return made[recipe.name]

    monkeypatch.setattr(recipes, "run", finished)
    return [tmp_path / f"{part.name}.yaml" for part in runs]


def test_the_command_takes_several_recipes(done: list[Path]) -> None:
    code, text = report(*done, "seeds=[0,1]", "--table", "languages")
    assert code == 0, text
    assert text.startswith("**Each model in the language that it was taught**\n\n|  | qa | choice | reasoning |")
    assert "| mean of x-cross |" in text
    assert report(*done, "seeds=[0,1]")[0] == 2
    code, text = report(done[0], "seeds=[0,1]", "--table", "languages", "--format", "json")
    assert [line["name"] for line in json.loads(text)["tables"]["languages"][0]["lines"]] == [
        "en-alpaca",
        "de-alpaca",
        "de-cross",
    ]
