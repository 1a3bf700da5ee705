"""Sentences that several errors share."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from dragoman.cli import app
from dragoman.commands.recipes import DEMO
from dragoman.errors import from_here


def test_a_path_that_leads_nowhere_says_where_it_counts_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = f"(paths count from the folder you are in: {tmp_path})"
    assert from_here("a/b.de") == f" {said}"
    assert from_here(tmp_path / "b.de") == ""
    assert from_here("~/b.de") == ""
    for changes in (
        ["backbone=./nowhere"],
        ["data.train={files: [{source: no.de, target: no.en, direction: de-en}]}"],
        ["data.instructions=[{file: no.jsonl, limit: 3}]"],
        ["evaluate=[no.jsonl]"],
        ["benchmarks={mine: {kind: mmlu, path: no.csv}}", "evaluate=[mine]"],
    ):
        ran = CliRunner().invoke(app, ["run", str(DEMO), f"runs={tmp_path}/runs", *changes])
        assert said in " ".join(ran.output.split()), changes
    ran = CliRunner().invoke(app, ["report", "--compare", "runs/a", "runs/b"])
    assert said in " ".join(ran.output.split())
    assert "`dragoman report --compare runs/de-en/vanilla runs/de-en/radis`" in " ".join(ran.output.split())
    ran = CliRunner().invoke(app, ["show", str(DEMO), "compare=[runs/a/models/radis]"])
    assert "a list of mappings, as in `[{model: haoranxu/ALMA-7B, prompt: alma, label: alma}]`" in ran.output
