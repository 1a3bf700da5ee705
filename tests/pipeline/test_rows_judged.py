"""How a row is judged, and what the name of that stage is made of."""

import os
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from running import dragoman, start

sys.path.insert(0, str(Path(__file__).parents[1] / "generation"))
from servers import Misbehaving

from dragoman.evaluation.translation import judge
from dragoman.generation.ask import Completion
from dragoman.lab import world
from dragoman.pipeline.judged import judging_inputs
from dragoman.pipeline.judging import with_comet
from dragoman.recipe.judging import Comet
from dragoman.recipe.schema import Recipe
from dragoman.store import Digests


def recipe(**evaluation: Any) -> Recipe:
    return Recipe(
        name="x",
        backbone="lab",
        data={"test": {"corpus": "lab", "directions": ["de-en"], "limit": 2}},
        methods=(),
        evaluate=("translation",),
        evaluation=evaluation,
    )


def test_comet_models_of_one_name_have_scores_of_their_own(real_data: Path, tmp_path: Path) -> None:
    tiny = real_data / "comet_tiny"
    comets = [
        Comet(checkpoint=str(tiny / "regression")),
        Comet(checkpoint=str(tiny / "regression"), precision="bf16"),
        Comet(checkpoint=str(tiny / "unified_qe")),
    ]
    (pair,) = world.pairs("test", ["de-en"], 1, 0)
    result = judge([pair], [Completion((1,), "The river is old.", "stop")])
    found = with_comet(result, comets, tmp_path / "cache", Digests(tmp_path / "digests.json"))
    assert list(found.signatures["de-en"])[2:] == ["comet:regression-fp32", "comet:regression-bf16", "comet:unified_qe"]
    assert "|precision:bf16|" in found.signatures["de-en"]["comet:regression-bf16"]
    assert len({found.items[0].statistics[name] for name in found.items[0].statistics if name.startswith("comet")}) == 3


def test_another_server_is_another_judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the environment names it."""
    digests = Digests(tmp_path / "digests.json")
    judged = recipe(judge={"generation": {"engine": "openai"}})
    found = []
    for address in ("http://127.0.0.1:1/v1", "http://127.0.0.1:2/v1"):
        monkeypatch.setenv("OPENAI_BASE_URL", address)
        found.append(judging_inputs(judged, digests)["servers"])
    assert found == [[["http://127.0.0.1:1/v1", None]], [["http://127.0.0.1:2/v1", None]]]
    assert "servers" not in judging_inputs(recipe(), digests)


def test_the_harness_on_another_server_is_another_evaluation(tmp_path: Path) -> None:
    def servers(**openai: str) -> Any:
        asked = recipe(harness={"backend": "openai"}).model_copy(update={"evaluate": ("gsm8k",)})
        settings = asked.generation.openai.model_copy(update=openai)
        asked = asked.model_copy(update={"generation": asked.generation.model_copy(update={"openai": settings})})
        return judging_inputs(asked, Digests(tmp_path / "digests.json"))["servers"]

    assert servers(address="http://a/v1", model="m") == [["http://a/v1", "m"]]
    assert servers(address="http://a/v1", model="n") != servers(address="http://a/v1", model="m")


@pytest.mark.slow
def test_ctrl_c_keeps_what_was_judged(tmp_path: Path, real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGOMAN_MIRROR", str(real_data))
    with Misbehaving() as server:
        engine = f'{{engine: openai, openai: {{address: "{server.address}", concurrency: 2}}}}'
        asked = [
            *("evaluate", "lab", "--suite", "alpaca-eval", f"runs={tmp_path / 'runs'}", "evaluation.max_tokens=8"),
            *("benchmarks={alpaca-eval: {kind: alpaca-eval, limit: 30}}", "evaluation.noise_seeds=0"),
            *(f"evaluation.judge={{generation: {engine}}}", "generation.precision=fp32"),
        ]

        def judged() -> Counter[tuple[int, ...]]:
            return Counter(tuple(body["prompt"]) for body in server.bodies() if len(body.get("prompt", ())) > 50)

        server.slow = 0.3
        process = start(*asked)
        deadline = time.monotonic() + 120
        while judged().total() < 12:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        said, _ = process.communicate(timeout=60)
        assert (process.returncode, "run again to go on" in said) == (130, True)
        server.slow = 0.0
        dragoman(*asked)
        assert len(judged()) > 20
        assert sum(times > 1 for times in judged().values()) <= 6  # what was under way, and some to spare
