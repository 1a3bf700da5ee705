"""What may import what, and how little it takes to look at a recipe."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests import ROOT

HEAVY = {"torch", "transformers", "peft", "accelerate", "datasets", "sacrebleu", "numpy", "pandas"}


def imported(code: str) -> set[str]:
    """The top-level modules that are loaded after some code ran in a fresh interpreter."""
    tail = "\nimport sys; print('\\n' + ' '.join({name.partition('.')[0] for name in sys.modules}))"
    ran = subprocess.run([sys.executable, "-c", code + tail], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(ran.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "code",
    [
        "import dragoman.recipe.load, dragoman.recipe.write",
        "import dragoman.cli",
        "from typer.testing import CliRunner; from dragoman.cli import app; CliRunner().invoke(app, ['--help'])",
    ],
)
def test_nothing_heavy_is_imported(code: str) -> None:
    assert imported(code) & HEAVY == set()


def test_methods_and_a_recipe_need_no_torch() -> None:
    code = "from dragoman.commands.recipes import DEMO, recipe; recipe(DEMO)"
    assert imported(code) & (HEAVY - {"numpy"}) == set()


def test_rooms_import_only_from_the_floors_below() -> None:
    checker = Path(sys.executable).with_name("lint-imports")
    ran = subprocess.run([checker, "--no-cache"], capture_output=True, text=True, cwd=ROOT)
    assert ran.returncode == 0, ran.stdout
    assert "Contracts: 1 kept, 0 broken." in ran.stdout
