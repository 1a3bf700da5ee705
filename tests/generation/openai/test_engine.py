"""The engine against a server that misbehaves. What a real one does is in test_openai_vllm.py."""

import json
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from dragoman.corpora.records import Turn
from dragoman.errors import DataError, EngineError
from dragoman.generation.ask import Completion, Sampling
from dragoman.generation.openai.engine import AHEAD, ServerEngine
from dragoman.generation.openai.http import retry_after
from dragoman.recipe.engines import Server
from tests.generation.openai.servers import STOP, Ids, Misbehaving, spell, unspell, written

GREEDY = Sampling(max_tokens=20, stop=(STOP, 6))
PROMPTS: list[Ids] = [(20 + number, 13 + number) for number in range(12)]


def turns_of(ids: Ids) -> tuple[Turn, ...]:
    """The first token is the user's, what follows the assistant's."""
    if 7 in ids:
        raise DataError("no conversation")
    answer = (Turn("assistant", spell(ids[1:])),) if ids[1:] else ()
    return (Turn("user", spell(ids[:1])), *answer)


@pytest.fixture(autouse=True)
def no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def engine_at(server: Misbehaving | str, sleeps: list[float] | None = None, **settings: Any) -> ServerEngine:
    said: list[str] = settings.pop("said", [])
    sleep: Callable[[float], object] = (sleeps if sleeps is not None else []).append
    address = server if isinstance(server, str) else server.address
    vocabulary = settings.pop("vocabulary", None)
    given = {"concurrency": 4, "retries": 3, "timeout": 5} | settings
    extensions = given.pop("extensions", lambda token: (token, token + 1))
    return ServerEngine(
        Server(address=address, **given),
        decode=spell,
        encode=unspell,
        turns=turns_of,
        extensions=extensions,
        vocabulary=vocabulary,
        say=said.append,
        sleep=sleep,
    )


def run(engine: ServerEngine, prompts: Sequence[Ids] = PROMPTS, sampling: Sampling = GREEDY) -> list[Completion]:
    done = dict(engine.complete(prompts, sampling))
    assert sorted(done) == list(range(len(prompts)))
    return [done[index] for index in range(len(prompts))]


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("dragoman-server")]


def test_ids_in_and_ids_out() -> None:
    with Misbehaving(context=18) as server:
        said: list[str] = []
        engine = engine_at(server, said=said)
        assert (engine.streams, engine.name) == (True, f"{server.address} small completions")
        server.slow = 0.02
        answers = run(engine)
        assert [answer.ids for answer in answers] == [written(prompt) for prompt in PROMPTS]
        assert [answer.text for answer in answers] == [spell(written(prompt)[:-1]) for prompt in PROMPTS]
        assert {answer.finish for answer in answers} == {"stop"}
        assert all(0.02 <= answer.seconds < 5 for answer in answers)
        assert said == []
        assert 2 <= server.most_at_once <= 4
        assert server.connections <= 6  # kept open: two for the greeting, one for each thread
        assert threads() == []
        asked = server.bodies()[-1]
        assert asked["max_tokens"] == 16  # what the context has left
        assert (asked["stop_token_ids"], asked["ignore_eos"], asked["return_token_ids"]) == ([STOP, 6], True, True)
        assert "seed" not in asked
        (short,) = run(engine, [(20, 17)], replace(GREEDY, max_tokens=2))
        assert (short.ids, short.finish, short.text) == ((30, 31), "length", "t30 t31")
        with pytest.raises(EngineError, match="1 of 2 prompts leave no room"):
            run(engine, [(1,), (1,) * 18])
        likely = run(engine, [(20, 17)], replace(GREEDY, logprobs=1))[0].logprobs
        assert likely is not None
        assert likely[:2] == (((31, -0.5),), ((32, -0.5),))


def test_a_long_list_is_not_handed_over_at_once() -> None:
    with Misbehaving() as server:
        engine = engine_at(server, concurrency=2)
        greeted = len(server.requests)
        answers = engine.complete([(20, 13)] * 500, GREEDY)
        assert isinstance(answers, Generator)
        next(answers)
        time.sleep(0.3)
        assert len(server.requests) - greeted <= 2 * AHEAD + 1
        answers.close()
        assert threads() == []
        assert len(run(engine, [(20, 13)] * 50)) == 50  # it goes on working


def test_seeds_belong_to_prompts() -> None:
    with Misbehaving() as server:
        engine = engine_at(server)
        drawn = replace(GREEDY, temperature=0.7, top_p=0.9, top_k=5, seed=3)
        for sampling in (drawn, drawn, replace(drawn, seed=4)):
            run(engine, PROMPTS[:2], sampling)
        seeds: dict[tuple[int, ...], set[int]] = {tuple(body["prompt"]): set() for body in server.bodies()[-4:]}
        for body in server.bodies()[-6:]:
            seeds[tuple(body["prompt"])].add(body["seed"])
            assert (body["temperature"], body["top_p"], body["top_k"]) == (0.7, 0.9, 5)
        assert [len(found) for found in seeds.values()] == [2, 2]
        assert len(set().union(*seeds.values())) == 4
        assert max(set().union(*seeds.values())) < 1 << 63


def test_what_may_go_better_is_tried_again() -> None:
    troubles = ["408", "429", "429 7", "429 date", "500", "503 4", "cut", "malformed", "empty", "html", "hang"]
    with Misbehaving() as server:
        sleeps: list[float] = []
        engine = engine_at(server, sleeps, timeout=0.7)
        assert sleeps == []
        server.faults = {prompt: [trouble] for prompt, trouble in zip(PROMPTS, troubles, strict=False)}
        server.faults[PROMPTS[11]] = ["500", "cut", "429"]
        answers = run(engine)
        assert [answer.ids for answer in answers] == [written(prompt) for prompt in PROMPTS]
        waits = sorted(sleeps)
        assert 10 <= len(waits) <= 14  # what can't be read over a kept connection is asked for again at once
        assert all(0.25 <= wait <= 2 for wait in waits[:-3])
        assert waits[-3] == pytest.approx(4, abs=0.1)
        assert waits[-2] == pytest.approx(7, abs=0.1)
        assert waits[-1] == pytest.approx(8.5, abs=1)  # a date has whole seconds
        assert len(set(waits)) == len(waits)  # no two wait the same time
        assert answers[10].seconds >= 0.7


def test_a_connection_that_the_server_closed_meanwhile_is_no_trouble() -> None:
    with Misbehaving() as server:
        sleeps: list[float] = []
        engine = engine_at(server, sleeps, concurrency=1, retries=0)
        server.faults = {PROMPTS[1]: ["drop"]}  # where the one before was answered over the same connection
        assert [answer.ids for answer in run(engine)] == [written(prompt) for prompt in PROMPTS]
        assert sleeps == []
        server.faults = {PROMPTS[0]: ["drop"]}  # over a new one
        (broken, *others) = run(engine)
        assert broken.why == "the connection was cut (RemoteDisconnected)"
        assert {answer.finish for answer in others} == {"stop"}


def test_half_a_character_and_brackets_without_end() -> None:
    """JSON that Python reads to text that no tokenizer takes, or can't read to its end."""
    halves = r'{"choices": [{"text": "t1\\ud800 \ud800 t2 \udfff\ud83d\ude00", "finish_reason": "length"}]}'
    with Misbehaving(completions="text") as server:
        engine = engine_at(server, retries=0)
        engine.encode = lambda text: tuple(text.encode())  # as strict as a tokenizer
        server.faults = {PROMPTS[0]: [f"says {halves}"], PROMPTS[1]: ["says " + "[" * 200_000]}
        half, deep, good = run(engine, PROMPTS[:3])
        assert bytes(half.ids).decode() == "t1\\ud800 \ufffd t2 \ufffd\U0001f600"
        assert deep.why.startswith("the answer was not what the protocol says (brackets within brackets without end)")
        assert good.finish == "stop"
        server.faults = {"/v1/models": ["says " + "[" * 200_000]}
        with pytest.raises(EngineError, match="doesn't speak the OpenAI protocol"):
            engine_at(server)


@pytest.mark.parametrize(
    ("token", "value", "why"),
    [
        ('"t30"', "NaN", "a log-probability of nan"),
        ('"t30"', '"nan"', "a log-probability of nan"),
        ('"t30"', "-Infinity", "a log-probability of -inf"),
        ('"t30"', "1e400", "a log-probability of inf"),
        ('"t30"', "7.5", "a log-probability of 7.5"),
        ('"t30"', "1" + "0" * 400, "log-probabilities without int too large"),
        ("3", "-0.5", "log-probabilities without the text of a token"),
    ],
)
def test_what_is_no_log_probability(token: str, value: str, why: str) -> None:
    step = f'{{"token": "t30", "top_logprobs": [{{"token": {token}, "logprob": {value}}}]}}'
    written = '"message": {"content": "t30"}, "finish_reason": "length"'
    answer = f'{{"choices": [{{{written}, "logprobs": {{"content": [{step}]}}}}]}}'
    with Misbehaving(completions="none", chat="likely") as server:
        engine = engine_at(server, retries=0)
        server.faults = {"/v1/chat/completions": [f"says {answer}"]}
        (bad,) = run(engine, [(17,)], replace(GREEDY, max_tokens=1, logprobs=4))
        assert bad.why.startswith(f"the answer was not what the protocol says ({why}")


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("astray", r"it continues 3 tokens, of which number 3 is 33, and was sent 2 others"),
        ("ids [30, 60]", r"the vocabulary of 60 has no token 60"),
        ("ids [30, 1" + "0" * 400 + "]", r"the vocabulary of 60 has no token 10+"),
        ("ids [30, -1]", r"the vocabulary of 60 has no token -1"),
        (f"ids {[30] * 21}", r"21 tokens, where at most 20 were asked for"),
    ],
)
def test_an_answer_that_cannot_be_one_is_asked_for_again(fault: str, why: str) -> None:
    with Misbehaving() as server:
        engine = engine_at(server, vocabulary=60)
        server.faults = {PROMPTS[0]: [fault], PROMPTS[1]: [f"{fault}*"]}
        once, never, *others = run(engine)
        assert once.ids == written(PROMPTS[0])
        assert (never.ids, never.finish) == ((), "failed")
        assert never.why.startswith("the answer was not what the protocol says")
        assert re.search(why, never.why), never.why
        assert [answer.ids for answer in others] == [written(prompt) for prompt in PROMPTS[2:]]


def test_log_probabilities_of_tokens_that_there_are_not() -> None:
    with Misbehaving() as server:
        engine = engine_at(server, vocabulary=40, retries=0)
        likely = replace(GREEDY, logprobs=1)
        (good, bad) = run(engine, [(20, 16), (20, 25)], likely)  # the token after 39 is named as more likely
        assert good.finish == "stop"
        assert "the vocabulary of 40 has no token 40" in bad.why


def test_a_server_that_continues_other_prompts_is_met_with_a_sentence() -> None:
    """As one that puts a token of its own before each prompt, or writes more than it is asked for."""
    with Misbehaving(chat="none") as server:
        server.faults = {"/v1/completions": ["astray*"]}
        with pytest.raises(EngineError, match=r"refuses the smallest request .*continues \d tokens, .* was sent \d"):
            engine_at(server)
        server.faults = {"/v1/completions": ["ids [30, 31]*"]}
        with pytest.raises(EngineError, match="2 tokens, where at most 1 was asked for"):
            engine_at(server)


def test_text_that_is_longer_than_any_answer() -> None:
    endless = json.dumps({"choices": [{"text": "t30 " * 5000, "finish_reason": "stop"}]})
    with Misbehaving(completions="text") as server:
        engine = engine_at(server)
        server.faults = {PROMPTS[0]: [f"says {endless}"]}
        long, good = run(engine, PROMPTS[:2])
        assert (long.ids, long.text, long.finish) == ((), "", "failed")
        assert long.why == "the server wrote 5,000 tokens, as counted here, where at most 20 were asked for"
        assert good.ids == written(PROMPTS[1])


def test_what_fails_for_good_does_not_stop_the_others() -> None:
    with Misbehaving() as server:
        engine = engine_at(server)
        bad = {"400*": 1, "422*": 1, "500*": 4, "cut*": 4, "malformed*": 4, "filtered": 1}
        server.faults = {prompt: [trouble] for prompt, trouble in zip(PROMPTS, bad, strict=False)}
        answers = run(engine)
        tries = [sum(body.get("prompt") == list(prompt) for body in server.bodies()) for prompt in PROMPTS]
        assert tries == [*bad.values(), *[1] * 6]
        for answer in answers[:6]:
            assert (answer.ids, answer.text, answer.finish) == ((), "", "failed")
        assert [answer.ids for answer in answers[6:]] == [written(prompt) for prompt in PROMPTS[6:]]
        whys = [answer.why for answer in answers[:6]]
        assert whys[0].startswith("HTTP 400: no, because of 400")
        assert whys[2].startswith("HTTP 500: no, because of 500")
        assert whys[2].endswith("(asked 4 times)")
        assert whys[3] == "the connection was cut (IncompleteRead) (asked 4 times)"
        assert "the answer was not what the protocol says" in whys[4]
        assert whys[5] == "the server ended it for another reason: content_filter"


def test_a_server_that_is_gone_ends_the_run() -> None:
    with Misbehaving() as server:
        engine = engine_at(server)
        server.faults = {"/v1/completions": ["503*"]}
        prompts = [(20, number) for number in range(13, 113)]
        with pytest.raises(EngineError, match=r"answers no more: 16 requests in a row .* HTTP 503: no.* is kept"):
            run(engine, prompts)
        server.faults = {"/v1/completions": ["401*"]}
        with pytest.raises(EngineError, match="takes the key no longer: no, because of 401"):
            run(engine, prompts)
        assert threads() == []


def test_nothing_hangs_on_when_it_is_closed_or_interrupted() -> None:
    with Misbehaving() as server:
        engine = engine_at(server, timeout=60, retries=0)
        server.faults = {"/v1/completions": ["hang*"], (20, 13): [""]}
        prompts = [(20, 13), *[(20, 14)] * 20]

        answers = engine.complete(prompts, GREEDY)
        start = time.monotonic()
        assert next(answers)[1].ids == written((20, 13))
        assert len(threads()) == 4
        engine.close()
        assert threads() == []
        with pytest.raises(EngineError, match="was closed"):
            list(answers)

        signal.signal(signal.SIGINT, signal.default_int_handler)
        for tell in (  # this thread, which waits for an answer, or any other: the kernel may choose
            lambda: os.kill(os.getpid(), signal.SIGINT),
            lambda: signal.pthread_kill(threading.get_ident(), signal.SIGINT),
        ):
            threading.Timer(0.3, tell).start()
            with pytest.raises(KeyboardInterrupt):
                list(engine.complete(prompts, GREEDY))
            assert threads() == []
        assert time.monotonic() - start < 10


@pytest.mark.parametrize(
    ("what", "settings", "message"),
    [
        (
            {"faults": {"/v1/models": ["html"]}},
            {},
            r"doesn't speak the OpenAI .*Welcome to nginx!.* usually ends in /v1",
        ),
        ({"faults": {"/v1/models": ["json"]}}, {}, r"\(HTTP 200\) '\{\"hello\": \"world\"\}'"),
        ({"faults": {"/v1/models": ["404"]}}, {}, r"\(HTTP 404\) .*usually ends in /v1"),
        (
            {"faults": {"/v1/models": ["drop*"]}},
            {},
            r"can't be reached: the connection was cut .*asked 3 times.* Check",
        ),
        ({"faults": {"/v1/models": ["503*"]}}, {}, "can't be reached: HTTP 503"),
        ({"faults": {"/v1/models": ["401"]}}, {}, r"wants a key, and there is none in .* OPENAI_API_KEY \(HTTP 401\)"),
        ({"faults": {"/v1/completions": ["403"]}}, {"key": "MY_KEY"}, "wants a key, and there is none in .* MY_KEY"),
        ({"models": ("qwen-7b", "llama")}, {"model": "qwen"}, r"no model 'qwen'. Set .* one of: qwen-7b, llama\."),
        ({"models": ("qwen-7b", "llama")}, {}, "several models. Set generation.openai.model to one of: qwen-7b, llama"),
        ({"models": [f"m{n}" for n in range(40)]}, {}, r"m0, m1, .*m11 and 28 more\."),
        ({"models": ()}, {}, "serves no model"),
        (
            {"completions": "none", "chat": "none"},
            {},
            "refuses the smallest request .*no such endpoint.*chat/completions",
        ),
        ({"completions": "none"}, {"api": "completions"}, "api: auto tries the other way"),
    ],
)
def test_what_is_wrong_at_the_start(what: dict[str, Any], settings: dict[str, Any], message: str) -> None:
    with Misbehaving(**what) as server, pytest.raises(EngineError, match=message):
        engine_at(server, **settings)


def test_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EngineError, match=r"generation.openai.address in the recipe, .* OPENAI_BASE_URL"):
        engine_at("")
    with pytest.raises(EngineError, match=r"localhost:1/v1 can't be reached: the connection was refused"):
        engine_at("http://localhost:1/v1")
    with pytest.raises(EngineError, match="is none that can be asked") as caught:
        engine_at("http://me:secret@localhost:1/v1")
    assert "secret" not in str(caught.value)
    with pytest.raises(EngineError, match="is none") as caught:
        engine_at("http://me:secret@localhost:port/v1")
    assert "secret" not in str(caught.value)
    with pytest.raises(EngineError, match="localhost:8000/v1 is none that can be asked"):
        engine_at("localhost:8000/v1")
    with pytest.raises(EngineError, match="Port could not be cast"):
        engine_at("http://localhost:port/v1")
    with Misbehaving() as server:
        with pytest.raises(EngineError, match=r"HTTP 404.*usually ends in /v1"):
            engine_at(server.address.removesuffix("/v1"))
        monkeypatch.setenv("OPENAI_BASE_URL", server.address + "/")
        assert engine_at("").name == f"{server.address} small completions"


def test_the_key_is_sent_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-very-secret\n")
    with Misbehaving() as server:
        engine = engine_at(server, key="MY_KEY")
        server.faults = {PROMPTS[0]: ["400"]}
        bad, good = run(engine, PROMPTS[:2])
        assert {key for _, _, key in server.requests} == {"Bearer sk-very-secret"}
        assert bad.why == "HTTP 400: no, because of 400; you sent Bearer (the key)"
        assert good.ids == written(PROMPTS[1])
        assert "secret" not in engine.name
        server.faults = {PROMPTS[0]: ["filtered sk-very-secret"]}
        assert run(engine, PROMPTS[:1])[0].why == "the server ended it for another reason: (the key)"
        server.models = ("one", "sk-very-secret")
        with pytest.raises(EngineError, match=r"one of: one, \(the key\)\."):
            engine_at(server, key="MY_KEY")
        server.models = ("small",)
        server.faults = {"/v1/models": ["401"]}
        with pytest.raises(EngineError, match="does not take the key in the environment variable MY_KEY") as caught:
            engine_at(server, key="MY_KEY")
        assert "secret" not in str(caught.value)
        monkeypatch.setenv("MY_KEY", "sk-very\nsecret")
        with pytest.raises(EngineError, match="MY_KEY holds something that is no key") as caught:
            engine_at(server, key="MY_KEY")
        assert "secret" not in str(caught.value)
        assert {key for _, _, key in server.requests[-1:]} == {"Bearer sk-very-secret"}


def test_a_server_that_takes_ids_and_returns_text() -> None:
    with Misbehaving(completions="text") as server:
        said: list[str] = []
        engine = engine_at(server, said=said)
        assert engine.name == f"{server.address} small completions as text"
        for _ in range(2):
            assert [answer.ids for answer in run(engine)] == [written(prompt) for prompt in PROMPTS]
        assert len(said) == 1
        assert "returns text and no token ids" in said[0]
        assert run(engine, [(20, 17)], replace(GREEDY, max_tokens=2))[0].finish == "length"
        run(engine, PROMPTS[:1], replace(GREEDY, temperature=1))
        assert server.bodies()[-1]["seed"] < 1 << 31
        assert "ignore_eos" not in server.bodies()[-1]
        for asked, message in (
            ({"heal": True}, "no boundary can be healed"),
            ({"ban_first": (STOP, 6)}, "can't keep an answer from ending at once"),
            ({"logprobs": 3}, "gives no log-probabilities"),
        ):
            with pytest.raises(EngineError, match=message):
                run(engine, PROMPTS, replace(GREEDY, **asked))


def test_a_server_that_knows_chat_alone_and_nothing_more() -> None:
    with Misbehaving(completions="none", chat="strict") as server:
        said: list[str] = []
        engine = engine_at(server, said=said)
        assert [path for path, _, _ in server.requests[1:]] == ["/v1/completions"] + ["/v1/chat/completions"] * 2
        prompts = [(token,) for token in range(13, 23)]
        assert [answer.ids for answer in run(engine, prompts)] == [written(prompt) for prompt in prompts]
        assert len(server.requests) == 4 + 10  # none of them was refused first
        assert server.bodies()[-1]["messages"][0]["role"] == "user"
        assert len(said) == 1
        with pytest.raises(EngineError, match="can't continue an answer that has begun"):
            run(engine)
        with pytest.raises(EngineError, match="does not know top_k"):
            run(engine, prompts, replace(GREEDY, top_k=3))
        assert threads() == []


@pytest.mark.parametrize("api", ["completions", "chat"])
def test_log_probabilities_by_the_text_of_tokens(api: str) -> None:
    """As OpenAI's own API has them: good for answers of one token."""
    others: dict[str, Any] = {"completions": "none", "chat": "none"}
    with Misbehaving(**(others | {api: "likely"})) as server:
        engine = engine_at(server, said=[])
        assert (engine.way.ids, engine.way.spelt, engine.way.more) == ("", True, False)
        one = replace(GREEDY, max_tokens=1, temperature=1.0, logprobs=4)
        (answer,) = run(engine, [(17,)], one)
        asked = server.bodies()[-1]
        wanted = {"logprobs": True, "top_logprobs": 4} if api == "chat" else {"logprobs": 4}
        assert {name: asked.get(name) for name in wanted} == wanted
        assert (answer.ids, answer.text, answer.finish) == ((30,), "t30", "length")
        assert answer.logprobs == (((30, -0.5), (40, -1.5)),)  # what is no single token of ours is left out
        assert (
            run(engine, [(17,)], replace(one, logprobs=2))[0].logprobs
            == {
                "completions": (((30, -0.5), (40, -1.5)),),
                "chat": (((30, -0.5),),),  # the server names `x`, which we do not have, among its two
            }[api]
        )
        with pytest.raises(EngineError, match=r"of answers of one token it can give them by the text of tokens"):
            run(engine, [(17,)], replace(one, max_tokens=2))
        assert run(engine, [(17,)])[0].logprobs is None
        assert "logprobs" not in server.bodies()[-1]
    with Misbehaving(completions="none", chat="strict") as server:
        engine = engine_at(server, said=[])
        assert not engine.way.spelt  # it takes the parameter, and leaves it out
        with pytest.raises(EngineError, match=r"by token id\. Ask vLLM's"):
            run(engine, [(17,)], one)


def test_one_token_that_the_vocabulary_has_not() -> None:
    with Misbehaving(completions="none", chat="likely") as server:
        engine = engine_at(server, said=[])
        engine.encode = lambda text: (1, 2) if text == "t30" else unspell(text)
        one = replace(GREEDY, max_tokens=1, logprobs=4)
        (answer,) = run(engine, [(17,)], one)
        assert (answer.ids, answer.text, answer.logprobs) == ((1,), "t30", (((40, -1.5),),))
        engine.encode = lambda text: ()
        (answer,) = run(engine, [(17,)], one)
        assert (answer.ids, answer.text, answer.logprobs) == ((), "t30", None)


def test_chat_that_goes_on() -> None:
    with Misbehaving(completions="none") as server:
        said: list[str] = []
        engine = engine_at(server, said=said)
        assert engine.name == f"{server.address} small chat"
        answers = run(engine, [(20, 17), (17,), (20, 7)])
        assert [answer.ids for answer in answers] == [written((17,)), written((17,)), ()]
        assert (answers[2].finish, answers[2].why) == ("failed", "no conversation")
        goes_on, begins = sorted(server.bodies()[-2:], key=lambda body: -len(body["messages"]))
        assert goes_on["messages"] == [{"role": "user", "content": "t20"}, {"role": "assistant", "content": "t17"}]
        assert (goes_on["continue_final_message"], goes_on["add_generation_prompt"]) == (True, False)
        assert "continue_final_message" not in begins
        assert "add_generation_prompt" not in begins
        assert said == []
        engine.turns = lambda ids: (Turn("user", "t33"),)  # as of another template
        run(engine)
        assert len(said) == 1
        assert "renders a prompt to 1 tokens that has 2 here" in said[0]
    with Misbehaving(completions="none", chat="text") as server:
        said.clear()
        run(engine_at(server, said=said))
        assert len(said) == 2
        assert "doesn't tell whether it continues" in said[1]


@pytest.mark.parametrize("vocabulary", [60, 10])
def test_a_server_of_another_vocabulary_is_taken_at_its_word(vocabulary: int) -> None:
    """Such as that of a judge whose tokenizer is not here: it is sent text, and its ids mean nothing here."""
    with Misbehaving(completions="none", chat="foreign") as server:
        said: list[str] = []
        engine = engine_at(server, said=said, vocabulary=vocabulary)
        assert (engine.way.ids, engine.way.more, engine.way.spelt) == ("", False, True)
        assert engine.name.endswith(" small chat as text")
        prompts = [(token,) for token in range(13, 23)]
        assert [answer.text for answer in run(engine, prompts)] == [spell(written(prompt)) for prompt in prompts]
        assert "has another vocabulary than the model here, so it is asked for text" in said[0]
        (one,) = run(engine, [(17,)], replace(GREEDY, max_tokens=1, logprobs=4))
        assert one.logprobs == (((30, -0.5), (40, -1.5)),)


def test_first_tokens_are_requests_of_their_own() -> None:
    with Misbehaving() as server:
        engine = engine_at(server, extensions=lambda token: (token, 31))
        (answer,) = run(engine, [(20, 17)], replace(GREEDY, ban_first=(STOP, 6)))
        assert answer.ids == written((20, 17))
        assert server.bodies()[-1]["min_tokens"] == 1
        (answer,) = run(engine, [(20, 17)], replace(GREEDY, ban_first=(STOP, 11)))
        first, rest = server.bodies()[-2:]
        assert (first["max_tokens"], first["logit_bias"]) == (1, {"5": -100, "11": -100})
        assert (rest["prompt"], rest["max_tokens"]) == ([20, 17, 30], 19)
        assert "logit_bias" not in rest
        assert "min_tokens" not in rest
        assert answer.ids == (30, *written((30,)))
        (answer,) = run(engine, [(20, 17)], replace(GREEDY, ban_first=(STOP, 6), ban_tokens=2))
        assert server.bodies()[-1]["min_tokens"] == 2
        (answer,) = run(engine, [(20, 17)], replace(GREEDY, ban_first=(STOP, 11), ban_tokens=2))
        first, second, rest = server.bodies()[-3:]
        assert first["logit_bias"] == second["logit_bias"] == {"5": -100, "11": -100}
        assert (second["prompt"], second["max_tokens"], rest["max_tokens"]) == ([20, 17, 30], 1, 18)
        assert "logit_bias" not in rest
        healed = replace(GREEDY, heal=True, ban_first=(STOP, 6), logprobs=2)
        (answer,) = run(engine, [(20, 18, 17)], healed)
        first, rest = server.bodies()[-2:]
        assert (first["prompt"], first["max_tokens"], first["allowed_token_ids"]) == ([20, 18], 1, [17, 31])
        assert (rest["prompt"], rest["min_tokens"]) == ([20, 18, 31], 1)
        assert answer.ids == (31, *written((31,)))
        assert answer.logprobs is not None
        assert len(answer.logprobs) == len(answer.ids)
        assert run(engine, [(20, 18, 17)], replace(healed, max_tokens=1))[0].finish == "length"
        with pytest.raises(EngineError, match=r"did not keep to it .* it wrote 30"):
            run(engine, [(20, 17, 17)], replace(GREEDY, heal=True))
        with pytest.raises(EngineError, match="was not told which tokens begin with which"):
            run(engine_at(server, extensions=None), PROMPTS, replace(GREEDY, heal=True))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("7", 7),
        (" 1.5 ", 1.5),
        ("Thu, 01 Jan 1970 00:02:00 GMT", 20),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("soon", None),
        ("inf", None),
        ("-3", None),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, now=100) == seconds
