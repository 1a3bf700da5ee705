"""Trying out a machine, for real: a tiny backbone itself, and what stands in for a larger one."""

from dataclasses import replace
from pathlib import Path

import pytest

from dragoman.pipeline.forecast import trial
from dragoman.pipeline.forecast.geometry import Geometry, geometry_of
from dragoman.pipeline.forecast.trial import Speeds, Trial
from dragoman.recipe.engines import Generation
from dragoman.recipe.training import Training
from tests.tiny_models import lab_llama

LARGE = Geometry(
    layers=12, hidden=64, intermediate=128, heads=4, kv_heads=2, vocabulary=200_000, context=512, biases="qkv"
)


@pytest.fixture
def backbone(tmp_path: Path) -> Path:
    return lab_llama(tmp_path / "tiny")


def trial_of(geometry: Geometry | None, backbone: Path | None, **generation: object) -> Trial:
    assert geometry is not None
    settings = Generation.model_validate({"engine": "hf", **generation})
    return Trial(geometry, backbone, Training(batch_size=4), settings, length=12, asked=8, answered=6)


def positive(found: Speeds) -> bool:
    return min(found.operations, found.reading, found.step + found.writing, found.asking_start or 0.0) > 0


def test_a_small_backbone_is_tried_itself(backbone: Path) -> None:
    one = trial_of(geometry_of("tiny", backbone), backbone)
    assert one.itself
    assert one.tried == one.geometry
    found = one.run()
    assert positive(found)
    assert found.training_start > 0
    assert found.together == trial.PROMPTS


def test_a_batch_is_as_large_as_in_a_run(backbone: Path) -> None:
    found = trial_of(geometry_of("tiny", backbone), backbone, batch_tokens=100).run()
    assert found.together == 100 // (8 + 2 * 6)


def test_a_llama_of_the_same_shape_stands_in_for_a_backbone_that_is_not_here() -> None:
    one = trial_of(LARGE, None)
    assert not one.itself
    assert (one.tried.layers, one.tried.vocabulary, one.tried.hidden) == (2, 4096, 64)
    assert one._larger == pytest.approx((LARGE.blocks + 200_000 * 64) / (LARGE.blocks / 6 + 4096 * 64))
    assert positive(one.run())


def test_a_large_backbone_that_is_here_is_not_loaded(backbone: Path) -> None:
    geometry = geometry_of("tiny", backbone)
    assert geometry is not None
    assert not trial_of(replace(geometry, vocabulary=10**7), backbone).itself


def test_what_a_server_answers_is_not_tried(backbone: Path) -> None:
    found = trial_of(geometry_of("tiny", backbone), backbone, engine="ray").run()
    assert found.operations > 0
    assert found.asking_start is None


def test_other_work_is_taken_out_of_what_was_measured(backbone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If it took a millionth of the time, hardly any is left."""
    monkeypatch.setattr(trial, "slowdown", lambda others: 1e6)
    found = trial_of(geometry_of("tiny", backbone), backbone).run()
    assert found.training_start < 1e-3
    assert found.reading < 1e-6
