"""What lm-evaluation-harness found becomes `Graded`: its own number, or a refusal."""

from typing import Any, cast

import pytest

from dragoman.errors import DataError
from dragoman.suites import Graded
from dragoman.suites.harness.messages import Found
from dragoman.suites.harness.results import graded, headline

# The shape of what the process writes, with numbers that the tests can work out.


def sample(doc: int, taken: str, **metrics: Any) -> dict[str, Any]:
    return {
        "doc": doc,
        "question": "q",
        "hash": f"{doc:064d}",
        "filter": taken,
        "answer": "a",
        "target": "t",
        "metrics": metrics,
    }


def written(name: str, specs: list[str], **more: Any) -> Found:
    tasks = list(more["samples"])
    found = {
        "asked": {"name": name, "suite": name, "specs": specs, "how": {"backend": "hf", "chat": "0123abcd"}},
        "lm_eval": "0.4.13",
        "groups": [],
        "subtasks": {},
        "versions": dict.fromkeys(tasks, 3.0),
        "shots": dict.fromkeys(tasks, 5),
        "better": {},
        "metrics": {},
        "cut": dict.fromkeys(tasks, 0),
        "shortened": dict.fromkeys(tasks, 0),
        "context": 1024,
        "settings": {},
    }
    return cast(Found, found | more)


def gsm8k() -> Found:
    samples = [sample(doc, "strict-match", exact_match=float(doc < 1)) for doc in range(4)]
    samples += [sample(doc, "flexible-extract", exact_match=float(doc < 3)) for doc in range(4)]
    results = {
        "alias": "gsm8k",
        "sample_len": 4,
        "exact_match,flexible-extract": 0.75,
        "exact_match_stderr,flexible-extract": 0.25,
        "exact_match,strict-match": 0.25,
        "exact_match_stderr,strict-match": 0.25,
    }
    return written("gsm8k", ["gsm8k"], samples={"gsm8k": samples}, results={"gsm8k": results}, cut={"gsm8k": 3})


def test_the_strict_score_of_gsm8k_with_the_other_beside() -> None:
    found = graded(gsm8k())
    assert found.score == 25.0
    assert [item.value for item in found.items] == [100.0, 0.0, 0.0, 0.0]
    assert (found.side, found.kept) == ("general", True)
    assert found.notes == {"prompt cut at its beginning": 3}
    assert found.facts["standard error"] == 25.0
    assert found.facts["versions"] == {"gsm8k": 3.0}
    assert found.facts["other metrics"]["exact_match,flexible-extract"] == 0.75
    assert found.signature.startswith(
        "exact_match|task:gsm8k|task-version:3.0|filter:strict-match|shots:5|backend:hf|chat:0123abcd|lm_eval:0.4.13|"
    )
    assert Graded.from_json(found.to_json()) == found


def test_items_that_do_not_come_to_the_score_are_refused() -> None:
    found = gsm8k()
    found["results"]["gsm8k"]["exact_match,strict-match"] = 0.3
    with pytest.raises(DataError, match="number of the whole corpus"):
        graded(found)


def ifeval() -> Found:
    samples = [
        sample(doc, "none", prompt_level_strict_acc=doc == 0, inst_level_strict_acc=[True, doc == 0])
        for doc in range(2)
    ]
    results = {"prompt_level_strict_acc,none": 0.5, "inst_level_strict_acc,none": 0.75}
    return written("ifeval", ["ifeval"], samples={"ifeval": samples}, results={"ifeval": results})


def test_ifeval_is_about_instructions() -> None:
    found = graded(ifeval())
    assert (found.side, found.score) == ("instruction", 50.0)
    assert found.facts["other metrics"]["inst_level_strict_acc,none"] == 0.75


def group(weighted: bool) -> Found:
    """Two tasks, of 1 and 3 documents: 100% of one and a third of the other."""
    samples = {
        "quiz_law": [sample(0, "none", acc=1.0)],
        "quiz_art": [sample(doc, "none", acc=float(doc == 0)) for doc in range(3)],
    }
    results = {
        "quiz": {"acc,none": 0.5 if weighted else 2 / 3, "acc_stderr,none": 0.2},
        "quiz_law": {"acc,none": 1.0, "acc_stderr,none": "N/A"},
        "quiz_art": {"acc,none": 1 / 3, "acc_stderr,none": 0.3},
    }
    subtasks = {"quiz": ["quiz_law", "quiz_art"]}
    return written("quiz", ["quiz"], samples=samples, results=results, groups=["quiz"], subtasks=subtasks)


def test_a_group_is_one_family_with_its_tasks_as_subjects() -> None:
    found = graded(group(weighted=True))
    assert found.score == 50.0
    assert [item.subject for item in found.items] == ["law", "art", "art", "art"]
    assert len({item.key for item in found.items}) == 4
    assert found.facts["score is"] == "the harness' own"


def test_where_tasks_count_alike_they_are_the_items() -> None:
    found = graded(group(weighted=False))
    assert found.score == pytest.approx(200 / 3)
    assert [(item.key, item.told["documents"]) for item in found.items] == [("quiz_law", 1), ("quiz_art", 3)]
    assert found.facts["items are"].startswith("tasks")


def test_a_group_with_another_kind_of_mean_is_refused() -> None:
    found = group(weighted=True)
    found["results"]["quiz"]["acc,none"] = 0.6
    with pytest.raises(DataError, match="mean neither over documents nor over tasks"):
        graded(found)


def test_a_tag_has_no_score_of_the_harness() -> None:
    found = group(weighted=True)
    found |= {"groups": [], "subtasks": {}}
    del found["results"]["quiz"]
    result = graded(found)
    assert (result.score, result.facts["score"]) == (50.0, None)
    assert "has none of these tasks" in result.facts["score is"]


def test_of_a_task_without_a_headline_the_first_metric_counts() -> None:
    samples = {"arc": [sample(0, "none", acc_norm=1.0, acc=0.0)]}
    found = written("arc", ["arc"], samples=samples, results={"arc": {"acc_norm,none": 1.0, "acc,none": 0.0}})
    assert headline(found) == "acc_norm,none"
    assert headline(found | {"metrics": {"arc": ["acc", "acc_norm"]}}) == "acc,none"


def test_what_is_better_the_less_there_is_is_refused() -> None:
    samples = {"lm": [sample(0, "none", perplexity=3.0)]}
    found = written("lm", ["lm"], samples=samples, results={"lm": {"perplexity,none": 3.0}})
    with pytest.raises(DataError, match="less is better"):
        graded(found | {"better": {"lm": {"perplexity": False}}})


def test_programs_are_a_skill() -> None:
    samples = {"humaneval": [sample(0, "create_test", **{"pass@1": 1.0})]}
    found = graded(
        written("humaneval", ["humaneval"], samples=samples, results={"humaneval": {"pass@1,create_test": 1.0}})
    )
    assert (found.side, found.kept, found.score) == ("skill", False, 100.0)
