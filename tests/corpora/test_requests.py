"""The requests that come with the package: of many kinds, no two alike, and nothing that the probes ask."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path

import pytest

from dragoman.corpora import catalog
from dragoman.corpora.formats.conversations.prompts import read as prompts
from dragoman.recipe.judging import Benchmark
from dragoman.suites import available
from dragoman.suites._suite import Suite
from dragoman.suites.harness.tasks import KNOWN
from dragoman.suites.probes.files import files, probes
from tests import SOURCE

FOLDER = SOURCE / "corpora" / "requests"
KINDS = {
    "daily": "advice brainstorm cooking explain follow-up planning rewriting smalltalk summary travel writing",
    "topics": (
        "classification code health history language maths refusal science stories tables-and-formats technology work"
    ),
}
FEWEST_OF_A_KIND, FEWEST = 60, 1500
ALIKE = 0.5  # of the word 3-grams of two requests, from which on they are too much alike
RUN = 13  # words in a row that no probe may have too
LONGEST = 140  # words


@dataclass(frozen=True)
class Asked:
    place: str
    kind: str
    turns: tuple[tuple[str, str], ...]

    @property
    def first(self) -> str:
        return self.turns[0][1]

    @property
    def users(self) -> list[str]:
        return [text for role, text in self.turns if role == "user"]

    @property
    def whole(self) -> str:
        return "\n".join(text for _, text in self.turns)


def asked(place: str, line: str) -> Asked:
    record = json.loads(line)
    assert record.keys() == {"kind", "messages"}, place
    assert all(message.keys() == {"role", "content"} for message in record["messages"]), place
    return Asked(place, record["kind"], tuple((turn["role"], turn["content"]) for turn in record["messages"]))


@cache
def everything() -> Mapping[str, Sequence[Asked]]:
    return {
        path.stem: [
            asked(f"{path.name}, line {number}", line)
            for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        ]
        for path in sorted(FOLDER.glob("*.jsonl"))
    }


@cache
def requests() -> Sequence[Asked]:
    return [one for part in everything().values() for one in part]


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def runs(text: str, length: int) -> set[tuple[str, ...]]:
    """Its runs of so many words; the whole text if it is shorter."""
    said = words(text)
    return {tuple(said[at : at + length]) for at in range(max(1, len(said) - length + 1))}


def alike(texts: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The places of two texts that share too many of their 3-grams."""
    of = {place: runs(text, 3) for place, text in texts}
    holders = defaultdict(list)
    for place, found in of.items():
        for run in found:
            holders[run].append(place)
    shared = Counter(pair for places in holders.values() for pair in combinations(places, 2))
    return [(one, other) for (one, other), n in shared.items() if n >= ALIKE * (len(of[one]) + len(of[other]) - n)]


def test_every_kind_is_there() -> None:
    assert everything().keys() == KINDS.keys()
    for name, part in everything().items():
        counts = Counter(one.kind for one in part)
        assert counts.keys() == set(KINDS[name].split()), name
        assert [kind for kind, count in counts.items() if count < FEWEST_OF_A_KIND] == []
    assert len({one.kind for one in requests()}) >= 20
    assert len(requests()) >= FEWEST


def test_every_conversation_takes_turns_and_ends_with_the_users() -> None:
    for one in requests():
        roles = [role for role, _ in one.turns]
        assert roles == ["user", *["assistant", "user"] * (len(roles) // 2)], one.place
        assert all(text and text == text.strip() for _, text in one.turns), one.place
        if one.kind == "follow-up":
            assert len(roles) in (3, 5), one.place


def test_lengths() -> None:
    lengths = [len(one.whole.split()) for one in requests()]
    assert min(lengths) >= 5
    assert max(lengths) <= LONGEST
    assert sum(length < 15 for length in lengths) > len(lengths) / 5
    assert sum(length > 50 for length in lengths) > len(lengths) / 20


def test_no_two_are_alike() -> None:
    counts = Counter(" ".join(words(one.whole)) for one in requests())
    counts.update(" ".join(words(one.first)) for one in requests() if len(one.turns) > 1)
    assert [text for text, count in counts.items() if count > 1] == []
    assert alike((one.place, one.whole) for one in requests()) == []


def test_likeness_is_seen() -> None:
    texts = {
        "a": "How long do I boil an egg if I want it soft?",
        "b": "how long do i boil an egg, if i want it hard",
        "c": "How long do I have to wait?",
    }
    assert alike(texts.items()) == [("a", "b")]


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_nothing_is_a_probes(path: Path) -> None:
    """Neither what it asks nor what is said before, and no run of its words."""
    texts = [turn.text for probe in probes(path) for turn in probe.question.turns]
    wholes = {" ".join(words(text)) for text in texts}
    known = {run for text in texts for run in runs(text, RUN) if len(run) == RUN}
    for one in requests():
        assert not [text for text in one.users if " ".join(words(text)) in wholes], one.place
        assert not known & {run for _, text in one.turns for run in runs(text, RUN)}, one.place
    assert wholes


def test_the_catalogue_has_them_all() -> None:
    entry = catalog.find("requests")
    parts = entry.of("prompts")
    read = [one for part in parts for path in part.paths for one in prompts(catalog.local(entry, path), "", Counter())]
    assert [part.records for part in parts] == [len(part) for part in everything().values()]
    assert [one.kind for one in read] == [one.kind for one in requests()]
    assert {kind for some in KINDS.values() for kind in some.split()} == {one.kind for one in read}


@pytest.mark.parametrize("suite", [suite for suite in available().values() if not suite.__abstractmethods__])
def test_kinds_that_suites_call_near_are_there(suite: type[Suite]) -> None:
    kinds = {kind for some in KINDS.values() for kind in some.split()}
    named = KNOWN if suite.kind == "harness" else [suite.kind]
    options = (suite.takes or Benchmark).model_construct(kind=suite.kind)
    assert {kind for name in named for kind in suite(name, options).near()} <= kinds
