"""A suite that nobody here knows, as docs/evaluation.md writes it: found, checked, forecast, asked, and reported."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from dragoman import suites
from tests import ROOT
from tests.pipeline.running import DRAGOMAN

RECIPE = """\
name: added
backbone: lab
runs: {folder}/runs
evaluate: [brevity, longer]
benchmarks:
  brevity: {{kind: brevity, path: {folder}/requests.jsonl, words: 2}}
  longer: {{kind: brevity, path: {folder}/requests.jsonl, words: 500, limit: 2}}
generation: {{engine: hf, precision: fp32}}
evaluation: {{max_tokens: 8, noise_seeds: 0, bootstrap: 20}}
"""
ASKED = ["How are you?", "What is 2 plus 3?", "Name a colour."]


@pytest.fixture
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the suite of the page and a helper beside it, which every process finds among the others."""
    (code,) = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8"), re.DOTALL
    )
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "brevity.py").write_text(code, encoding="utf-8")
    (folder / "_beside.py").write_text("raise ImportError('this is no suite')\n", encoding="utf-8")
    path = f"import dragoman.suites\ndragoman.suites.__path__.append({str(folder)!r})\n"
    (tmp_path / "sitecustomize.py").write_text(path, encoding="utf-8")
    before = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *([before] if before else [])]))
    (tmp_path / "requests.jsonl").write_text("".join(json.dumps({"prompt": text}) + "\n" for text in ASKED))
    return tmp_path


def ran(*arguments: str | Path) -> tuple[int, str]:
    found = subprocess.run([DRAGOMAN, *map(str, arguments)], capture_output=True, text=True, timeout=300)
    return found.returncode, found.stdout + found.stderr


def test_a_suite_is_added_by_its_file_alone(added: Path) -> None:
    recipe = added / "recipe.yaml"
    recipe.write_text(RECIPE.format(folder=added))
    assert "brevity" not in suites.available()  # nor in this process
    status, planned = ran("run", recipe, "--dry-run")
    assert status == 0, planned
    assert "evaluate-backbone" in planned
    status, said = ran("run", recipe)
    assert status == 0, said
    card = json.loads((added / "runs" / "added" / "scorecard.json").read_text())
    found = card["rows"][0]["abilities"]
    assert {name: (one["n"], one["side"]) for name, one in found.items()} == {
        "brevity": (3, "instruction"),
        "longer": (2, "instruction"),
    }
    assert found["longer"]["score"] == 100
    assert found["brevity"]["signature"].startswith("short|words:2|tokens:8")
    assert "short answers" in (added / "runs" / "added" / "report.html").read_text(encoding="utf-8")
    results = json.loads((added / "runs" / "added" / "results" / "backbone.json").read_text())["graded"][0]
    short = [len(item["told"]["answer"].split()) <= 2 for item in results["items"]]
    assert [item["value"] for item in results["items"]] == [100.0 * one for one in short]
    recipe.write_text(RECIPE.format(folder=added).replace("words: 2}", "words: 1}"))
    assert "… evaluate-backbone" in ran("run", recipe)[1]  # another option is another evaluation


def test_what_a_recipe_says_of_it_is_checked(added: Path) -> None:
    recipe = added / "recipe.yaml"
    recipe.write_text(RECIPE.format(folder=added).replace("words: 2", "wrods: 2").replace("words: 500", "words: 0"))
    status, said = ran("show", recipe)
    assert status == 2
    assert "recipe.yaml:6: benchmarks.brevity.wrods: no such key; did you mean 'words'?" in said
    assert "recipe.yaml:7: benchmarks.longer.words: should be at least 1, not 0. The most words that" in said
    recipe.write_text("name: x\nbackbone: lab\nevaluate: [brevity]\n")
    assert "asks for brevity, which is read from a file of your own; name it" in ran("show", recipe)[1]
