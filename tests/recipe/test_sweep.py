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
    "no such setting": (
        "sweep: {training.learning_rte: [1e-5, 1e-4]}",  # of two rows, said once
        "no such key; did you mean 'learning_rate'?",
    ),
    "the data's own limit": (
        "sweep: {data.train.limit: [10]}",
        "how much a row learns from is its `limit`, as in `limit: [500, 2000]`",
    ),
    "a seed among seeds": (
        "sweep: {training.seed: [1]}\nseeds: [0, 1]",
        "methods[1].radis.training.seed: `seeds` trains every row with the same ones, so no row can have its own",
    ),
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


def test_a_training_setting_is_swept_for_every_row_and_says_its_name(tmp_path: Path) -> None:
    found = rows(
        tmp_path,
        "methods: [vanilla, seq_kd]\n"
        "training: {learning_rate: 1e-4, lora: {rank: 8, dropout: 0.1}}\n"
        "sweep: {training.learning_rate: [1e-5, 1e-4], training.lora.rank: [8, 64]}\n",
    )
    three = ["learning_rate=1e-5-rank=8", "learning_rate=1e-5-rank=64", "learning_rate=1e-4-rank=64"]
    assert list(found) == ["vanilla", "seq_kd", *(f"{row}-{one}" for row in ("vanilla", "seq_kd") for one in three)]
    assert found["vanilla"]["training"] is None
    assert found["seq_kd-learning_rate=1e-5-rank=64"]["training"] == {"learning_rate": 1e-5, "lora": {"rank": 64}}


def test_a_training_setting_of_one_row_all_weights_and_the_amount_of_data(tmp_path: Path) -> None:
    found = rows(
        tmp_path,
        "methods: [vanilla, vanilla: {label: hot, training: {learning_rate: 3e-4}}]\n"
        "sweep:\n  - {method.hot.training.epochs: [1, 3]}\n  - {limit: [500]}\n  - {training.lora: [null]}\n",
    )
    own = {name: (one["training"], one["limit"]) for name, one in found.items()}
    assert own == {
        "vanilla": (None, None),
        "hot": ({"learning_rate": 3e-4}, None),
        "hot-epochs=1": ({"learning_rate": 3e-4, "epochs": 1.0}, None),  # 3 is what there was
        "vanilla-limit=500": (None, 500),
        "hot-limit=500": ({"learning_rate": 3e-4}, 500),
        "vanilla-lora=null": ({"lora": None}, None),
        "hot-lora=null": ({"learning_rate": 3e-4, "lora": None}, None),
    }


def test_strengths_are_swept_for_every_row_or_for_one(tmp_path: Path) -> None:
    methods = "methods: [vanilla, radis]\n"
    every = rows(tmp_path, methods + "sweep: {scale: [0.5, 1]}\n")
    assert {name: one["scale"] for name, one in every.items()} == {
        "vanilla": 1.0,
        "radis": 1.0,
        "vanilla-scale=0.5": 0.5,
        "radis-scale=0.5": 0.5,
    }
    one = rows(tmp_path, methods + "sweep: {method.radis.scale: [0.25, 0.5, 1]}\n")
    assert list(one) == ["vanilla", "radis", "radis-scale=0.25", "radis-scale=0.5"]
    with pytest.raises(RecipeError, match=r"radis\.scale: .*at least 0"):
        rows(tmp_path, methods + "sweep: {method.radis.scale: [-1]}\n")


@pytest.mark.parametrize(
    ("value", "name"),
    [("3e-4", "3e-4"), ("0.0001", "1e-4"), ("2.5e-5", "2.5e-5"), ("0.001", "1e-3"), ("0.01", "0.01"), ("3", "3")],
)
def test_a_rate_is_named_as_people_write_it(tmp_path: Path, value: str, name: str) -> None:
    found = rows(
        tmp_path,
        f"methods: [vanilla]\ntraining: {{learning_rate: 1}}\nsweep: {{training.learning_rate: [{value}]}}\n",
    )
    assert list(found) == ["vanilla", f"vanilla-learning_rate={name}"]
