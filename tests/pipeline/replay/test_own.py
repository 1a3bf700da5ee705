"""The backbone's own prompts, drawn from written probabilities."""

import math
from collections import Counter
from collections.abc import Callable

import pytest

from dragoman.corpora.records import Request
from dragoman.errors import DataError
from dragoman.generation.ask import Ask, Completion
from dragoman.lab import BACKBONE
from dragoman.pipeline.replay.own import LIKELY, own_prompts
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker


@pytest.fixture(scope="module")
def speak() -> Speaker:
    return Speaker(Renderer.load(BACKBONE))


def drawn(
    speak: Speaker, count: int, likely: dict[int, float], rest: Callable[[int], tuple[str, bool]], seed: int = 0
) -> tuple[list[Request], Counter[str], list[Ask]]:
    """What comes of a model in which these tokens are likely everywhere, and which goes on with a text for each
    beginning and ends it, or does not.
    """
    dropped: Counter[str] = Counter()
    making = own_prompts(count, seed, speak, dropped)
    asks, ask = [], next(making)
    try:
        while True:
            asks.append(ask)
            if ask.sampling.logprobs:
                logprobs = tuple((token, math.log(chance)) for token, chance in likely.items())
                ask = making.send([Completion((1,), "", "length", (logprobs,))] * len(ask.prompts))
            else:
                ask = making.send([written(speak, *rest(at)) for at in range(len(ask.prompts))])
    except StopIteration as end:
        return end.value, dropped, asks


def written(speak: Speaker, text: str, ended: bool) -> Completion:
    ids = speak.renderer.encode(text)
    return Completion((*ids, speak.stop[0]), text, "stop") if ended else Completion(ids, text, "length")


def words(speak: Speaker) -> list[int]:
    """Tokens to begin with: one letter each."""
    return [speak.renderer.encode(letter)[0] for letter in "ABCDEFGHIJKLMNOPQRST"]


def test_prompts_begin_where_the_user_begins(speak: Speaker) -> None:
    likely = dict.fromkeys(words(speak), 1 / LIKELY)
    prompts, dropped, asks = drawn(speak, 50, likely, lambda at: (" is it?", True))
    opening = speak.renderer.opening[0]
    whole = speak.chat("A is it?")
    assert whole[: len(opening)] == opening
    assert whole[len(opening)] == words(speak)[0]
    assert asks[0].prompts == [opening]
    assert all(1 < len(ask.prompts) <= 20 for ask in asks[1:-1])  # beginnings that several draws have
    assert len(asks[-1].prompts) == len(set(asks[-1].prompts)) == 50  # each draw has another beginning in the end
    assert asks[-1].sampling.temperature == 1
    assert not dropped
    assert all(request.turns[-1].text.endswith(" is it?") and request.origin == "own" for request in prompts)


def test_the_likelier_a_beginning_the_more_often_it_is_drawn(speak: Speaker) -> None:
    first, *others = words(speak)
    likely = {first: 0.8, **dict.fromkeys(others, 0.1 / len(others))}  # and a tenth is left for what is not among them
    prompts, _, _ = drawn(speak, 400, likely, lambda at: ("?", True))
    with_first = sum(request.turns[0].text.startswith("A") for request in prompts)
    assert with_first / 400 == pytest.approx(8 / 9, abs=0.05)


def test_other_seeds_draw_other_prompts(speak: Speaker) -> None:
    likely = dict.fromkeys(words(speak), 1 / LIKELY)
    one, again, other = (drawn(speak, 5, likely, lambda at: ("?", True), seed)[0] for seed in (0, 0, 1))
    assert one == again != other


def test_draws_that_stay_together_are_one_prompt(speak: Speaker) -> None:
    prompts, dropped, asks = drawn(speak, 3, {words(speak)[0]: 1.0}, lambda at: ("?", True))
    assert len(prompts) == len(asks[-1].prompts) == 1
    assert dropped == {"duplicate": 2}


def test_a_prompt_may_end_while_draws_are_dealt_out(speak: Speaker) -> None:
    likely: dict[int, float] = {speak.stop[0]: 0.5, words(speak)[0]: 0.5}
    prompts, dropped, asks = drawn(speak, 64, likely, lambda at: ("?", True))
    assert not any(speak.stop[0] in tail(ask.prompts, speak) for ask in asks)
    assert dropped["own prompts: empty"] == pytest.approx(32, abs=10)
    assert len(prompts) + dropped.total() == 64
    assert "AA" in {request.turns[0].text for request in prompts}


def tail(prompts: object, speak: Speaker) -> set[int]:
    start = len(speak.renderer.opening[0])
    assert isinstance(prompts, list)
    return {token for prompt in prompts for token in prompt[start:]}


def test_a_prompt_is_one_line_and_ends(speak: Speaker) -> None:
    texts = [(" one?\nAnd more", False), (" goes on", False), (" two?", True)]
    prompts, dropped, _ = drawn(speak, 3, dict.fromkeys(words(speak), 0.05), lambda at: texts[at])
    assert [request.turns[0].text.partition(" ")[2] for request in prompts] == ["one?", "two?"]
    assert dropped == {"own prompts: not ended": 1}


def test_what_has_no_letter_is_empty(speak: Speaker) -> None:
    digits: list[int] = [speak.renderer.encode(digit)[0] for digit in "23456789"]
    prompts, dropped, _ = drawn(speak, 4, dict.fromkeys(digits, 0.1), lambda at: ("!", True))
    assert not prompts
    assert dropped == {"own prompts: empty": 4}


def test_a_chat_format_that_begins_with_the_user_is_refused(speak: Speaker, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = Speaker(Renderer.load(BACKBONE))
    bare.renderer.opening = ((), "")
    with pytest.raises(DataError, match="puts nothing before the user's text"):
        next(own_prompts(3, 0, bare, Counter()))


def test_texts_of_the_format_end_a_prompt_where_they_are_no_special_token(speak: Speaker) -> None:
    spoken = Speaker(Renderer.load(BACKBONE))
    spoken.renderer.opening = (speak.renderer.opening[0], " [/INST] ")
    prompts, dropped, _ = drawn(spoken, 1, {words(speak)[0]: 1.0}, lambda at: (" dog? [/INST] Yes.", False))
    assert [request.turns[0].text for request in prompts] == ["A dog?"]
    assert not dropped
