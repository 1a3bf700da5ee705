"""Recipes of plain text, run whole: what is measured, drawn, trained, validated and merged."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dragoman.commands.recipes import recipe
from dragoman.pipeline.forecast.cost import Reckoning
from dragoman.pipeline.plan import plan
from dragoman.pipeline.stages.data import MakeData
from dragoman.pipeline.stages.examples import MakeExamples
from dragoman.pipeline.stages.merge import Merge
from dragoman.pipeline.stages.train import Train
from dragoman.prompts.examples import ExampleTable
from dragoman.store import Artifact
from tests.pipeline.running import artifacts, dragoman

DATA = """data={
  texts: [
    {corpus: lab-texts, language: de, limit: 40, dev: 0.2},
    {corpus: lab-texts, language: it, limit: 20},
    {pairs: {corpus: lab, directions: [de-en], limit: 20}}],
  mixture: {temperature: 2, by: tokens, stop: all}}"""
ALONE = (
    *(DATA.replace("\n", " "), "methods=[{pretrain: {block: 64}}]", "training.keep=best", "training.validate_every=5"),
    *("evaluate=[lab]", "training.learning_rate=1e-2"),
)


def done(path: Path, *overrides: str) -> dict[str, Artifact]:
    return {step.stage.title: step.artifact for step in plan(recipe(path, overrides)).steps if step.artifact}


def test_texts_alone_are_learnt_validated_and_merged(small_recipe: Callable[[Path], Path], tmp_path: Path) -> None:
    path = small_recipe(tmp_path)
    reckoning = Reckoning(plan(recipe(path, ALONE)))
    foreseen = {step.stage.title: reckoning.cost(step.stage).work for step in reckoning.plan.steps}
    assert "texts (de, de-en, it), read and checked" in foreseen["data"]
    assert "nothing to generate" in foreseen["examples-pretrain"]
    assert "validations on 8 texts" in foreseen["train-pretrain"]
    said = dragoman("merge", path, *ALONE)
    found = done(path, *ALONE)
    facts = MakeData.facts(found["data"])
    assert set(facts["texts"]) == {"lab-texts de", "lab-texts it", "lab de-en"}
    assert facts["dev_texts"]["lab-texts de"] == 40 - len(
        {line["text"] for line in lines(found["data"], "texts.jsonl") if line["language"] == "de"}
    )
    assert f"{sum(facts['texts'].values()):,} texts" in said
    table = ExampleTable(found["examples-pretrain"].folder / "examples")
    assert table.lengths.max() <= 64
    assert set(table.trained()[0]) == {"text", "end"}
    trained = Train.facts(found["train-pretrain"])
    assert trained["validation"]["of"] == "texts"
    losses = dict(trained["validation"]["losses"])
    assert trained["validation"]["kept"] == min((step for step in losses if step), key=lambda step: losses[step])
    assert losses[max(losses)] < losses[0]
    assert "on dev texts" in said
    assert Merge.facts(found["merge-pretrain"])["agreement"] > 0.9
    before = artifacts(tmp_path / "runs")
    assert "done before" in dragoman("merge", path, *ALONE)
    assert artifacts(tmp_path / "runs") == before


def lines(data: Artifact, name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (data.folder / name).read_text(encoding="utf-8").splitlines()]


def test_a_merged_model_is_compared_on_texts_where_nothing_is_asked(
    small_recipe: Callable[[Path], Path], tmp_path: Path
) -> None:
    path = small_recipe(tmp_path)
    alone = ("data={texts: [{corpus: lab-texts, language: de, limit: 30}]}", "methods=[pretrain]")
    dragoman("merge", path, *alone, "evaluate=[drift]")
    facts = Merge.facts(done(path, *alone, "evaluate=[drift]")["merge-pretrain"])
    assert facts["prompts"] == 16
    assert facts["agreement"] > 0.9


def test_documents_above_a_perplexity_are_left_out(
    small_recipe: Callable[[Path], Path], tiny_backbone: Path, tmp_path: Path
) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    documents = ["Der Hund schläft.", "Die Frau liest ein Buch.", "x y z 1 2 3", "Il cane dorme sul divano."] * 2
    documents = [f"{text} {number}" for number, text in enumerate(documents)]
    (tmp_path / "a.txt").write_text("\n".join(documents), encoding="utf-8")
    model, tokenizer = (kind.from_pretrained(tiny_backbone) for kind in (AutoModelForCausalLM, AutoTokenizer))
    expected = []
    for text in documents:
        ids = torch.tensor([[tokenizer.bos_token_id, *tokenizer(text, add_special_tokens=False)["input_ids"]]])
        expected.append(float(torch.exp(model(input_ids=ids, labels=ids).loss.detach())))
    threshold = float(np.median(expected))
    path = small_recipe(tmp_path)
    said = f"{{file: {tmp_path / 'a.txt'}, language: de, max_perplexity: {threshold}, perplexity_of: {tiny_backbone}}}"
    data = (f"data={{texts: [{said}]}}", "methods=[pretrain]", "evaluate=[drift]")
    dragoman("generate", path, *data)
    found = done(path, *data)
    taken = {line["text"] for line in lines(found["data"], "texts.jsonl")}
    assert taken == {text for text, perplexity in zip(documents, expected, strict=True) if perplexity <= threshold}
    (measured,) = found["data"].folder.glob("measures/*/*.npy")
    assert np.load(measured)[:, 1] == pytest.approx(expected, rel=1e-3)
    assert MakeExamples.facts(found["examples-pretrain"])["examples"] == len(taken)


def test_rows_of_pairs_and_of_texts_do_not_see_each_other_s(
    small_recipe: Callable[[Path], Path], tmp_path: Path
) -> None:
    path = small_recipe(tmp_path)
    both = (
        "data.texts=[{corpus: lab-texts, language: de, limit: 30}]",
        "methods=[vanilla, {pretrain: {limit: 9}}, {vanilla: {label: after, after: pretrain}}]",
    )
    dragoman("train", path, *both)
    found = done(path, *both)
    counts = {row: MakeExamples.facts(found[f"examples-{row}"]) for row in ("vanilla", "pretrain", "after")}
    assert counts["vanilla"]["trained"].keys() == {"prompt", "reference", "end"}
    assert counts["pretrain"]["trained"].keys() == {"text", "end"}
    assert counts["pretrain"]["examples"] == 9
    assert counts["pretrain"]["notes"] == {"documents in de": 9, "left out: over the row's limit": 21}
    fewer = done(path, *both, "data.train.limit=20")
    assert "examples-vanilla" not in fewer  # the data are to be made anew
