"""Test sets that are known to be in what is learnt from, or in what finished models were trained on."""

from pathlib import Path
from typing import Any

import pytest

from dragoman.pipeline.data.known_overlaps import known_overlaps
from dragoman.pipeline.data.make_data import make_data
from dragoman.pipeline.stages.data import told
from dragoman.recipe.schema import Recipe


def recipe(train: str | None = None, test: str | None = None, **more: Any) -> Recipe:
    data = {part: {"corpus": name} for part, name in (("train", train), ("test", test)) if name}
    methods: list[dict[str, Any]] = [{"vanilla": {}}] if train else []
    settings = {"name": "x", "backbone": "lab", "data": data, "methods": methods, "evaluate": ("translation",)}
    return Recipe.model_validate({**settings, **more})


def test_alma_s_data_and_flores() -> None:
    (warning,) = known_overlaps(recipe("alma-human", "flores200"))
    assert warning.startswith("alma-human has FLORES-200, dev and devtest,")
    (warning,) = known_overlaps(recipe("alma-human", "ntrex"))
    assert warning.startswith("alma-human has all 1,997 English sentences of NTREX")


def test_finished_models_are_known_by_their_prompts() -> None:
    compared = ({"model": "models/ALMA-7B", "prompt": "alma"}, {"model": "models/Tower", "prompt": "tower"})
    assert known_overlaps(recipe(None, "flores200", compare=compared)) == [
        "ALMA was trained on FLORES-200, dev and devtest"
    ]
    assert known_overlaps(recipe(None, "wmt22", compare=compared)) == ["TowerInstruct was trained on WMT22"]
    assert known_overlaps(recipe(None, "flores200", prompt="alma")) == [
        "ALMA was trained on FLORES-200, dev and devtest"
    ]


@pytest.mark.parametrize(("train", "test"), [("alma-human", "wmt23"), ("news-commentary", "flores200"), ("lab", "lab")])
def test_nothing_is_said_without_reason(train: str, test: str) -> None:
    assert known_overlaps(recipe(train, test)) == []


def test_the_data_stage_says_so(real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGOMAN_MIRROR", str(real_data))
    data = {
        "train": {"corpus": "alma-human", "directions": ["cs-en"], "limit": 50},
        "test": {"corpus": "flores200", "directions": ["en-de"], "limit": 20},
        "contamination": "remove",
    }
    settings = {"name": "x", "backbone": "lab", "methods": [{"vanilla": {}}], "evaluate": ["translation"]}
    facts = make_data(Recipe.model_validate({**settings, "data": data}), tmp_path)
    assert facts["test"] == {"en-de": 20}
    (warning,) = facts["warnings"]
    assert f"beware: {warning}" in ", ".join(told(facts))
