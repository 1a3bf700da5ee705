"""MT-Bench with its judge behind a server that misbehaves, and is asked again."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from dragoman.errors import EngineError
from dragoman.generation.ask import Completion, Sampling
from dragoman.generation.door import Door, OpenModel, drive
from dragoman.generation.openai.engine import ServerEngine
from dragoman.lab import BACKBONE
from dragoman.models.config import context_of
from dragoman.pipeline.models.cast import Model
from dragoman.pipeline.models.speakers import judge_speaker
from dragoman.recipe.engines import Generation, Server
from dragoman.recipe.judging import Evaluation, Judge
from dragoman.suites import Graded
from dragoman.suites.mt_bench.suite import MtBench
from tests.generation.openai.servers import Ids, Misbehaving, written
from tests.suites.letters import asking
from tests.suites.mute import Mute

mt_bench = asking(MtBench)
SETTINGS = Evaluation(judge=Judge(model="org/judge"))
SINGLE = {"system": "", "template": "{question}/{answer}"}
BOTH = {"system": "", "template": "{question_1}/{answer_1}/{question_2}/{answer_2}"}
PROMPTS = {
    **dict.fromkeys(("single-v1", "single-math-v1"), SINGLE),
    **dict.fromkeys(("single-v1-multi-turn", "single-math-v1-multi-turn"), BOTH),
}
QUESTIONS = [
    {"id": number, "category": "humanities", "turns": [f"first {number}", f"second {number}"]}
    for number in range(101, 113)
]
MATERIAL = {"texts": [], "questions": QUESTIONS, "prompts": PROMPTS}


class Letters(Mute):
    """A speaker whose ids are the letters of the conversation, and a last one that depends on all of them."""

    context = None
    stop: Ids = (5,)

    def of(self, name: str) -> "Letters":
        return self

    def turns(self, turns: Any) -> Ids:
        letters = tuple(map(ord, "|".join(turn.text for turn in turns)))
        return (*letters, sum(letters) % 61)


class Parrot:
    """A model that answers with the number of letters it was asked with."""

    streams = False

    def __init__(self) -> None:
        self.asked = 0

    def complete(self, prompts: Sequence[Ids], sampling: Sampling) -> Iterator[tuple[int, Completion]]:
        for place, prompt in enumerate(prompts):
            self.asked += 1
            yield place, Completion((7, 5), f"I count {len(prompt)}.", "stop")

    def close(self) -> None:
        pass


@pytest.mark.parametrize("context", [131_072, None])
def test_a_judge_on_a_server_has_the_context_that_the_server_tells(context: int | None) -> None:
    backbone = Model("lab", BACKBONE, "", False)
    with Misbehaving(context=context) as server:
        generation = Generation(engine="openai", openai=Server(address=server.address))
        assert judge_speaker(backbone, Judge(generation=generation)).context == context
        own = judge_speaker(backbone, Judge(model="lab", generation=generation)).context
        assert own == judge_speaker(backbone).context == context_of(BACKBONE)


def verdict(ids: Sequence[int]) -> str:
    """What the server's tokens spell: a rating where the first is even, else nonsense."""
    return f"Rating: [[{1 + ids[0] % 7}]]" if ids[0] % 2 == 0 else "Indeed, a very fine answer!"


def judged(
    folder: Path, server: Misbehaving, parrot: Parrot, *, tolerate: float = 0.0, **more: Any
) -> tuple[Graded, list[str]]:
    """The suite through a door of its own; what it came to, and what the door said."""
    said: list[str] = []

    def judge() -> ServerEngine:
        settings = Server(address=server.address, **{"concurrency": 1, "retries": 0, "timeout": 5} | more)
        return ServerEngine(settings, decode=verdict, encode=lambda text: (9,), turns=lambda ids: (), say=said.append)

    models = {"judge": OpenModel("judge", judge), "radis": OpenModel("parrot", lambda: parrot)}
    with Door(folder, models.__getitem__, tolerate=tolerate, say=said.append) as door:
        (graded,) = drive(mt_bench("radis", MATERIAL, Letters(), SETTINGS), door)
    return graded, said


def asked_of(server: Misbehaving) -> list[Ids]:
    """The judge's prompts that were sent to the server, without what it was greeted with."""
    return [tuple(body["prompt"]) for body in server.bodies() if len(body.get("prompt", ())) > 9]


def test_nonsense_refusals_and_silence_are_counted_and_only_what_is_missing_is_asked_again(tmp_path: Path) -> None:
    parrot = Parrot()
    with Misbehaving() as server:
        whole, said = judged(tmp_path / "one", server, parrot)
        prompts = asked_of(server)
        assert (len(prompts), len(set(prompts)), parrot.asked) == (24, 24, 24)
        readable = sum(written(prompt)[0] % 2 == 0 for prompt in prompts)
        assert 0 < readable < 24
        assert whole.notes == {"no judgement": 24 - readable}
        rated = {prompt: 1 + written(prompt)[0] % 7 for prompt in prompts if written(prompt)[0] % 2 == 0}
        assert whole.score == pytest.approx(sum(rated.values()) / readable)

        server.faults = {prompts[0]: ["400*"], prompts[1]: ["400*"], prompts[2]: ["hang*"]}
        server.requests.clear()
        with pytest.raises(EngineError, match=r"3 of 24 prompts failed for good(.|\n)*All other answers are kept"):
            judged(tmp_path / "two", server, parrot, timeout=0.5)
        assert len(asked_of(server)) == 24

        server.requests.clear()
        some, said = judged(tmp_path / "two", server, parrot, timeout=0.5, tolerate=0.2)
        assert sorted(asked_of(server)) == sorted(prompts[:3])
        assert "21 of 24 were in the cache" in said[0]
        assert some.notes == {
            "judge failed": 3,
            "no judgement": sum(written(prompt)[0] % 2 for prompt in prompts[3:]),
        }
        assert some.score == pytest.approx(
            sum(rated.get(prompt, 0) for prompt in prompts[3:]) / (21 - some.notes["no judgement"])
        )

        server.faults.clear()
        server.requests.clear()
        healed, _ = judged(tmp_path / "two", server, parrot)
        assert sorted(asked_of(server)) == sorted(prompts[:3])
        assert healed == whole
        assert parrot.asked == 48  # the model's own answers were asked for once in each folder


class Mortal(Misbehaving):
    """Answers so many prompts of the judge, and nothing after that."""

    left: float = 5

    def __enter__(self) -> "Mortal":
        super().__enter__()
        return self

    def fault(self, path: str, body: dict[str, Any]) -> str:
        if len(body.get("prompt", ())) > 9:
            self.left -= 1
        return "drop" if self.left < 0 else ""


def test_a_judge_that_disappears_loses_nothing_that_it_said(tmp_path: Path) -> None:
    parrot = Parrot()
    with Mortal() as server:
        with pytest.raises(EngineError, match=r"answers no more: 16 requests in a row got nothing"):
            judged(tmp_path, server, parrot)
        server.left = float("inf")
        server.requests.clear()
        graded, _ = judged(tmp_path, server, parrot)
        assert len(asked_of(server)) == 24 - 5
    assert parrot.asked == 24
    assert all("judgement" in item.told for item in graded.items)


def test_a_judge_that_talks_nonsense_alone_gives_no_score(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "verdict", lambda ids: "Rating: eight")
    with Misbehaving() as server:
        graded, _ = judged(tmp_path, server, Parrot())
    assert (graded.score, graded.notes) == (None, {"no judgement": 24})
    assert "turn 1" not in graded.facts
