"""How a row is judged, and what the name of that stage is made of."""

import json
import os
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dragoman.generation.ask import Completion
from dragoman.lab import world
from dragoman.pipeline.data.make_data import make_data
from dragoman.pipeline.data.questions import inputs
from dragoman.pipeline.models.cast import find_cast
from dragoman.pipeline.models.judging import judging_inputs
from dragoman.pipeline.stages.evaluate import evaluate, own_judges, with_comet
from dragoman.recipe.judging import Comet
from dragoman.recipe.schema import Recipe
from dragoman.store import Digests, fingerprint
from dragoman.suites.translation.suite import judge
from tests.described import described
from tests.generation.openai.servers import Misbehaving
from tests.pipeline.running import dragoman, start


def recipe(**evaluation: Any) -> Recipe:
    settings = {
        "name": "x",
        "backbone": "lab",
        "data": {"test": {"corpus": "lab", "directions": ["de-en"], "limit": 2}},
        "evaluate": ["translation"],
        "evaluation": evaluation,
    }
    return Recipe.model_validate(settings)


def test_comet_models_of_one_name_have_scores_of_their_own(our_comet: Path, tmp_path: Path) -> None:
    comets = [
        Comet(checkpoint=str(our_comet / "regression")),
        Comet(checkpoint=str(our_comet / "regression"), precision="bf16"),
        Comet(checkpoint=str(our_comet / "unified_qe")),
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


def serving(server: Misbehaving) -> dict[str, Any]:
    return {"generation": {"engine": "openai", "openai": {"address": server.address, "model": server.models[0]}}}


def test_two_suites_have_judges_of_their_own(tmp_path: Path, any_data: Path) -> None:
    """AlpacaEval 1 as the RaDis paper judges it, by one server; MT-Bench by another."""
    with Misbehaving(models=["shared"]) as shared, Misbehaving(models=["own"]) as own:
        answers, talks = str(any_data / "alpaca_eval"), str(any_data / "mt_bench")
        annotator = "weighted_alpaca_eval_gpt4_turbo"
        duel = {"kind": "alpaca-eval", "path": answers, "limit": 2, "annotator": annotator}
        talk = {"kind": "mt-bench", "path": talks, "limit": 1, "judge": {**serving(own), "max_tokens": 5}}
        settings = {
            "name": "x",
            "backbone": "lab",
            "evaluate": ["mt-bench", "alpaca-eval"],
            "benchmarks": described({"mt-bench": talk, "alpaca-eval": duel}),
            "evaluation": {"judge": serving(shared), "max_tokens": 4, "noise_seeds": 0},
            "generation": {"engine": "hf", "precision": "fp32"},
        }
        asked = Recipe.model_validate(settings)
        data, out = tmp_path / "data", tmp_path / "out"
        for folder in (data, out):
            folder.mkdir()
        make_data(asked, data)
        cast = find_cast(asked, Digests(tmp_path / "digests.json"))
        assert list(cast.judges) == ["benchmarks.mt-bench.judge", "judge"]
        evaluate(asked, cast, cast.backbone, "backbone", None, data, out, tmp_path / "cache")
        told = {one["name"]: one["signature"] for one in json.loads((out / "results.json").read_text())["graded"]}
        assert "|judge:own|" in told["mt-bench"]
        assert (
            "|annotator:weighted_alpaca_eval_gpt4_turbo|judge:shared|baseline:text_davinci_003|" in told["alpaca-eval"]
        )
        weighed = [sum(body.get("logprobs") == 5 for body in server.bodies()) for server in (shared, own)]
        rated = [sum(body.get("max_tokens") == 5 for body in server.bodies()) for server in (shared, own)]
        assert (weighed, rated) == ([2, 0], [0, 2])  # two instructions; two turns of one conversation


def test_a_suite_s_own_judge_is_part_of_its_evaluation_and_not_of_its_data(tmp_path: Path) -> None:
    def named(model: str) -> tuple[str, Any]:
        judge = {"generation": {"engine": "openai", "openai": {"address": "http://a/v1", "model": model}}}
        duel = {"kind": "pairwise", "path": str(tmp_path / "prompts.jsonl"), "judge": judge}
        settings = {"name": "x", "backbone": "lab", "evaluate": ["duel"], "benchmarks": described({"duel": duel})}
        asked = Recipe.model_validate(settings)
        digests = Digests(tmp_path / "digests.json")
        data = fingerprint(inputs(asked, digests))
        return data, (judging_inputs(asked, digests)["servers"], own_judges(asked))

    (tmp_path / "prompts.jsonl").write_text('{"prompt": "Name a colour."}\n')
    one, other = named("m"), named("n")
    assert one[0] == other[0]
    assert one[1][0] == [["http://a/v1", "m"]]
    assert one[1][1]["benchmarks.duel.judge"]["generation"]["openai"]["model"] == "m"


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
