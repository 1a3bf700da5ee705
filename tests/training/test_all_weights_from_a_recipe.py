"""All weights trained by a recipe, from the lab's pairs to the scorecard."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoTokenizer

from dragoman.errors import StoreError
from dragoman.pipeline import run as running
from dragoman.pipeline.forecast import disk as room
from dragoman.pipeline.forecast.geometry import geometry_of
from dragoman.pipeline.models.cast import Model
from dragoman.pipeline.plan import stages
from dragoman.pipeline.process import Job, Ran
from dragoman.pipeline.stages.stage import Stage
from dragoman.prompts.examples import ExampleTable
from dragoman.recipe.schema import Recipe
from dragoman.recipe.training import Training
from tests.tiny_models import lab_llama


@pytest.fixture
def backbone(tmp_path: Path) -> Path:
    """Two layers of random weights in bf16 behind the lab's tokenizer and chat template."""
    folder = tmp_path / "backbone"
    return lab_llama(folder, torch.bfloat16)


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stages are run without a process of their own, which would have to load torch first."""

    def at_once(job: Job[Any], name: str) -> Ran[Any]:
        return Ran(job.run(), 0)

    monkeypatch.setattr(running, "in_own_process", at_once)
    monkeypatch.setattr(running, "begin", lambda: None)


def _recipe(backbone: Path, runs: Path, **training: Any) -> Recipe:
    pairs = {"corpus": "lab", "directions": ["de-en"]}
    return Recipe.model_validate(
        {
            "name": "all-weights",
            "backbone": str(backbone),
            "runs": str(runs),
            "data": {"train": {**pairs, "limit": 24}, "test": {**pairs, "limit": 4}},
            "methods": [{"radis": {"rationale": {"max_tokens": 12}, "refresh": True}}],
            "generation": {"precision": "fp32"},
            "training": {"epochs": 2, "batch_size": 8, "learning_rate": 1e-3, "lora": None, **training},
            "evaluation": {"translation_tokens": 8, "bootstrap": 20},
        }
    )


def test_a_recipe_trains_all_weights_and_asks_the_trained_model_for_rationales(backbone: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    running.run(_recipe(backbone, runs), say=lambda _: None)

    card = json.loads((runs / "all-weights" / "scorecard.json").read_text())
    assert [row["name"] for row in card["rows"]] == ["backbone", "radis"]
    model = runs / "all-weights" / "models" / "radis"
    assert "fully fine-tuned" in (model / "README.md").read_text()
    published, before = load_file(model / "model.safetensors"), load_file(backbone / "model.safetensors")
    assert published.keys() == before.keys()
    assert all(weight.dtype == torch.bfloat16 for weight in published.values())
    assert not any(torch.equal(weight, before[name]) for name, weight in published.items() if "norm" not in name)
    assert AutoTokenizer.from_pretrained(model).chat_template == AutoTokenizer.from_pretrained(backbone).chat_template
    # The second round asked the model as the first had left it: other weights, so other rationales.
    lines = [json.loads(line) for line in (runs / "all-weights" / "radis.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 5, 6]
    first, second = (
        json.loads(next(runs.glob(f".store/artifacts/examples-radis{round}-*/samples.json")).read_text())
        for round in ("@1", "")
    )
    assert len(first) == len(second)
    assert first != second


def test_all_weights_learn_what_was_stored_of_the_backbone(tmp_path: Path) -> None:
    """Sampled far from temperature 1, and with a healed boundary: before the first step nothing diverges."""
    rationale = {"max_tokens": 12, "keep_logprobs": 8, "temperature": 0.7, "top_p": 0.9}
    replay = {"prompts": [{"corpus": "lab-requests", "limit": 12}], "max_tokens": 8, "keep_logprobs": 8}
    stored = {"segments": {name: {"labels": "stored"} for name in ("rationale", "replay")}, "replay": {"share": 0.3}}
    sure = lab_llama(tmp_path / "sure", initializer_range=0.3)  # of something, so that no two places are alike
    written = _recipe(sure, tmp_path / "runs", precision="fp32", **stored).model_dump(mode="json")
    written["data"]["replay"] = replay
    written["methods"] = [{"radis": {"rationale": rationale}}]
    done = running.made(Recipe.model_validate(written), "train", say=lambda _: None)
    lines = [json.loads(line) for line in (done["train-radis"].folder / "metrics.jsonl").read_text().splitlines()]
    first, last = lines[0], lines[-1]
    assert [first["loss/rationale"], first["loss/replay"]] == pytest.approx([0, 0], abs=1e-4)
    assert last["loss/rationale"] > 1e-3
    assert last["loss/reference"] < first["loss/reference"]
    examples = ExampleTable(done["examples-radis"].folder / "examples")
    assert examples.with_logprobs()["rationale"] == examples.trained()[0]["rationale"] > 0


def test_a_run_says_first_that_the_disk_is_too_small(
    backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = _recipe(backbone, tmp_path / "runs", epochs=3)
    recipe = recipe.model_copy(update={"seeds": (0, 1), "methods": ({"vanilla": {}}, *recipe.methods)})
    weights = sum(weight.numel() for weight in load_file(backbone / "model.safetensors").values())
    # Two checkpoints for a moment; of each method and seed the weights in fp32, and of each refresh a checkpoint.
    expected = weights * (2 * 12 + 2 * (4 + 4 + 2 * 12))
    found = Model(str(backbone), backbone, "")
    todo = stages(recipe)
    assert room.of_training(recipe, found, todo) == expected
    assert room.of_training(recipe, found, [stage for stage in todo if stage.kind != "train"]) == 0
    # Of adapters three checkpoints for a moment, of which two stay until the training is done.
    adapters = recipe.model_copy(update={"training": Training()})
    geometry = geometry_of("", backbone)
    assert geometry is not None
    assert adapters.training.lora is not None
    weights = geometry.adapter(adapters.training.lora)
    assert room.of_training(adapters, found, [Stage("train", "vanilla")]) == weights * (3 * 12 + 4)
    monkeypatch.setattr(room, "of_training", lambda *_: 10**18)
    with pytest.raises(StoreError, match=r"all-weights .* needs about 1000000000\.\d GB"):
        running.run(recipe, say=lambda _: None)
