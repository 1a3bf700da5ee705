"""The examples that `dragoman show` prints: from the data alone, and from what a run has made."""

from pathlib import Path

import pytest
from transformers import AutoTokenizer
from typer.testing import CliRunner

from dragoman.cli import app
from dragoman.commands.data.examples import Part, made_of
from dragoman.commands.recipes import go, recipe
from tests.look_alikes import look_alike
from tests.tiny_models import llama

RECIPE = """\
name: shown
backbone: model
data:
  train: {files: [{table: train.tsv, direction: de-en}]}
  test: {files: [{table: test.tsv, direction: de-en}]}
methods: [vanilla]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A recipe with a few pairs, and a backbone of random weights."""
    monkeypatch.chdir(tmp_path)
    size = len(AutoTokenizer.from_pretrained(look_alike("smollm-like", Path("model"))))
    llama(size, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, num_key_value_heads=1).save_pretrained(
        "model"
    )
    Path("train.tsv").write_text("Guten Tag.\tGood day.\nDanke.\tThank you.\n", encoding="utf-8")
    Path("test.tsv").write_text("Ja.\tYes.\n", encoding="utf-8")
    Path("recipe.yaml").write_text(RECIPE, encoding="utf-8")
    return tmp_path


def test_examples_of_the_data_then_of_the_methods(folder: Path) -> None:
    loaded = recipe(Path("recipe.yaml"))
    before = list(made_of(loaded, 2))
    assert [shown.row for shown in before] == ["", ""]
    assert sorted(shown.parts[1].text for shown in before) == ["Good day.", "Thank you."]
    go(loaded, upto="examples")
    after = list(made_of(loaded, 1))
    assert [shown.row for shown in after] == ["vanilla"]
    prompt, reference, end = after[0].parts
    assert after[0].parts == before[0].parts
    assert (prompt.name, prompt.trained) == ("prompt", False)
    assert prompt.text.endswith("<|im_end|>\n<|im_start|>assistant\n")
    assert (reference.name, reference.text, reference.trained) == ("reference", "Good day.", True)
    assert end == Part("end", "<|im_end|>", 1, True)


def test_examples_of_rated_translations_are_in_the_rows_own_words(folder: Path) -> None:
    ratings = "data.ratings=[{corpus: lab-ratings, direction: de-en, limit: 4}]"
    loaded = recipe(Path("recipe.yaml"), (ratings, "methods=[{parrot: {prompt: alpaca-lora}}]"))
    shown = [one.parts for one in made_of(loaded, 3)][2:]
    assert len(shown) == 3
    for prompt, *_ in shown:
        assert "### Hint: " in prompt.text.partition("### Input:")[2]
        assert not prompt.trained
    assert " rather than <p>" in shown[0][1].text
    assert "<v>" in shown[-1][1].text


def test_show_prints_recipe_and_segments(folder: Path) -> None:
    result = CliRunner().invoke(app, ["show", "recipe.yaml", "training.epochs=1", "--examples", "1"])
    assert result.exit_code == 0, result.stderr
    written, _, examples = result.stdout.partition("\nnot made yet; prompt and reference will be\n")
    assert "\n  epochs: 1.0\n" in written
    assert " tokens]\nGood day.\n  [end, 1 token]\n<|im_end|>\n" in examples
