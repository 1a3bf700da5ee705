"""A recipe with a sweep, run: what is equal between its rows is made once."""

import json
from pathlib import Path

import pytest

from tests.pipeline.running import artifacts, dragoman, start

SWEPT = """\
name: swept
backbone: {backbone}
runs: {folder}/runs
data:
  train: {{corpus: lab, directions: [en-de, de-en], limit: 600}}
  test: {{corpus: lab, directions: [en-de], limit: 3}}
  lessons: [{{corpus: lab-instructions, limit: 40}}]
methods:
  - alpaca: {{languages: [en]}}
  - crossalpaca: {{instructions: english, languages: [de]}}
sweep: {{method.crossalpaca.amount: [0, 0.1]}}
generation: {{precision: fp32}}
training: {{epochs: 1, batch_size: 64, precision: fp32}}
evaluate: [translation]
evaluation: {{translation_tokens: 8, bootstrap: 50}}
"""


@pytest.mark.slow
def test_rows_that_learn_the_same_share_their_training_and_what_follows(tmp_path: Path, tiny_backbone: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(SWEPT.format(backbone=tiny_backbone, folder=tmp_path))
    said = dragoman("run", path)
    for kind in ("train", "merge", "evaluate"):
        assert f"✓ {kind}-crossalpaca-0  done before" in said
        assert f"✓ {kind}-crossalpaca-0.1  done before" not in said
    made = {name.rsplit("-", 1)[0] for name in artifacts(tmp_path / "runs")}
    assert {"train-alpaca", "train-crossalpaca", "train-crossalpaca-0.1"} <= made
    assert "train-crossalpaca-0" not in made

    rows = {row["name"]: row for row in json.loads((tmp_path / "runs/swept/scorecard.json").read_text())["rows"]}
    examples = {name: rows[name]["cost"]["examples"] for name in rows if name != "backbone"}
    assert (examples["alpaca"], examples["crossalpaca"], examples["crossalpaca-0"]) == (40, 1240, 40)
    assert 40 + 60 < examples["crossalpaca-0.1"] < 40 + 180
    assert rows["alpaca"]["translation"] == rows["crossalpaca-0"]["translation"]
    assert (tmp_path / "runs/swept/models/crossalpaca-0").resolve().is_dir()
    assert dragoman("run", path).count("done before") == said.count("✓")


def test_a_row_that_finds_nothing_to_learn_says_so(tmp_path: Path, tiny_backbone: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(SWEPT.format(backbone=tiny_backbone, folder=tmp_path).replace("limit: 600", "limit: 6"))
    process = start("generate", path, "methods=[{alpaca: {languages: [fr]}}]", "sweep=null")
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "alpaca has nothing to learn: of all records it took none" in said


@pytest.mark.slow
def test_a_row_that_diverges_keeps_no_other_from_being_done(tmp_path: Path, tiny_backbone: Path) -> None:
    path = tmp_path / "recipe.yaml"
    text = SWEPT.format(backbone=tiny_backbone, folder=tmp_path).replace("sweep:", "# sweep:")
    path.write_text(text)
    hot = "{vanilla: {label: hot, training: {learning_rate: 1e25, max_grad_norm: 0}}}"
    process = start("run", path, f"methods=[{hot}, vanilla]", "data.lessons=[]", "data.train.limit=100")
    said, _ = process.communicate(timeout=240)
    assert process.returncode == 1
    assert "✗ train-hot  The loss of step" in said
    assert "✓ evaluate-vanilla" in said
    assert "merge-hot" not in said
    assert "hot: the training diverged, so there is no comparison. The loss of step" in said
    assert "✓ report" in dragoman("run", path, "methods=[vanilla]", "data.lessons=[]", "data.train.limit=100")
