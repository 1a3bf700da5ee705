"""A run with a row that learns to give the translation alone where it is asked to."""

import json
from collections.abc import Callable
from pathlib import Path

from dragoman.commands.recipes import of_model
from dragoman.commands.recipes import recipe as load
from dragoman.models.config import taught_alone
from dragoman.pipeline.models.speakers import speaker
from dragoman.pipeline.plan import open_store, plan
from dragoman.pipeline.run import run
from dragoman.pipeline.stages.examples import MakeExamples
from dragoman.pipeline.translate_file.lines import one_model
from dragoman.prompts.translation import ALONE
from dragoman.recipe.judging import Evaluation

RADIS = "boundary: exact, rationale: {max_tokens: 4}"
ROWS = f"methods=[radis: {{{RADIS}}}, radis: {{label: both, alone: 0.5, {RADIS}}}]"
QUICK = (ROWS, "evaluate=[translation]", "training.epochs=1")


def test_a_model_that_learnt_it_is_asked_so(tmp_path: Path, small_recipe: Callable[[Path], Path]) -> None:
    path = small_recipe(tmp_path)
    run(load(path, QUICK), say=lambda _: None)
    steps = {step.stage.title: step.artifact for step in plan(load(path, QUICK)).steps}
    examples = steps["examples-both"]
    assert examples is not None
    facts = MakeExamples.facts(examples)
    asked = facts["notes"]["asked for the translation alone"]
    assert 10 < asked < 40  # of 48
    assert facts["rationales"]
    assert facts["rationales"]["total"] == 48 - asked

    models = tmp_path / "runs" / "small" / "models"
    assert (taught_alone(models / "both"), taught_alone(models / "radis")) == (True, False)
    for name, alone in (("both", True), ("radis", False)):
        for words, wanted in (((), alone), (("evaluation.alone=true",), True), (("evaluation.alone=false",), False)):
            recipe = of_model(str(models / name), [*words, f"runs={tmp_path}"])
            speak = speaker(recipe, one_model(recipe, open_store(recipe, print)))
            assert speak.alone == wanted

    card = json.loads((tmp_path / "runs" / "small" / "scorecard.json").read_text())
    assert "asked:alone" not in json.dumps(card)  # a run asks as in the paper
    assert "beyond" in card["rows"][1]["translation"]

    run(load(path, (*QUICK, "evaluation.alone=true")), say=lambda _: None)
    again = {step.stage.title: step.artifact for step in plan(load(path, (*QUICK, "evaluation.alone=true"))).steps}
    assert {title for title in steps if again[title] != steps[title]} == {
        *("evaluate-backbone", "evaluate-radis", "evaluate-both", "report"),
    }
    card = json.loads((tmp_path / "runs" / "small" / "scorecard.json").read_text())
    for row in card["rows"]:
        told = row["translation"]
        signed = [told["all"]["chrf++"], told["rates"]["chatter"], told["beyond"]]
        assert all("asked:alone" in one["signature"] for one in signed)


def test_where_nothing_is_said_of_it_an_evaluation_is_named_as_before() -> None:
    assert "alone" not in Evaluation().deciding()
    assert Evaluation().deciding(but={"noise_seeds"}).keys() == Evaluation.model_fields.keys() - {
        "alone",
        "noise_seeds",
    }
    assert Evaluation(alone=False).deciding()["alone"] is False
    assert ALONE == ", and give only the translation"  # what models in the world were taught
