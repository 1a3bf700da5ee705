"""The probes themselves: every answer that should pass does, every wrong one fails, and no two ask the same."""

import json
import re
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest

from dragoman.errors import DataError
from dragoman.suites.probes.files import Probe, files, of_half, probes
from dragoman.suites.probes.suite import FAMILIES
from dragoman.suites.questions.checks import check
from tests import ROOT

ALL = [probe for path in files() for probe in probes(path)]
ALIKE = 0.8  # of the words of two prompts, from which on they are too much alike
CLOSED = ("facts", "reading", "arithmetic", "refusal", "harmless")  # what answers them does not stand in the question


def asked(probe: Probe) -> str:
    return "\n".join(turn.text for turn in probe.question.turns)


def words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.casefold()))


def judged_amiss(path: Path) -> list[tuple[str, str]]:
    """Right answers of a file that fail their checks and wrong ones that pass, each with its place."""
    faults = []
    for probe in probes(path):
        faults += [(probe.place, one) for one in probe.right if not check(probe.question.check, one).passed]
        if check(probe.question.check, probe.wrong).passed:
            faults.append((probe.place, probe.wrong))
    return faults


def test_every_family_is_a_file_of_its_own() -> None:
    assert {path.stem for path in files()} <= FAMILIES.keys()
    assert {path.stem: {probe.question.family for probe in probes(path)} for path in files()} == {
        path.stem: {path.stem} for path in files()
    }


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_right_answers_pass_and_wrong_ones_fail(path: Path) -> None:
    assert [probe.place for probe in probes(path) if not probe.right] == []
    assert judged_amiss(path) == []


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_no_two_prompts_are_alike(path: Path) -> None:
    texts = [
        (probe.place, words(asked(probe).split("\n\n")[-1])) for probe in probes(path)
    ]  # the question after a text
    alike = [
        (one, other)
        for (one, ours), (other, theirs) in combinations(texts, 2)
        if len(ours & theirs) > ALIKE * len(ours | theirs)
    ]
    assert alike == []


@pytest.mark.parametrize("path", [path for path in files() if path.stem in CLOSED], ids=lambda path: path.stem)
def test_what_repeats_the_question_is_no_answer(path: Path) -> None:
    asks = [(probe, asked(probe)) for probe in probes(path)]
    said = [(probe, text) for probe, whole in asks for text in {whole, whole.split("\n\n")[-1]}]
    assert [probe.place for probe, text in said if check(probe.question.check, text).passed] == []


def test_a_text_is_read_in_one_half_alone() -> None:
    texts = {
        half: {asked(one).rsplit("\n\n", 1)[0] for one in ALL if asked(one).count("\n\n") > 1 and one.half == half}
        for half in "ab"
    }
    assert texts["a"] & texts["b"] == set()
    assert min(map(len, texts.values())) >= 18


def test_nothing_is_asked_twice() -> None:
    keys = Counter(" ".join(re.findall(r"\w+", asked(probe).casefold())) for probe in ALL)
    assert [text for text, many in keys.items() if many > 1] == []


def test_the_halves_have_as_many_of_each_family_and_share_none() -> None:
    ours, held_out = of_half("a"), of_half("b")
    here, there = (Counter(one.family for one in half) for half in (ours, held_out))
    assert {
        family: abs(here[family] - there[family]) for family in here | there if abs(here[family] - there[family]) > 1
    } == {}
    assert {one.key for one in ours} & {one.key for one in held_out} == set()
    assert len(ours) + len(held_out) == len(ALL)


def test_the_page_says_how_many_there_are() -> None:
    page = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
    said = {
        name: (int(ours), int(out)) for name, ours, out in re.findall(r"\| `([\w-]+)` .*\| (\d+) \+ (\d+) \|", page)
    }
    ours, held_out = (Counter(one.family for one in half) for half in (of_half("a"), of_half("b")))
    assert said == {family: (ours[family], held_out[family]) for family in FAMILIES}


def test_the_pages_examples_are_questions_of_the_first_half() -> None:
    page = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
    shown = [json.loads(line) for line in page.splitlines() if line.startswith('{"family": "')]
    assert [one["family"] for one in shown] == list(FAMILIES)
    for one in shown:
        text = one.get("prompt") or "\n".join(turn["text"] for turn in one["turns"])
        begin, _, end = text.partition(" … ")
        found = [probe for probe in ALL if asked(probe).startswith(begin) and asked(probe).endswith(end)]
        assert (one["family"], "a") in {(probe.question.family, probe.half) for probe in found}


def test_what_is_wrong_in_a_file_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "facts.jsonl"
    sound = {"family": "facts", "half": "a", "prompt": "1 + 1?", "answer": "2", "wrong": "3"}
    lines = [sound, {**sound, "half": "c", "prompt": "1 + 2?"}, {**sound, "half": "b"}]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    with pytest.raises(DataError) as error:
        probes(path)
    assert str(error.value).split("\n") == [
        f"{path}, line 2: 'half' must be a or b, and 'wrong' some text",
        f"{path}, line 3: the question stands further up as well. Each is asked once: take one of them out",
    ]


def test_a_key_that_its_own_check_refuses_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "facts.jsonl"
    line = {"family": "facts", "half": "a", "prompt": "1 + 1?", "check": {"name": "number", "arguments": {"value": 2}}}
    path.write_text(json.dumps({**line, "answer": "It is 2.", "wrong": "The answer is 2."}), encoding="utf-8")
    assert judged_amiss(path) == [(f"{path}, line 1", "It is 2."), (f"{path}, line 1", "The answer is 2.")]
