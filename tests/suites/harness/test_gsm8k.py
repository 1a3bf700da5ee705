"""GSM8K is read as lm-evaluation-harness reads it, by its own code on the real test set."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from dragoman.suites.harness.gsm8k import INVALID, READINGS, STOPS, VERSION, equal, flexible, strict

WAYS = (
    "{solution}",
    "Let me think.\n\n{solution}\n\nI hope this helps!",
    "The answer is **${number}.00**.",
    "So there are {number}.",
    "#### {number}\n\nQuestion: How many?\nAnswer: #### 12345",
    "#### -{number}",
    "First #### 1, no: #### {number}",
    "I'd say about 7 or 8, or {number} dollars.",
    "#### ${number}",
    "####{number}",
    "Nothing comes to mind.",
    "",
    "It costs $ .",
    "{number}</s>99",
)


@pytest.fixture(scope="module")
def harness() -> dict[str, Any]:
    if importlib.util.find_spec("lm_eval") is None:
        pytest.skip("lm-evaluation-harness is not installed")
    from lm_eval import tasks

    config: dict[str, Any] = yaml.safe_load((Path(tasks.__file__).parent / "gsm8k/gsm8k.yaml").read_text("utf-8"))
    return config


def test_verdicts_are_those_of_the_harness(harness: dict[str, Any], real_data: Path) -> None:
    from lm_eval.api.metrics import exact_match_hf_evaluate
    from lm_eval.filters.extraction import RegexFilter

    assert str(harness["metadata"]["version"]) == VERSION
    assert tuple(harness["generation_kwargs"]["until"]) == STOPS
    (metric,) = harness["metric_list"]
    lines = (real_data / "gsm8k/test.jsonl").read_text("utf-8").split("\n")
    solutions = [json.loads(line)["answer"] for line in lines if line]
    said = []
    for at, solution in enumerate(solutions):
        number = solution.rsplit("#### ")[1] if at % 5 else "31,415"
        said.append(WAYS[at % len(WAYS)].format(solution=solution, number=number))
    stopped = said
    for stop in STOPS:
        stopped = [text.split(stop)[0] for text in stopped]
    for filters in harness["filter_list"]:
        first, second = filters["filter"]
        assert second == {"function": "take_first"}
        assert first.pop("function") == "regex"
        theirs = [found[0] for found in RegexFilter(**first).apply([[text] for text in stopped], [])]
        ours = [READINGS[filters["name"]](text) for text in said]
        assert ours == theirs
        verdicts = [equal(one, solution) for one, solution in zip(ours, solutions, strict=True)]
        rules = {"regexes_to_ignore": metric["regexes_to_ignore"], "ignore_case": metric["ignore_case"]}
        assert verdicts == [
            bool(exact_match_hf_evaluate([one], [solution], **rules)["exact_match"])
            for one, solution in zip(theirs, solutions, strict=True)
        ]
        assert 0 < sum(verdicts) < len(verdicts)


def test_the_two_readings() -> None:
    said = "That makes 3 + 4 = 7.\n#### 7,000.\nOr $9."
    assert (strict(said), flexible(said)) == ("7,000.", "$9.")
    assert equal("7,000.", "so\n#### 7000")
    assert equal("$9.", "#### 9")
    assert not equal(INVALID, "#### 9")
    assert strict("The answer is 7") == INVALID
    assert flexible("none") == INVALID
    assert flexible("It is 5. Question: 6") == "5."
