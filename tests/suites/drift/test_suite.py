"""Which texts drift is measured on, and which recipes can't have it measured."""

import json
from collections import Counter
from typing import Any

import pytest

from dragoman.corpora.records import Pair, Turn
from dragoman.generation.ask import Ask, Completion
from dragoman.prompts.examples import AnsweredPrompt
from dragoman.recipe.judging import Evaluation
from dragoman.recipe.schema import Recipe
from dragoman.suites import find, lacking
from dragoman.suites.drift.suite import Drift, DriftResult, Options, Texts
from tests.described import described
from tests.suites.letters import Letters, said

PAIRS = [Pair(f"Satz {number}", f"sentence {number}", "de", "en") for number in range(3)]
PAIRS += [Pair("sentence", "Satz", "en", "de"), Pair("ohne", "", "de", "en")]


class Referring(Letters):
    """A speaker that knows how a reference is given."""

    def referenced(self, record: Pair) -> AnsweredPrompt:
        return AnsweredPrompt(self.chat(record.source), self.chat(record.target))


def suite(**options: Any) -> Drift:
    return Drift("drift", Options(kind="drift", **options))


def test_prompts_are_the_probes_equally_many_of_each_family() -> None:
    probes, settings = find("probes"), Evaluation(seed=3, questions=100)
    found = suite().material(settings)
    assert len(found["texts"]) == len(set(found["keys"])) == 45
    asked, _ = probes.questions(0, settings)  # type: ignore[union-attr]
    families = {question.key: question.family for question in asked}
    assert set(Counter(families[key] for key in found["keys"]).values()) == {5}, "what the probes ask is asked again"
    assert found["keys"] != suite().material(Evaluation(seed=4))["keys"]
    assert set(suite(limit=9).material(settings)["keys"]) < set(found["keys"])
    lab = suite(prompts="lab", limit=4).material(settings)
    assert len(lab["texts"]) == 4
    assert not set(lab["keys"]) & set(found["keys"])


def test_the_backbone_answers_and_references_are_taken() -> None:
    turns = [[{"role": "user", "text": text, "input": ""}] for text in ("long, too long", "Hi", "Ho")]
    talk: Any = {"texts": ["long, too long", "Hi", "Ho"], "keys": ["a", "b", "c"], "turns": turns}
    speak = Referring(context=10)
    asking = suite(limit=3).ask(talk, PAIRS, speak, Evaluation(max_tokens=7))
    ask = next(asking)
    assert isinstance(ask, Ask)
    assert (ask.model, ask.sampling.max_tokens, ask.sampling.temperature) == ("backbone", 7, 0.0)
    assert list(ask.prompts) == [speak.turns([Turn("user", "Hi")]), speak.turns([Turn("user", "Ho")])]
    with pytest.raises(StopIteration) as stopped:
        asking.send([Completion((1, 2), "x", "stop"), said("")])
    found: Texts = stopped.value.value
    assert found.kinds["general"] == {"b": AnsweredPrompt(speak.chat("Hi"), (1, 2))}, "nothing said is no text"
    assert len(found.kinds["translation"]) == 3
    assert {pair.key for pair in PAIRS if pair.direction == "en-de"} < set(found.kinds["translation"])
    assert PAIRS[4].key not in found.kinds["translation"]


def recipe(**more: Any) -> Recipe:
    said = {"name": "x", "backbone": "lab", "evaluate": ["drift"], "compare": [{"model": "other/model"}], **more}
    return Recipe.model_validate({**said, "benchmarks": described(said.get("benchmarks", {}))})


def test_what_a_recipe_lacks() -> None:
    assert lacking(recipe()) == []
    (alone,) = lacking(recipe(compare=[]))
    assert "has no other row; name some under methods or compare" in alone
    (judged,) = lacking(recipe(benchmarks={"drift": {"kind": "drift", "prompts": "translation"}}))
    assert "whose prompts are those of a suite of questions" in judged
    twice = recipe(evaluate=["drift", "other"], benchmarks={"other": {"kind": "drift", "prompts": "lab"}})
    assert lacking(twice) == ["asks for drift more than once; keep one"]


def test_results_are_the_same_after_a_round_through_json() -> None:
    found = DriftResult("KL|x", {"general": {"a": (3.0, 0.5, 0.25)}})
    assert DriftResult.from_json(json.loads(json.dumps(found.to_json()))) == found
