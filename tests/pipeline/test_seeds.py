"""Methods that are trained with several seeds: run, gone on with, and judged; and a run without a single pair."""

import json
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import pytest
from sacrebleu.metrics import CHRF

from dragoman.commands.recipes import recipe
from dragoman.pipeline.plan import plan, stages
from dragoman.pipeline.rows import titled, training_of
from dragoman.pipeline.stages.stage import finish_of
from dragoman.recipe.schema import Recipe
from dragoman.store import Artifact
from tests.pipeline.running import artifacts, dragoman

SEEDS = """\
name: seeds
backbone: lab
runs: {folder}/runs
data:
  train: {{corpus: lab, directions: [de-en, en-de], limit: 8}}
  test: {{corpus: lab, directions: [de-en, en-de], limit: 3}}
methods: [vanilla, {{seq_kd: {{max_tokens: 24}}}}]
seeds: [3, 5]
training: {{epochs: 1, batch_size: 4, learning_rate: 4e-3}}
evaluate: [translation, lab]
evaluation: {{questions: 2, noise_seeds: 1, max_tokens: 16, translation_tokens: 24, bootstrap: 100}}
"""
PROGRAMS = """\
name: programs
backbone: lab
runs: {folder}/runs
data:
  lessons: [{{corpus: lab-programs, limit: 12}}]
methods: [vanilla]
training: {{epochs: 1, batch_size: 4}}
evaluate: [programs]
evaluation: {{questions: 3, noise_seeds: 0, max_tokens: 40, bootstrap: 50}}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(text.format(folder=folder))
    return path


def finished(path: Path, *overrides: str) -> dict[str, Artifact]:
    return {step.stage.title: step.artifact for step in plan(recipe(path, overrides)).steps if step.artifact}


def shares(results: Mapping[str, Any], family: str) -> float:
    passed = [item["passed"] for item in results["abilities"]["items"] if item["family"] == family]
    return 100 * sum(passed) / len(passed)


def chrf(results: Mapping[str, Any]) -> float:
    """The mean over directions, as sacreBLEU scores each."""
    items = results["translation"]["items"]
    by_language = [[item for item in items if item["target_language"] == language] for language in ("en", "de")]
    return fmean(
        CHRF(word_order=2).corpus_score([i["hypothesis"] for i in some], [[i["target"] for i in some]]).score
        for some in by_language
    )


@pytest.mark.slow
def test_every_method_is_trained_with_each_seed_and_the_card_has_their_means(tmp_path: Path) -> None:
    path = written(tmp_path, SEEDS)
    dragoman("run", path)
    before = artifacts(tmp_path / "runs")
    assert len(before) == 17  # data, backbone, report; for each method examples, and three stages a seed
    assert dragoman("run", path).count("done before") == 17
    assert artifacts(tmp_path / "runs") == before

    done = finished(path)
    card = json.loads((tmp_path / "runs" / "seeds" / "scorecard.json").read_text())
    rows = {row["name"]: row for row in card["rows"]}
    assert (rows["backbone"]["seeds"], rows["backbone"]["cost"]) == ([], None)
    base = done["evaluate-backbone"].read_json("results.json")
    for name in ("vanilla", "seq_kd"):
        each = [done[f"evaluate-{name}~{seed}"].read_json("results.json") for seed in (3, 5)]
        scores = [chrf(results) for results in each]
        found = rows[name]["translation"]["all"]["chrf++"]
        assert rows[name]["seeds"] == [3, 5]
        assert found["seeds"] == pytest.approx(scores)
        assert found["score"] == pytest.approx(fmean(scores))
        assert found["sd"] == pytest.approx(stdev(scores))
        assert found["delta"] == pytest.approx(fmean(scores) - chrf(base))
        kept = {}
        for family, ability in rows[name]["abilities"].items():
            passed = [shares(results, family) for results in each]
            assert ability["score"] == pytest.approx(fmean(passed))
            if shares(base, family):
                kept[family] = [100 * share / shares(base, family) for share in passed]
        assert rows[name]["retention"] == pytest.approx(fmean(fmean(some) for some in kept.values()))
        assert rows[name]["retention_seeds"] == pytest.approx(
            [fmean(some) for some in zip(*kept.values(), strict=True)]
        )
    pair = next(pair for pair in card["pairs"] if (pair["row"], pair["other"]) == ("vanilla", "seq_kd"))
    gap = rows["vanilla"]["translation"]["mean"] - rows["seq_kd"]["translation"]["mean"]
    assert pair["translation"]["delta"] == pytest.approx(gap)

    # Twice the examples in batches of twice the size; the seeds' adapters differ, and their examples are the same.
    vanilla, seq_kd = rows["vanilla"]["cost"], rows["seq_kd"]["cost"]
    assert (vanilla["examples"], seq_kd["examples"]) == (16, 32)
    assert vanilla["steps"] == seq_kd["steps"] == 4
    assert vanilla["generated_tokens"] == 0
    assert 16 <= seq_kd["generated_tokens"] <= 16 * 24
    assert 0 < seq_kd["generating_seconds"] <= finish_of(done["examples-seq_kd"])["seconds"]
    assert done["train-vanilla~3"].digest("adapter/*") != done["train-vanilla~5"].digest("adapter/*")
    for label in ("vanilla~3", "seq_kd~5"):
        assert (tmp_path / "runs" / "seeds" / "models" / label / "model.safetensors").is_file()
        assert len((tmp_path / "runs" / "seeds" / f"{label}.jsonl").read_text().splitlines()) == 4

    # One of the seeds alone is the same work under the plain titles: all but the report is done.
    alone = finished(path, "seeds=[5]")
    assert alone["train-vanilla"].name == done["train-vanilla~5"].name
    assert alone.keys() == {title.partition("~")[0] for title in done} - {"report"}


def test_a_run_without_a_pair_teaches_and_judges_another_skill(tmp_path: Path) -> None:
    path = written(tmp_path, PROGRAMS)
    dragoman("run", path)
    folder = tmp_path / "runs" / "programs"
    backbone, vanilla = json.loads((folder / "scorecard.json").read_text())["rows"]
    assert (vanilla["translation"], vanilla["abilities"], vanilla["retention"]) == (None, {}, None)
    assert vanilla["skills"]["programs"]["n"] == backbone["skills"]["programs"]["n"] == 3
    assert vanilla["skills"]["programs"]["delta"] is not None
    assert (vanilla["cost"]["examples"], vanilla["cost"]["steps"]) == (12, 3)
    assert "programs" in (folder / "report.html").read_text()
    assert (folder / "models" / "vanilla" / "model.safetensors").is_file()


DATA = {"train": {"corpus": "lab"}, "test": {"corpus": "lab"}}


def planned(*methods: dict[str, Any], **settings: Any) -> Recipe:
    return Recipe.model_validate({"name": "r", "backbone": "lab", "data": DATA, "methods": methods, **settings})


def test_titles_are_plain_unless_there_are_several_seeds() -> None:
    plain = ["data", "evaluate-backbone", "examples-vanilla", "train-vanilla", "merge-vanilla", "evaluate-vanilla"]
    for seeds in ((), (7,)):
        assert [stage.title for stage in stages(planned({"vanilla": {}}, seeds=seeds))] == [*plain, "report"]
    several = stages(planned({"vanilla": {}}, seeds=(0, 7)))
    seeded = [f"{kind}-vanilla~{seed}" for seed in (0, 7) for kind in ("train", "merge", "evaluate")]
    assert [stage.title for stage in several] == [*plain[:3], *seeded, "report"]
    assert several[-1].needs == ("data", "evaluate-backbone", "examples-vanilla", *seeded)
    assert [stage.needs for stage in several if stage.seed == 7] == [
        ("examples-vanilla",),
        ("train-vanilla~7",),
        ("data", "merge-vanilla~7"),
    ]


def test_each_seed_has_its_own_chain_of_rounds() -> None:
    made = stages(planned({"radis": {"refresh": True}}, seeds=(0, 7), training={"epochs": 2}))
    assert [(stage.title, stage.needs) for stage in made if stage.seed == 7] == [
        ("examples-radis~7@1", ("data",)),
        ("train-radis~7@1", ("examples-radis~7@1",)),
        ("examples-radis~7", ("data", "train-radis~7@1")),
        ("train-radis~7", ("examples-radis~7", "train-radis~7@1")),
        ("merge-radis~7", ("train-radis~7",)),
        ("evaluate-radis~7", ("data", "merge-radis~7")),
    ]
    assert titled("examples", "radis") not in {stage.title for stage in made}


def test_the_seed_and_the_batch_of_a_training() -> None:
    both = planned({"vanilla": {}}, {"seq_kd": {}}, training={"batch_size": 8, "seed": 4})
    assert training_of(both, "vanilla") == both.training
    assert training_of(both, "seq_kd").batch_size == 16
    assert training_of(both, "seq_kd", 9).seed == 9
    assert training_of(both.model_copy(update={"seeds": (6,)}), "vanilla").seed == 6
