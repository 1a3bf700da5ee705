"""`dragoman verdict` on the command line: exit codes, files, and what is said where no verdict is possible."""

import json
from hashlib import sha256
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dragoman import cli
from dragoman.commands import recipes
from dragoman.scoring.scorecard.card import About
from tests.plain_card import Card, scorecard
from tests.report.verdict_card import result

RECIPE = "name: small\nbackbone: there\ndata: {train: {files: [{table: gone.tsv, direction: de-en}]}}\nmethods: [new]\n"
LAB = """\
name: small
backbone: lab
data: {train: {corpus: lab, limit: 20}, test: {corpus: lab, limit: 4}}
methods: [vanilla]
"""
PASSED = {"sums": 90, "facts|*": 80}


@pytest.fixture(scope="module")
def made() -> Card:
    """One row that is better in everything, and one that has lost its sums."""
    rows = {"backbone": result({"de-en": 0.3}, PASSED), "good": result({"de-en": 0.1}, PASSED | {"facts|*": 79})}
    rows |= {"bad": result({"de-en": 0.1}, PASSED | {"sums": 40})}
    about = {name: About("backbone" if name == "backbone" else "vanilla") for name in rows}
    return scorecard(rows, [result({}, PASSED)], bootstrap=50, about=about)


@pytest.fixture
def run(made: Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a finished run, with nothing of its store, its models and its data."""
    monkeypatch.chdir(tmp_path)
    folder = Path("runs/small")
    folder.mkdir(parents=True)
    (folder / "scorecard.json").write_text(json.dumps(made), encoding="utf-8")
    (folder / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    note(folder, {"data": ["data-1"], "report": ["report-1"]})
    return folder


def note(folder: Path, stages: dict[str, list[str]]) -> None:
    (folder / "stages.json").write_text(json.dumps(stages), encoding="utf-8")


def verdict(*words: str | Path) -> Result:
    return CliRunner().invoke(cli.app, ["verdict", *map(str, words)])


def test_exit_codes_and_a_line_for_each_reason(run: Path) -> None:
    good = verdict(run, "--row", "good")
    assert (good.exit_code, good.stderr) == (0, "")
    assert good.stdout.startswith("good: SHIP\n  ✓ translation rose by ")
    assert "✗" not in good.stdout
    bad = verdict(run, "--row", "bad")
    assert bad.exit_code == 3
    lines = [line.strip() for line in bad.stdout.splitlines()]
    assert lines[0] == "bad: DON'T SHIP"
    at = lines.index("✗ 1 of 2 abilities fell by more than may go")
    assert lines[at + 1].startswith("sums: 44 % kept (")
    both = verdict(run)
    assert both.exit_code == 3
    assert [line for line in both.stdout.splitlines() if "SHIP" in line] == ["good: SHIP", "bad: DON'T SHIP"]


def test_a_summary_for_a_pull_request(run: Path) -> None:
    printed = verdict(run, "--markdown", "-", "--row", "good")
    assert printed.exit_code == 0
    assert printed.stdout.startswith("### good: SHIP\n\n|  |  |\n| --- | --- |\n| ✓ | translation rose by ")
    assert "; lowest is facts\\|\\*, 99 % kept (" in printed.stdout
    assert printed.stderr.startswith("good: SHIP\n")
    assert verdict(run, "--markdown", "summary.md").exit_code == 3
    text = Path("summary.md").read_text(encoding="utf-8")
    assert "### bad: DON'T SHIP\n" in text
    assert "| ✗ | 1 of 2 abilities fell by more than may go<br>sums: 44 % kept" in text


def test_evidence_for_programs(run: Path) -> None:
    assert verdict(run, "verdict.tolerance=0.6", "--json", "evidence.json").exit_code == 0
    found = json.loads(Path("evidence.json").read_text(encoding="utf-8"))
    digest = sha256((run / "scorecard.json").read_bytes()).hexdigest()
    assert found["scorecard"] == {"path": "runs/small/scorecard.json", "sha256": digest}
    assert (found["schema"], found["ship"], found["noise_floor"], found["verdict"]["tolerance"]) == (1, True, 0.0, 0.6)
    printed = verdict(run, "--json", "-")
    told = json.loads(printed.stdout)
    assert (printed.exit_code, told["ship"]) == (3, False)
    assert {name: row["ship"] for name, row in told["rows"].items()} == {"good": True, "bad": False}
    (reason,) = [reason for reason in told["rows"]["bad"]["reasons"] if reason["about"] == "families"]
    assert {name: one["fell"] for name, one in reason["evidence"].items()} == {"sums": True, "facts|*": False}
    assert reason["evidence"]["sums"]["delta"] == -50
    both = verdict(run, "--json", "-", "--markdown", "-")
    assert (both.exit_code, both.stdout) == (2, "")


def test_the_recipe_says_what_may_go(run: Path) -> None:
    (run / "recipe.yaml").write_text(RECIPE + "verdict:\n  tolerance: 0.6\n  chatter: 1.5\n", encoding="utf-8")
    wrong = verdict(run)
    assert wrong.exit_code == 2
    assert wrong.stderr.startswith("runs/small/recipe.yaml:7: verdict.chatter: should be at most 1, not 1.5")
    assert verdict(run, "verdict.chatter=0.1", "--row", "bad").exit_code == 0
    assert verdict(run, "verdict.chatter=0.1", "verdict.tolerance=0.1", "--row", "bad").exit_code == 3
    unknown = verdict(run, "verdict.toleranz=0.1")
    assert "verdict.toleranz: no such key; did you mean 'tolerance'?" in unknown.stderr
    idle = verdict(run, "training.epochs=2")
    assert (idle.exit_code, idle.stdout) == (2, "")
    assert idle.stderr.startswith("training.epochs=2: of a run that is done, only fields of `verdict`")


def test_a_recipe_that_is_done_stands_for_its_run(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipes, "_require_done", lambda _: None)
    monkeypatch.setattr(recipes, "run", lambda *_, **__: run)
    recipe = Path("recipe.yaml")
    recipe.write_text(LAB, encoding="utf-8")
    assert verdict(recipe).exit_code == 3
    recipe.write_text(LAB + "verdict: {tolerance: 0.6}\n", encoding="utf-8")
    assert verdict(recipe).exit_code == 0  # though the run's own folder has the old one
    assert verdict(recipe, "verdict.tolerance=0.1", "training.epochs=3.0").exit_code == 3


def test_no_verdict_on_a_run_that_is_not_finished(run: Path) -> None:
    note(run, {"data": ["data-1", "data-2"], "report": ["report-1"]})
    again = verdict(run)
    assert (again.exit_code, again.stdout) == (1, "")
    assert again.stderr.startswith("runs/small is not done: data was begun after its scorecard.")
    note(run, {"data": ["data-1"], "report": ["report-1"], "train-new": ["train-new-1"]})
    assert verdict(run).stderr.startswith("runs/small is not done: train-new was begun after its scorecard.")
    (run / "stages.json").unlink()  # a scorecard that was copied from elsewhere
    assert verdict(run, "--row", "good").exit_code == 0
    (run / "scorecard.json").unlink()
    none = verdict(run)
    assert (none.exit_code, none.stdout) == (1, "")
    assert none.stderr.startswith("runs/small is not done: there is no scorecard.")
    recipe = Path("recipe.yaml")
    recipe.write_text(LAB, encoding="utf-8")
    planned = verdict(recipe)
    assert (planned.exit_code, planned.stdout) == (1, "")
    assert "small is not done: 7 of 7 stages are to do, data next." in planned.stderr


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ('{"schema": 2, "rows": []}', 1, "is a scorecard of an earlier version (schema 2, not 3); `dragoman run`"),
        ('{"schema": 4}', 1, "is a scorecard of a newer version (schema 4, not 3)"),
        ('{"schema": 3}', 2, "holds no scorecard"),
        ('{"schema": 3, "rows": []}', 2, "holds no whole scorecard: backbone: Field required; `dragoman run`"),
        ('{"schema": 3, "rows": [{"name": "backbone"}]}', 2, "holds no whole scorecard: backbone: Field required"),
        ("[]", 2, "holds no scorecard"),
        ("{", 2, "holds no scorecard"),
    ],
)
def test_no_verdict_on_another_scorecard(text: str, code: int, said: str, run: Path) -> None:
    (run / "scorecard.json").write_text(text, encoding="utf-8")
    found = verdict(run)
    assert (found.exit_code, found.stdout) == (code, "")
    assert f"runs/small/scorecard.json {said}" in found.stderr


def test_without_a_noise_floor_there_is_a_verdict_and_it_says_so(run: Path, made: Card) -> None:
    (run / "scorecard.json").write_text(json.dumps({**made, "noise": None}), encoding="utf-8")
    assert verdict(run, "--row", "good").exit_code == 0
    bad = verdict(run, "--row", "bad", "--json", "evidence.json")
    assert bad.exit_code == 3
    assert "No noise floor was measured (evaluation.noise_seeds)" in " ".join(bad.stdout.split())
    assert json.loads(Path("evidence.json").read_text(encoding="utf-8"))["noise_floor"] is None


def test_no_verdict_where_answers_are_missing(run: Path, made: Card) -> None:
    card = json.loads(json.dumps(made))
    del card["rows"][1]["abilities"]["sums"]
    (run / "scorecard.json").write_text(json.dumps(card), encoding="utf-8")
    found = verdict(run)
    assert (found.exit_code, found.stdout) == (1, "")
    assert found.stderr.startswith("no verdict: sums: 100 answers of backbone are there and 0 of good, so they can't ")
    assert verdict(run, "--row", "bad").exit_code == 3


@pytest.mark.parametrize("left", [["backbone"], ["good", "bad"]])
def test_no_verdict_without_a_trained_row_or_without_its_backbone(left: list[str], run: Path, made: Card) -> None:
    card = json.loads(json.dumps(made))
    card["rows"] = [row for row in card["rows"] if row["name"] in left]
    card["backbone"] = left[0]
    (run / "scorecard.json").write_text(json.dumps(card), encoding="utf-8")
    found = verdict(run)
    assert (found.exit_code, found.stdout) == (2, "")
    assert found.stderr == "no verdict: no tuned row is compared with its backbone here\n"


def test_no_verdict_with_items_that_were_not_judged(run: Path, made: Card) -> None:
    text = json.dumps(made)
    card = json.loads(text)
    card["rows"][1]["abilities"]["sums"] |= {"notes": {"no judgement": 2}, "not_extracted": 2}
    (run / "scorecard.json").write_text(json.dumps(card), encoding="utf-8")
    found = verdict(run, "--json", "evidence.json")
    assert (found.exit_code, found.stdout) == (1, "")
    assert found.stderr.startswith("no verdict: sums: 2 of 100 answers of good have no judgement")
    assert not Path("evidence.json").exists()
    assert verdict(run, "--row", "good", "verdict.unjudged=0.02").exit_code == 0


def test_what_was_asked_wrongly(run: Path) -> None:
    nowhere = verdict("runs/other")
    assert nowhere.exit_code == 2
    assert nowhere.stderr.startswith("there is no run runs/other (paths count from")
    row = verdict(run, "--row", "best")
    assert (row.exit_code, row.stderr) == (2, "--row best: there is no such row; there are good, bad\n")


def test_names_that_steer_a_terminal(run: Path, made: Card) -> None:
    card = json.loads(json.dumps(made).replace("facts|*", "facts\\u001b[31m[/b]"))
    card["rows"][1]["name"] = "row[/b]:smile:\x1b[2J"
    (run / "scorecard.json").write_text(json.dumps(card), encoding="utf-8")
    found = verdict(run)
    assert found.exit_code == 3, found.exception
    assert "row[/b]:smile:\\x1b[2J: SHIP" in found.output
    assert "\x1b" not in found.output
