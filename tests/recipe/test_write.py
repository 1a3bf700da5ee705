"""A recipe that is written back loads to the same recipe."""

from pathlib import Path

import pytest

from dragoman import suites
from dragoman.methods import available
from dragoman.recipe.load import load
from dragoman.recipe.schema import Recipe
from dragoman.recipe.write import resolved

OPTIONS = {name: method.options for name, method in available().items()}
TEXT = """\
name: small
backbone: "./a folder: with # signs"
system: "on"
data:
  train: {corpus: lab, directions: [de-en, en-de], limit: 5}
  test: {files: [{source: "null", target: "1e3", direction: de-en, both: true}]}
methods: [vanilla, radis: {label: half, rationale_fraction: 0.5}]
training: {learning_rate: 0.00002, weight_decay: 1e-05, lora: {targets: [q_proj]}}
"""


def loaded(path: Path) -> Recipe:
    return load(path, methods=OPTIONS, suites=suites)


@pytest.mark.parametrize("comments", [False, True])
def test_resolved_recipe_loads_to_the_same(comments: bool, tmp_path: Path) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text(TEXT, encoding="utf-8")
    recipe = loaded(first)
    second.write_text(resolved(recipe, comments), encoding="utf-8")
    assert loaded(second) == recipe


def test_resolved_recipe_spells_everything_out(tmp_path: Path) -> None:
    path = tmp_path / "first.yaml"
    path.write_text(TEXT, encoding="utf-8")
    lines = resolved(loaded(path), comments=True).splitlines()
    assert lines[:2] == ["# Results land in `runs/NAME`.", "name: small"]
    assert lines[lines.index("  # Passes over the examples.") + 1] == "  epochs: 3.0"
    assert "      rationale_fraction: 0.5" in lines
    assert "    directions: [de-en, en-de]" in lines
    assert not any(line.lstrip().startswith("#") for line in resolved(loaded(path)).splitlines())
