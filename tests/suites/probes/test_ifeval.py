"""Instructions of IFEval's kinds: our checks and lm-evaluation-harness's checkers agree on right and wrong answers."""

import pytest

from dragoman.json_values import as_text
from dragoman.suites.harness.ifeval import CUT, Instructed, followed
from dragoman.suites.probes.files import FOLDER, Probe, probes
from dragoman.suites.questions.checks import check

pytest.importorskip("lm_eval", reason="lm-evaluation-harness is not installed")
pytest.importorskip("langdetect", reason="what its IFEval needs is not installed")

NAMED = [probe for probe in probes(FOLDER / "instructions.jsonl") if probe.ifeval]
KINDS = {as_text(one["id"]) for probe in NAMED for one in probe.ifeval}


def instructed(probe: Probe) -> Instructed:
    names = tuple(as_text(one["id"]) for one in probe.ifeval)
    given = tuple({key: value for key, value in one.items() if key != "id"} for one in probe.ifeval)
    return Instructed(probe.place, probe.question.turns[0].text, names, given, probe.place)


def disagreements(asked: list[Probe]) -> list[tuple[str, str]]:
    """Answers on which the two differ, with the places of their questions."""
    pairs = [(probe, answer) for probe in asked for answer in (*probe.right, probe.wrong)]
    theirs = followed([instructed(probe) for probe, _ in pairs], [answer for _, answer in pairs])
    verdicts = [verdict for (verdict,) in theirs["prompt_level_strict_acc"]]
    ours = [check(probe.question.check, answer).passed for probe, answer in pairs]
    assert {*ours} == {True, False}
    differ = zip(pairs, ours, verdicts, strict=True)
    return [(probe.place, answer) for (probe, answer), one, other in differ if one != other]


def test_almost_all_kinds_of_instructions_are_asked() -> None:
    from lm_eval.tasks.ifeval.instructions_registry import INSTRUCTION_DICT

    assert set(INSTRUCTION_DICT) - KINDS == {"language:response_language"}
    assert set(INSTRUCTION_DICT) >= KINDS


def test_the_harness_judges_alike() -> None:
    assert (
        disagreements([probe for probe in NAMED if not {as_text(one["id"]) for one in probe.ifeval} & set(CUT)]) == []
    )


def test_the_harness_judges_alike_where_nltk_cuts() -> None:
    import nltk

    try:
        nltk.data.find("tokenizers/punkt_tab/english/")
    except LookupError:
        pytest.skip("NLTK's punkt_tab is not on this machine")
    assert disagreements([probe for probe in NAMED if {as_text(one["id"]) for one in probe.ifeval} & set(CUT)]) == []
