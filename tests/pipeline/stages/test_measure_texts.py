"""Measuring documents: in chunks, of which none is measured twice."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dragoman.lab import BACKBONE
from dragoman.pipeline.data.texts.measures import measure, measured
from dragoman.pipeline.data.texts.sources import sources
from dragoman.pipeline.models.cast import find_cast
from dragoman.pipeline.stages import measure_texts
from dragoman.pipeline.stages.measure_texts import MeasureTexts
from dragoman.recipe.schema import Recipe
from dragoman.store import Digests


def test_tokens_are_those_that_are_trained_and_a_cut_off_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import AutoTokenizer

    documents = [f"Der Hund schläft seit {number} Tagen." + " Ja!" * number for number in range(20)]
    (tmp_path / "a.txt").write_text("\n".join(documents), encoding="utf-8")
    said = {"texts": [{"file": str(tmp_path / "a.txt"), "language": "de"}], "mixture": {"by": "tokens"}}
    recipe = Recipe.model_validate({"name": "x", "backbone": "lab", "data": said, "methods": [{"pretrain": {}}]})
    counted: list[int] = []

    def noted(texts: Sequence[str], *others: Any) -> Any:
        counted.append(len(texts))
        return measure(texts, *others)

    monkeypatch.setattr(measure_texts, "measure", noted)
    monkeypatch.setattr(measure_texts, "CHUNK", 8)
    job = MeasureTexts(recipe, find_cast(recipe, Digests(tmp_path / "digests.json")), tmp_path)
    job.run()
    assert counted == [8, 8, 4]
    (source,) = sources(recipe)
    found = measured(tmp_path, source)
    assert found is not None
    tokenizer = AutoTokenizer.from_pretrained(BACKBONE)
    expected = [len(tokenizer(text, add_special_tokens=False)["input_ids"]) + 2 for text in documents]
    assert found[:, 0].tolist() == expected
    assert np.isnan(found[:, 1]).all()
    next(tmp_path.glob("measures/*/000001.npy")).unlink()
    job.run()
    assert counted == [8, 8, 4, 8]
    again = measured(tmp_path, source)
    assert again is not None
    assert again[:, 0].tolist() == expected
