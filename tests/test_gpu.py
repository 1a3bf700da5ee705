"""What only an accelerator can show: packed training and the engine agree with the processor."""

import json
from pathlib import Path

import pytest
import torch

from dragoman.generation.ask import Sampling
from dragoman.generation.hf.engine import HfEngine
from dragoman.lab import BACKBONE, world
from dragoman.prompts.examples import ExampleTable, write_examples
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker
from dragoman.recipe.engines import Vllm
from dragoman.recipe.training import Training
from dragoman.scoring.comet.model import Triple, open_comet
from dragoman.training.trainer import fit

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no accelerator on this machine"),
]


@pytest.fixture(scope="module")
def speak() -> Speaker:
    return Speaker(Renderer.load(BACKBONE))


def test_the_engine_completes_as_on_the_processor(speak: Speaker) -> None:
    prompts = [speak.translate(pair) for pair in world.pairs("test", ["de-en"], 64, 0)]
    sampling = Sampling(max_tokens=24, stop=speak.stop)
    answers = []
    for device in ("cpu", "cuda"):
        engine = HfEngine(BACKBONE, decode=speak.decode, precision="fp32", device=device)
        done = dict(engine.complete(prompts, sampling))
        answers.append([done[index].ids for index in range(len(prompts))])
    same = sum(one == other for one, other in zip(*answers, strict=True))
    assert same >= 62  # a near tie may fall the other way


def test_vllm_completes_as_hf(speak: Speaker) -> None:
    pytest.importorskip("vllm", reason="needs the extra vllm")
    from dragoman.generation.vllm.engine import VllmEngine

    prompts = [speak.translate(pair) for pair in world.pairs("test", ["de-en"], 64, 0)]
    sampling = Sampling(max_tokens=24, stop=speak.stop)
    theirs = dict(HfEngine(BACKBONE, decode=speak.decode, precision="fp32", device="cuda").complete(prompts, sampling))
    engine = VllmEngine(BACKBONE, decode=speak.decode, settings=Vllm(memory=0.3, eager=True), precision="fp32")
    ours = dict(engine.complete(prompts, sampling))
    engine.close()
    assert sum(ours[index].ids == theirs[index].ids for index in theirs) >= 62


def test_packed_training_on_the_accelerator_gives_the_losses_of_padded_training(speak: Speaker, tmp_path: Path) -> None:
    pairs = world.pairs("train", ["de-en", "en-it"], 64, 0)
    write_examples(tmp_path / "table", 0, [speak.example(speak.prefix(pair)) for pair in pairs])
    found = {}
    for packing in ("on", "off"):
        settings = Training(epochs=1, batch_size=16, learning_rate=1e-3, precision="fp32", packing=packing)
        found[packing] = fit(BACKBONE, ExampleTable(tmp_path / "table"), settings, tmp_path / packing).loss
    assert found["on"] == pytest.approx(found["off"], abs=1e-3)


@pytest.mark.parametrize(("model", "tolerance"), [("regression", 1e-4), ("unified_qe", 1e-4)])
def test_comet_scores_as_the_official_package_does_on_a_processor(
    model: str, tolerance: float, real_data: Path
) -> None:
    def lines(path: Path) -> list[dict]:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]

    folder = real_data / "comet_tiny"
    triples = [Triple(one["src"], one["mt"], one["ref"]) for one in lines(folder / "triples.jsonl")]
    expected = [one["score_bs1"] for one in lines(folder / "expected" / f"{model}.jsonl")]
    found = open_comet(folder / model).score(triples)
    assert found == pytest.approx(expected, abs=tolerance)
