"""Every recipe that ships loads."""

from pathlib import Path

import pytest

from dragoman.commands.recipes import DEMO, recipe

RECIPES = Path(__file__).resolve().parents[2] / "recipes"
SHIPPED = sorted(str(path.relative_to(RECIPES)) for path in RECIPES.rglob("*.yaml"))


@pytest.mark.parametrize("name", SHIPPED)
def test_recipe_loads(name: str) -> None:
    assert recipe(RECIPES / name).methods


def test_the_demo_is_the_lab_s_recipe() -> None:
    assert DEMO.read_text(encoding="utf-8") == (RECIPES / "lab" / "demo.yaml").read_text(encoding="utf-8")
    demo = recipe(DEMO)
    assert demo.backbone == demo.data.train.corpus == demo.data.test.corpus == "lab"
    assert [next(iter(method)) for method in demo.methods] == ["vanilla", "radis"]


def test_the_paper_s_settings() -> None:
    paper = recipe(RECIPES / "radis" / "mistral-7b-instruct-v0.2.yaml")
    training = paper.training
    assert (training.epochs, training.batch_size, training.learning_rate, training.schedule) == (3, 128, 1e-4, "cosine")
    assert (training.lora.rank, training.lora.targets) == (16, "all-linear")
    assert len(paper.data.train.directions) == len(set(paper.data.test.directions)) == 8
