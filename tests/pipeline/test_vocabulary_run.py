"""Rows with a larger vocabulary: what is planned, refused, and what a run makes of them and of the rows after them."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoTokenizer

from dragoman.commands.recipes import recipe as load
from dragoman.errors import RecipeError
from dragoman.models.config import read_config
from dragoman.pipeline.analyses.gradients_and_drift import drift, gradients
from dragoman.pipeline.analyses.options import DriftOptions, GradientsOptions
from dragoman.pipeline.forecast.cost import Reckoning
from dragoman.pipeline.plan import plan, stages
from dragoman.pipeline.rows import settings_of
from dragoman.pipeline.stages.extend import Extend
from dragoman.store import Artifact
from tests.pipeline.running import artifacts, dragoman

Write = Callable[[Path], Path]
TEXTS = "data.texts=[{corpus: lab-texts, language: de, limit: 60}]"
PIECES = "vocabulary: {pieces: 30, languages: [de]}"
ROWS = f"methods=[{{pretrain: {{label: german, block: 64, {PIECES}}}}}, {{vanilla: {{after: german}}}}]"
RUN = (TEXTS, ROWS, "evaluate=[translation, lab, drift]", "training.epochs=1")


def needs(path: Path, *overrides: str) -> dict[str, tuple[str, ...]]:
    return {stage.title: stage.needs for stage in stages(load(path, overrides))}


def done(path: Path) -> dict[str, Artifact]:
    return {step.stage.title: step.artifact for step in plan(load(path, RUN)).steps if step.artifact}


def test_the_larger_model_is_what_a_row_starts_from(small_recipe: Write, tmp_path: Path) -> None:
    path = small_recipe(tmp_path)
    found = needs(path, TEXTS, ROWS)
    assert found["extend-german"] == ("data",)
    assert found["examples-german"] == ("data", "extend-german")
    assert found["train-german"] == ("examples-german", "extend-german")
    assert found["merge-german"] == ("train-german", "extend-german")
    assert found["train-vanilla"] == ("examples-vanilla", "merge-german")
    later = "methods=[vanilla, {keep: {after: vanilla, scale: 1, vocabulary: {pieces: 30}}}]"
    seeded = needs(path, later, "seeds=[0, 1]")
    assert seeded["extend-keep~1"] == ("data", "merge-vanilla~1")
    assert seeded["train-keep~1"][-1] == "extend-keep~1"
    assert needs(path, TEXTS, ROWS, "seeds=[0, 1]")["train-german~1"][-1] == "extend-german"  # one of both seeds


def test_new_rows_are_trained_unless_it_is_said_otherwise(small_recipe: Write, tmp_path: Path) -> None:
    path = small_recipe(tmp_path)
    assert settings_of(load(path, [TEXTS, ROWS]), "german").embeddings is True
    assert settings_of(load(path, [TEXTS, ROWS]), "vanilla").embeddings is None
    for said in ("new", "false"):
        own = settings_of(load(path, [TEXTS, ROWS, f"methods.0.pretrain.training.embeddings={said}"]), "german")
        assert own.embeddings == {"new": "new", "false": False}[said]
    plain = load(path, ["training.embeddings=false"]).training.deciding()
    assert "embeddings" not in plain  # what was trained before keeps its name
    assert load(path, ["training.embeddings=true"]).training.deciding()["embeddings"] is True


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("{vanilla: {vocabulary: {pieces: 30, languages: [zz]}}}", "no texts and no pairs in 'zz'"),
        ("{vanilla: {vocabulary: {pieces: 30}, scale: 0.5}}", "no strength but 1; write `scale: 1`"),
        ("{vanilla: {training: {embeddings: true}, scale: 0.5}}", "no strength but 1; write `scale: 1`"),
        ("{vanilla: {training: {embeddings: new}}}", "give the row a `vocabulary`, or take `true`"),
        ("{vanilla: {vocabulary: {pieces: 0}}}", "pieces"),
    ],
)
def test_what_can_not_be_is_said(small_recipe: Write, tmp_path: Path, row: str, why: str) -> None:
    with pytest.raises(RecipeError) as error:
        load(small_recipe(tmp_path), [f"methods=[{row}]"])
    assert why in str(error.value)


def test_other_tokens_are_not_compared_with_the_backbone_s(small_recipe: Write, tmp_path: Path) -> None:
    said = load(small_recipe(tmp_path), [TEXTS, ROWS])
    for measure in (lambda: drift(said, DriftOptions()), lambda: gradients(said, GradientsOptions(rows=("vanilla",)))):
        with pytest.raises(RecipeError, match="vanilla: a larger vocabulary than the backbone's"):
            measure()


def test_the_work_is_foreseen(small_recipe: Write, tmp_path: Path) -> None:
    reckoning = Reckoning(plan(load(small_recipe(tmp_path), RUN)))
    foreseen = {step.stage.title: reckoning.cost(step.stage).work for step in reckoning.plan.steps}
    assert foreseen["extend-german"] == "30 pieces learnt from texts and pairs in de, for the backbone"


@pytest.mark.slow
def test_a_larger_vocabulary_is_trained_merged_judged_and_goes_on(small_recipe: Write, tmp_path: Path) -> None:
    path = small_recipe(tmp_path)
    said = dragoman("run", path, *RUN)
    made = done(path)
    assert {"extend-german", "merge-german", "evaluate-german", "merge-vanilla", "report"} <= made.keys()
    facts = Extend.facts(made["extend-german"])
    assert facts["tokens_after"] < facts["tokens_before"]
    assert "30 new pieces" in said
    folders = {title: made[title].folder / "model" for title in ("extend-german", "merge-german", "merge-vanilla")}
    for folder in folders.values():
        assert read_config(folder)["vocab_size"] == facts["rows_after"] == facts["rows_before"] + 30
        assert len(AutoTokenizer.from_pretrained(folder)) == facts["first"] + 30
    weights = {title: load_file(folder / "model.safetensors") for title, folder in folders.items()}
    (name,) = [name for name in weights["extend-german"] if "embed" in name and "position" not in name][:1]
    before, trained, after = (one[name] for one in weights.values())
    assert not torch.equal(before[facts["first"] :], trained[facts["first"] :])
    assert torch.equal(trained, after)  # the row after trains none, and keeps what was learnt
    assert "german has no drift: its vocabulary is not the backbone's." in " ".join(said.split())
    assert "vocabulary of german" in (tmp_path / "runs" / "small" / "report.html").read_text(encoding="utf-8")
    kept = artifacts(tmp_path / "runs")
    assert "done before" in dragoman("run", path, *RUN)
    assert artifacts(tmp_path / "runs") == kept
    fewer = ROWS.replace("pieces: 30", "pieces: 20")
    todo = [step.stage.title for step in plan(load(path, (TEXTS, fewer, *RUN[2:]))).steps if not step.artifact]
    assert {"extend-german", "merge-german"} <= {*todo}
    assert "evaluate-backbone" not in todo
