"""The door: nothing generated twice, whatever is killed, damaged, longer or in another order."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from dragoman.errors import EngineError
from dragoman.generation.ask import Ask, Completion, Finish, Ids, Sampling
from dragoman.generation.door import Asking, Door, OpenModel, Tally, drive, drive_all, tally

SAMPLING = Sampling(max_tokens=8, stop=(2,))
PROMPTS: list[Ids] = [(number, number + 1) for number in range(100)]


@dataclass
class Echo:
    """An engine that answers in reverse order with the prompt's own ids, and remembers what it was asked."""

    asked: list[Ids] = field(default_factory=list)
    calls: int = 0
    closed: int = 0
    fail_after: int | None = None

    def complete(self, prompts: Sequence[Ids], sampling: Sampling) -> Iterator[tuple[int, Completion]]:
        self.calls += 1
        for index, prompt in reversed(list(enumerate(prompts))):
            if self.fail_after is not None and len(self.asked) == self.fail_after:
                raise KeyboardInterrupt
            self.asked.append(prompt)
            yield index, answer_to(prompt, sampling)

    def close(self) -> None:
        self.closed += 1


def answer_to(prompt: Ids, sampling: Sampling) -> Completion:
    finish: Finish = "stop" if prompt[0] % 2 else "length"
    ids = (*prompt, 2) if finish == "stop" else prompt
    logprobs = tuple(((token, -0.5), (token + 1, -1.25)) for token in ids) if sampling.logprobs else None
    return Completion(ids, f"für {prompt[0]} \u2028\n", finish, logprobs)


def never() -> Echo:
    raise AssertionError("a replay must not load a model")


def door(folder: Path, engine: Echo | Callable[[], Echo], **more: object) -> Door:
    load = (lambda: engine) if isinstance(engine, Echo) else engine
    return Door(folder, lambda name: OpenModel(f"weights of {name}", load), **more)  # type: ignore[arg-type]


def ask(prompts: Sequence[Ids], **more: object) -> Ask:
    return Ask("backbone", prompts, replace(SAMPLING, **more), "rationales")  # type: ignore[arg-type]


def test_answers_in_prompt_order_and_replays_without_a_model(tmp_path: Path) -> None:
    engine = Echo()
    for sampling in (SAMPLING, replace(SAMPLING, logprobs=2)):
        expected = [answer_to(prompt, sampling) for prompt in PROMPTS]
        assert door(tmp_path, engine, shard=7).answer(Ask("backbone", PROMPTS, sampling, "x")) == expected
        assert door(tmp_path, never).answer(Ask("backbone", PROMPTS, sampling, "x")) == expected
    assert engine.calls == 2


def test_a_longer_or_reordered_ask_reuses_what_is_there(tmp_path: Path) -> None:
    said: list[str] = []
    first, second = Echo(), Echo()
    door(tmp_path, first).answer(ask(PROMPTS[:60]))
    mixed = [*reversed(PROMPTS), PROMPTS[3], PROMPTS[99], PROMPTS[3]]
    answers = door(tmp_path, second, say=said.append).answer(ask(mixed))
    assert answers == [answer_to(prompt, SAMPLING) for prompt in mixed]
    assert sorted(second.asked) == PROMPTS[60:]  # each once
    assert said == ["rationales: 60 of 100 were in the cache; going on from there."]


@pytest.mark.parametrize(
    "change", [{"max_tokens": 9}, {"stop": (3,)}, {"temperature": 0.5}, {"seed": 1}, {"ban_first": (2,)}, {"top_k": 3}]
)
def test_another_sampling_is_another_answer(tmp_path: Path, change: dict[str, object]) -> None:
    engine = Echo()
    for asked in (ask(PROMPTS), ask(PROMPTS, **change), ask(PROMPTS, **change), ask(PROMPTS)):
        door(tmp_path, engine).answer(asked)
    assert len(engine.asked) == 200


def test_other_weights_are_another_answer_under_whatever_name(tmp_path: Path) -> None:
    engine = Echo()

    def answer(name: str, contents: str) -> None:
        Door(tmp_path, {name: OpenModel(contents, lambda: engine)}.__getitem__).answer(Ask(name, PROMPTS, SAMPLING, ""))

    answer("backbone", "a")
    answer("backbone", "b")
    assert len(engine.asked) == 200
    answer("vanilla", "a")
    assert len(engine.asked) == 200


@pytest.mark.parametrize("harm", ["cut", "changed", "emptied"])
def test_a_damaged_shard_is_set_aside_and_generated_again(tmp_path: Path, harm: str) -> None:
    door(tmp_path, Echo(), shard=10).answer(ask(PROMPTS))
    shards = sorted(tmp_path.glob("*/*.npz"))
    assert len(shards) == 10
    data = bytearray(shards[4].read_bytes())
    data[len(data) // 2] ^= 1
    shards[4].write_bytes({"cut": bytes(data[:-7]), "changed": bytes(data), "emptied": b""}[harm])
    said: list[str] = []
    engine = Echo()
    answers = door(tmp_path, engine, say=said.append).answer(ask(PROMPTS))
    assert answers == [answer_to(prompt, SAMPLING) for prompt in PROMPTS]
    assert len(engine.asked) == 10
    assert str(shards[4].with_suffix(".damaged")) in said[0]
    assert shards[4].with_suffix(".damaged").exists()
    door(tmp_path, never).answer(ask(PROMPTS))


def test_an_interrupt_keeps_all_that_is_done(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        door(tmp_path, Echo(fail_after=37), shard=10).answer(ask(PROMPTS))
    engine = Echo()
    door(tmp_path, engine).answer(ask(PROMPTS))
    assert len(engine.asked) == 63
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".writing")]


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_door import Ask, Echo, PROMPTS, SAMPLING, door

class Killed(Echo):
    def complete(self, prompts, sampling):
        for number, pair in enumerate(super().complete(prompts, sampling)):
            if number == 57:
                os.kill(os.getpid(), signal.SIGKILL)
            yield pair

door(Path(sys.argv[1]), Killed(), shard=10).answer(Ask("backbone", PROMPTS, SAMPLING, "x"))
"""


def test_a_kill_costs_the_shard_in_flight_and_no_more(tmp_path: Path) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), str(Path(__file__).parent)], capture_output=True, check=False
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    engine = Echo()
    answers = door(tmp_path, engine, shard=10).answer(ask(PROMPTS))
    assert answers == [answer_to(prompt, SAMPLING) for prompt in PROMPTS]
    assert len(engine.asked) == 50
    assert set(engine.asked) == set(PROMPTS[:50])  # the engine began at the end


def test_two_doors_on_one_folder_see_each_others_work(tmp_path: Path) -> None:
    one, two = Echo(), Echo()
    here, there = door(tmp_path, one), door(tmp_path, two)
    here.answer(ask(PROMPTS[:10]))
    there.answer(ask(PROMPTS[:20]))
    here.answer(ask(PROMPTS[:20]))
    assert (len(one.asked), len(two.asked)) == (10, 10)
    both = door(tmp_path / "both", Echo()), door(tmp_path / "both", Echo())
    assert both[0]._group(both[0]._model("m"), SAMPLING).folder == both[1]._group(both[1]._model("m"), SAMPLING).folder


def test_one_model_is_open_at_a_time(tmp_path: Path) -> None:
    engines = {"a": Echo(), "b": Echo()}
    with Door(tmp_path, lambda name: OpenModel(name, lambda: engines[name])) as opened:
        opened.answer(Ask("a", PROMPTS, SAMPLING, ""))
        opened.answer(Ask("a", PROMPTS, replace(SAMPLING, seed=1), ""))
        assert (engines["a"].calls, engines["a"].closed) == (2, 0)
        opened.answer(Ask("b", PROMPTS, SAMPLING, ""))
        assert (engines["a"].closed, engines["b"].closed) == (1, 0)
    assert (engines["a"].closed, engines["b"].closed) == (1, 1)


def test_an_engine_that_leaves_prompts_out_is_an_error(tmp_path: Path) -> None:
    class Lazy(Echo):
        def complete(self, prompts: Sequence[Ids], sampling: Sampling) -> Iterator[tuple[int, Completion]]:
            return super().complete(prompts[1:], sampling)

    with pytest.raises(EngineError, match="rationales: 1 of 100 prompts got no answer"):
        door(tmp_path, Lazy()).answer(ask(PROMPTS))


def test_fifty_thousand_completions_load_quickly(tmp_path: Path) -> None:
    many = [(number // 251, number % 251, *range(60)) for number in range(50_000)]
    door(tmp_path, Echo()).answer(ask(many))
    start = time.process_time()  # other work on the machine does not count
    answers = door(tmp_path, never).answer(ask(many))
    assert time.process_time() - start < 2  # 0.65 on the machine where this was written
    assert answers[777] == answer_to(many[777], SAMPLING)


def test_a_tally_counts_what_went_wrong() -> None:
    loop = (9, *(1, 2, 3, 4) * 5)
    completions = [
        Completion((1, 2), "a", "stop"),
        Completion((1,), "", "stop"),
        Completion((1, 1), " \n", "length"),
        Completion(loop, "b", "length"),
        Completion((*loop, 2), "b", "stop"),
        Completion(loop[:-4], "four times", "length"),
        Completion((7,) * 8, "c", "length"),
        Completion((7,) * 7, "c", "length"),
    ]
    assert tally(completions) == Tally(total=8, cut=5, empty=2, looping=3)


def suite(name: str, prompts: Sequence[Ids], rounds: int, model: str = "a") -> Asking[list[str]]:
    texts: list[str] = []
    for round_ in range(rounds):
        answers = yield Ask(model, [(*prompt, round_) for prompt in prompts], SAMPLING, name)
        texts += [answer.text for answer in answers]
    return texts


def test_driving_runs_a_generator_to_its_value(tmp_path: Path) -> None:
    texts = drive(suite("one", PROMPTS[:3], 2), door(tmp_path, Echo()))
    assert texts == [answer_to(prompt, SAMPLING).text for prompt in (*PROMPTS[:3], *PROMPTS[:3])]
    assert drive(suite("none", PROMPTS, 0), door(tmp_path, never)) == []


def test_suites_side_by_side_share_batches(tmp_path: Path) -> None:
    engine = Echo()
    suites = {"x": (PROMPTS[:5], 3), "y": (PROMPTS[5:9], 1), "z": (PROMPTS[9:12], 2), "none": (PROMPTS, 0)}
    values = drive_all({name: suite(name, *how) for name, how in suites.items()}, door(tmp_path, engine))
    assert list(values) == list(suites)
    for name, (prompts, rounds) in suites.items():
        assert values[name] == [answer_to(prompt, SAMPLING).text for prompt in prompts] * rounds
    assert engine.calls == 3
    assert [len(set(engine.asked)), len(engine.asked)] == [5 * 3 + 4 + 3 * 2] * 2


def test_side_by_side_a_model_is_loaded_once_where_possible(tmp_path: Path) -> None:
    loads: list[str] = []

    def model(name: str) -> OpenModel:
        def load() -> Echo:
            loads.append(name)
            return Echo()

        return OpenModel(name, load)

    with Door(tmp_path, model) as opened:
        drive_all({"x": suite("x", PROMPTS[:5], 3, "a"), "y": suite("y", PROMPTS[:5], 3, "b")}, opened)
    assert sorted(loads) == ["a", "b"]
