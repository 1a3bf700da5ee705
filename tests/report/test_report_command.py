"""`dragoman report`: what it prints, and what it says where there is nothing to print."""

import copy
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dragoman import cli
from dragoman.commands import recipes
from tests.plain_card import Card

RECIPE = """\
name: small
backbone: lab
data: {train: {corpus: lab, directions: [en-de], limit: 20}, test: {corpus: lab, directions: [en-de], limit: 4}}
methods: [vanilla]
"""


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(RECIPE, encoding="utf-8")
    return tmp_path / "small.yaml"


@pytest.fixture
def done(recipe: Path, study: Card, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The recipe as if all of it were done, with the written scorecard as its result."""
    folder = recipe.parent / "runs" / "small"
    folder.mkdir(parents=True)
    (folder / "scorecard.json").write_text(json.dumps(study), encoding="utf-8")
    monkeypatch.setattr(recipes, "_require_done", lambda _: None)
    monkeypatch.setattr(recipes, "run", lambda *_, **__: folder)
    return recipe


def report(*words: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(cli.app, ["report", *map(str, words)])
    return result.exit_code, result.output


def test_one_table_in_one_format(done: Path) -> None:
    code, text = report(done, "--table", "abilities", "--format", "latex")
    assert code == 0
    assert text.startswith("% Needs \\usepackage{booktabs}.\n\\begin{table*}")
    assert text.count("\\begin{table*}") == 1
    assert "Seq-KD & \\textbf{80.5}" in text
    code, text = report(done, "--table", "cost")
    assert text.startswith("**What each method cost**\n\n|  | examples |")


def test_all_tables(done: Path) -> None:
    code, text = report(done, "--format", "json")
    assert code == 0
    assert list(json.loads(text)["tables"]) == ["translation", "abilities", "ablation", "cost"]


def test_without_options_the_comparison_and_where_the_rest_is(done: Path) -> None:
    code, text = report(done)
    assert code == 0
    assert "seq_kd kept 3 points more than radis" in text
    assert "runs/small/tables: the tables and the figure in the paper's layout" in text


def test_names_that_are_markup_or_steer_a_terminal(recipe: Path, study: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = recipe.parent / "out[/b]\x1b[2J" / "small"
    folder.mkdir(parents=True)
    hostile = copy.deepcopy(study)
    hostile["rows"][1]["name"] = "row[/b]:smile:\x1b[31m\u202e"
    (folder / "scorecard.json").write_text(json.dumps(hostile), encoding="utf-8")
    monkeypatch.setattr(recipes, "_require_done", lambda _: None)
    monkeypatch.setattr(recipes, "run", lambda *_, **__: folder)
    for command in ("report", "run"):
        result = CliRunner().invoke(cli.app, [command, str(recipe)])
        assert result.exit_code == 0, result.exception
        assert "out[/b]\\x1b[2J/small/report.html: the same with pictures" in result.output
        assert "row[/b]:smile:\\x1b[31m\\u202e" in result.output
        assert "\x1b" not in result.output


def test_a_table_that_the_recipe_does_not_have(done: Path) -> None:
    code, text = report(done, "--table", "skill")
    assert code == 2
    assert text == (
        "small has no table 'skill': it judges no skill other than translation. "
        "It has: translation, abilities, ablation, cost.\n"
    )
    assert report(done, "--table", "other")[0] == 2
    assert "none of the families that it judges names a language, as qa-de does" in report(
        done, "--table", "benchmarks"
    )[1].replace("\n", " ")


def test_a_recipe_that_is_not_done(recipe: Path) -> None:
    code, text = report(recipe, "--table", "cost")
    assert code == 1
    assert "small is not done: 7 of 7 stages are to do, data next. `dragoman run` does them." in text
