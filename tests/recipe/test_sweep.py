"""Sweeps: one row becomes several, and nothing is made twice."""

from pathlib import Path
from typing import Any

import pytest

from dragoman import suites
from dragoman.errors import RecipeError
from dragoman.methods import available
from dragoman.recipe.load import load

OPTIONS = {name: method.options for name, method in available().items()}
HEAD = """\
name: small
backbone: lab
data:
  train: {corpus: lab}
  test: {corpus: lab}
"""


def rows(folder: Path, text: str, *overrides: str) -> dict[str, dict[str, Any]]:
    path = folder / "recipe.yaml"
    path.write_text(HEAD + text, encoding="utf-8")
    recipe = load(path, overrides, methods=OPTIONS, suites=suites)
    entries = [next(iter(entry.items())) for entry in recipe.methods]
    return {options["label"] or method: options for method, options in entries}


def test_a_row_for_each_value_but_the_one_it_has_already(tmp_path: Path) -> None:
    found = rows(
        tmp_path,
        "methods: [vanilla, crossalpaca: {languages: [de]}]\n"
        "sweep: {method.crossalpaca.amount: [0, 0.25, 0.5, 0.75, 1.0]}\n",
    )
    assert {name: options.get("amount") for name, options in found.items()} == {
        "vanilla": None,
        "crossalpaca": 1.0,
        "crossalpaca-0": 0.0,
        "crossalpaca-0.25": 0.25,
        "crossalpaca-0.5": 0.5,
        "crossalpaca-0.75": 0.75,
    }
    assert {tuple(options["languages"]) for name, options in found.items() if name != "vanilla"} == {("de",)}


def test_rows_are_meant_by_name_or_by_method_and_nested_options_by_dots(tmp_path: Path) -> None:
    found = rows(
        tmp_path,
        "methods:\n  - radis\n  - radis: {label: radis-0.5, rationale_fraction: 0.5}\n"
        "sweep: {method.radis-0.5.rationale.max_tokens: [64], method.radis.boundary: [exact]}\n",
    )
    wanted = {name: (one["rationale"]["max_tokens"], one["boundary"]) for name, one in found.items()}
    assert wanted == {
        "radis": (512, "heal"),
        "radis-0.5": (512, "heal"),
        "radis-0.5-64-exact": (64, "exact"),
        "radis-exact": (512, "exact"),
    }


def test_options_of_one_sweep_are_combined_and_those_of_several_are_not(tmp_path: Path) -> None:
    methods = "methods: [crossalpaca]\n"
    grid = rows(
        tmp_path, methods + "sweep: {method.crossalpaca.amount: [0.5, 1], method.crossalpaca.directions: [en-x, both]}"
    )
    assert list(grid) == ["crossalpaca", "crossalpaca-0.5-en-x", "crossalpaca-0.5-both", "crossalpaca-1-en-x"]
    lists = rows(
        tmp_path, methods + "sweep: [{method.crossalpaca.amount: [0.5]}, {method.crossalpaca.directions: [en-x]}]"
    )
    assert list(lists) == ["crossalpaca", "crossalpaca-0.5", "crossalpaca-en-x"]


def test_a_sweep_from_the_command_line(tmp_path: Path) -> None:
    found = rows(tmp_path, "methods: [radis]\n", "sweep={method.radis.rationale_fraction: [0.1]}")
    assert list(found) == ["radis", "radis-0.1"]


FAULTS = {
    "no method": (
        "sweep: {crossalpaca.amount: [0]}",
        "sweep.crossalpaca.amount: a sweep goes over an option of a method",
    ),
    "no list": ("sweep: {method.radis.boundary: exact}", "should be a list of values"),
    "another row": ("sweep: {method.raids.boundary: [exact]}", "no row or method 'raids' to sweep; there are radis"),
    "no option": ("sweep: {method.radis.bondary: [exact]}", "no such key; did you mean 'boundary'?"),
    "no value": ("sweep: {method.radis.boundary: [exat]}", "'exat' is not one of 'exact' or 'heal'"),
    "no mapping": ("sweep: [1]", "sweep[0]: should name options and their values"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_wrong_with_a_sweep_is_said_with_its_line(tmp_path: Path, name: str) -> None:
    text, expected = FAULTS[name]
    with pytest.raises(RecipeError) as caught:
        rows(tmp_path, f"methods: [radis]\n{text}\n")
    (line,) = str(caught.value).split("\n")
    assert "recipe.yaml:7: " in line
    assert expected in line
