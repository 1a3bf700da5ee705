"""The door: nothing generated twice, whatever is killed, damaged, longer or in another order."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet
import pytest

from dragoman.errors import EngineError, StoreError
from dragoman.generation.ask import Ask, Completion, Finish, Ids, Sampling, made_in
from dragoman.generation.door import Asking, Door, OpenModel, drive, drive_all
from tests import ROOT

SAMPLING = Sampling(max_tokens=8, stop=(2,))
PROMPTS: list[Ids] = [(number, number + 1) for number in range(100)]


@dataclass
class Echo:
    """An engine that answers in reverse order with the prompt's own ids, and remembers what it was asked.

    It is interrupted after `fail_after` prompts, and refuses those that begin with an id in `refuses`.
    """

    streams: bool = True
    asked: list[Ids] = field(default_factory=list)
    lots: list[list[Ids]] = field(default_factory=list)
    closed: int = 0
    fail_after: int | None = None
    refuses: frozenset[int] = frozenset()

    @property
    def calls(self) -> int:
        return len(self.lots)

    def complete(self, prompts: Sequence[Ids], sampling: Sampling) -> Iterator[tuple[int, Completion]]:
        self.lots.append(list(prompts))
        for index, prompt in reversed(list(enumerate(prompts))):
            if self.fail_after is not None and len(self.asked) == self.fail_after:
                raise KeyboardInterrupt
            self.asked.append(prompt)
            if prompt[0] in self.refuses:
                yield index, Completion((), "", "failed", why="HTTP 400: no" if prompt[0] % 2 else "timed out")
            else:
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


@pytest.fixture(params=["local", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where a cache may lie: a folder of this machine, or an address of fsspec."""
    return tmp_path if request.param == "local" else f"memory://{tmp_path.name}"


def files(folder: Path | str, suffix: str = ".parquet") -> dict[str, bytes]:
    """What lies in the cache, by address."""
    if isinstance(folder, Path):
        return {str(path): path.read_bytes() for path in folder.glob(f"*/*{suffix}")}
    memory = fsspec.filesystem("memory")
    return {f"memory:/{path}": memory.cat(path) for path in memory.glob(f"{folder}/*/*{suffix}")}


def door(folder: Path | str, engine: Echo | Callable[[], Echo], **more: object) -> Door:
    load = (lambda: engine) if isinstance(engine, Echo) else engine
    return Door(folder, lambda name: OpenModel(f"weights of {name}", load), **more)  # type: ignore[arg-type]


def ask(prompts: Sequence[Ids], **more: object) -> Ask:
    return Ask("backbone", prompts, replace(SAMPLING, **more), "rationales")  # type: ignore[arg-type]


def test_answers_in_prompt_order_and_replays_without_a_model(store: Path | str) -> None:
    engine = Echo()
    for sampling in (SAMPLING, replace(SAMPLING, logprobs=2)):
        expected = [answer_to(prompt, sampling) for prompt in PROMPTS]
        assert door(store, engine, shard=7).answer(Ask("backbone", PROMPTS, sampling, "x")) == expected
        assert door(store, never).answer(Ask("backbone", PROMPTS, sampling, "x")) == expected
    assert engine.calls == 2


def test_a_longer_or_reordered_ask_reuses_what_is_there(store: Path | str) -> None:
    said: list[str] = []
    first, second = Echo(), Echo()
    door(store, first).answer(ask(PROMPTS[:60]))
    mixed = [*reversed(PROMPTS), PROMPTS[3], PROMPTS[99], PROMPTS[3]]
    answers = door(store, second, say=said.append).answer(ask(mixed))
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
def test_a_damaged_shard_is_set_aside_and_generated_again(store: Path | str, harm: str) -> None:
    door(store, Echo(), shard=10).answer(ask(PROMPTS))
    shards = files(store)
    assert len(shards) == 10
    path, whole = sorted(shards.items())[4]
    data = bytearray(whole)
    data[len(data) // 2] ^= 1
    with fsspec.open(path, "wb") as file:
        file.write({"cut": bytes(data[:-7]), "changed": bytes(data), "emptied": b""}[harm])
    said: list[str] = []
    engine = Echo()
    answers = door(store, engine, say=said.append).answer(ask(PROMPTS))
    assert answers == [answer_to(prompt, SAMPLING) for prompt in PROMPTS]
    assert len(engine.asked) == 10
    aside = path.replace(".parquet", ".damaged")
    assert said[0] == (f"A shard of the generation cache is damaged; set aside as {aside}, to be generated again.")
    assert list(files(store, ".damaged")) == [aside]
    door(store, never).answer(ask(PROMPTS))


def test_a_shard_damaged_under_an_open_door_is_generated_again(tmp_path: Path) -> None:
    engine = Echo()
    opened = door(tmp_path, engine, shard=10)
    opened.answer(ask(PROMPTS))
    hurt, gone = sorted(files(tmp_path))[:2]
    Path(hurt).write_bytes(b"PAR1")
    Path(gone).unlink()
    assert opened.answer(ask(PROMPTS)) == [answer_to(prompt, SAMPLING) for prompt in PROMPTS]
    assert len(engine.asked) == 120


def test_a_shard_explains_itself_to_any_reader_of_parquet(tmp_path: Path) -> None:
    door(tmp_path, Echo()).answer(ask(PROMPTS[:3]))
    (path,) = files(tmp_path)
    assert pa.parquet.read_table(path).drop(["key", "seconds"]).to_pylist() == [
        {
            "prompt": [number, number + 1],
            "ids": [number, number + 1, *([2] if number % 2 else [])],
            "text": f"für {number} \u2028\n",
            "text_bytes": None,
            "finish": "stop" if number % 2 else "length",
            "made_in": "",
        }
        for number in range(3)
    ]
    about = json.loads((Path(path).parent / "group.json").read_text())
    assert about["model"] == "weights of backbone"
    assert about["sampling"]["max_tokens"] == 8


def test_an_interrupt_keeps_all_that_is_done(store: Path | str) -> None:
    with pytest.raises(KeyboardInterrupt):
        door(store, Echo(fail_after=37), shard=10).answer(ask(PROMPTS))
    assert len(files(store)) == 4
    engine = Echo()
    door(store, engine).answer(ask(PROMPTS))
    assert sorted(engine.asked) == PROMPTS[:63]
    assert not files(store, ".writing*")


def test_a_shard_is_written_as_soon_as_it_is_complete(tmp_path: Path) -> None:
    seen: list[int] = []

    class Mixed(Echo):
        def complete(self, prompts: Sequence[Ids], sampling: Sampling) -> Iterator[tuple[int, Completion]]:
            for index in (number * 37 % 100 for number in range(100)):  # all lots in flight at once
                seen.append(len(files(tmp_path)))
                yield index, answer_to(prompts[index], sampling)

    door(tmp_path, Mixed(), shard=10).answer(ask(PROMPTS))
    order = [number * 37 % 100 // 10 for number in range(100)]
    complete = sorted(max(place for place, lot in enumerate(order) if lot == wanted) for wanted in range(10))
    assert seen == [sum(last < number for last in complete) for number in range(100)]
    for path in files(tmp_path):  # each holds its own lot, in the planned order
        prompts = [tuple(prompt) for prompt in pa.parquet.read_table(path)["prompt"].to_pylist()]
        assert prompts == PROMPTS[prompts[0][0] : prompts[0][0] + 10]
        assert prompts[0][0] % 10 == 0


MIXED: list[Ids] = [(number, *range(number % 7)) for number in range(100)]
PLAN = sorted(MIXED, key=lambda prompt: (-len(prompt), prompt))


def test_a_plan_does_not_depend_on_the_order_of_the_data(tmp_path: Path) -> None:
    expected = [PLAN[start : start + 30] for start in (0, 30, 60, 90)]
    for name, prompts in {"a": MIXED, "b": MIXED[::-1], "c": [*MIXED[50:], *MIXED]}.items():
        engine = Echo(streams=False)
        door(tmp_path / name, engine, shard=30).answer(ask(prompts))
        assert engine.lots == expected
        engine = Echo(streams=True)
        door(tmp_path / f"{name} streamed", engine, shard=30).answer(ask(prompts))
        assert engine.lots == [PLAN]


def test_what_a_longer_data_set_lacks_is_put_together_anew(tmp_path: Path) -> None:
    door(tmp_path, Echo(), shard=30).answer(ask([*PLAN[:5], *PLAN[70:]]))
    engine = Echo(streams=False)
    answers = door(tmp_path, engine, shard=30).answer(ask(MIXED))
    assert engine.lots == [PLAN[30:60], [*PLAN[5:30], *PLAN[60:65]], PLAN[65:70]]
    assert answers == [answer_to(prompt, SAMPLING) for prompt in MIXED]


KILLED = """
import os, signal, sys
from pathlib import Path
from typing import Any
from tests.generation.test_door import Ask, Echo, MIXED, SAMPLING, door

class Killed(Echo):
    def complete(self, prompts, sampling):
        for pair in super().complete(prompts, sampling):
            if len(self.asked) == 58:
                os.kill(os.getpid(), signal.SIGKILL)
            yield pair

door(Path(sys.argv[1]), Killed(streams=sys.argv[2] == "True"), shard=10).answer(Ask("backbone", MIXED, SAMPLING, "x"))
"""


@pytest.mark.parametrize("streams", [False, True])
def test_a_kill_costs_the_shard_in_flight_and_changes_no_other(tmp_path: Path, streams: bool) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), str(streams)],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert len(files(tmp_path)) == 5
    engine = Echo(streams=streams)
    answers = door(tmp_path, engine, shard=10).answer(ask(MIXED))
    assert answers == [answer_to(prompt, SAMPLING) for prompt in MIXED]
    # In streams the engine began at the end of the plan; one shard at a time, at its beginning.
    assert engine.lots == ([PLAN[:50]] if streams else [PLAN[start : start + 10] for start in range(50, 100, 10)])


def test_failures_are_recorded_and_never_kept_and_the_others_go_on(store: Path | str) -> None:
    engine = Echo(refuses=frozenset({3, 4, 5}))
    with pytest.raises(EngineError) as told:
        door(store, engine, shard=10).answer(ask(PROMPTS))
    (path,) = files(store, ".jsonl")
    assert str(told.value) == (
        "rationales: 3 of 100 prompts failed for good: 2 × HTTP 400: no; 1 × timed out. They are recorded in "
        f"{path.rpartition('/')[0]}/failures-….jsonl. All other answers are kept: running again asks only for these. "
        "To go on without them, set generation.tolerate to the share that may fail, such as 0.03."
    )
    lines = [json.loads(line) for line in files(store, ".jsonl")[path].splitlines()]
    assert [(line["prompt_tokens"], line["why"]) for line in lines] == [
        (2, "HTTP 400: no"),
        (2, "timed out"),
        (2, "HTTP 400: no"),
    ]
    assert len({line["key"] for line in lines}) == 3
    again = Echo()
    assert door(store, again).answer(ask(PROMPTS)) == [answer_to(prompt, SAMPLING) for prompt in PROMPTS]
    assert sorted(again.asked) == PROMPTS[3:6]


@pytest.mark.parametrize("streams", [False, True])
def test_a_share_of_failures_may_be_tolerated(tmp_path: Path, streams: bool) -> None:
    said: list[str] = []
    engine = Echo(streams, refuses=frozenset(range(10, 20)))  # a lot of which nothing is left
    for _ in range(2):
        answers = door(tmp_path, engine, shard=10, tolerate=0.1, say=said.append).answer(ask(PROMPTS))
        assert [answer.why[:4] for answer in answers[9:13]] == ["", "time", "HTTP", "time"]
        assert [answer.finish for answer in answers] == [
            "failed" if 10 <= number < 20 else "stop" if number % 2 else "length" for number in range(100)
        ]
    assert len(engine.asked) == 110
    assert len(files(tmp_path)) == 9
    failed = (
        "rationales: 10 of 100 prompts failed for good: 5 × HTTP 400: no; 5 × timed out. They are recorded in "
        f"{next(tmp_path.iterdir())}/failures-….jsonl. generation.tolerate allows that (0.1)."
    )
    assert said == [failed, "rationales: 90 of 100 were in the cache; going on from there.", failed]
    with pytest.raises(EngineError, match="10 of 100 prompts failed"):
        door(tmp_path, engine, tolerate=0.09).answer(ask(PROMPTS))


def test_a_judge_has_a_share_of_its_own(tmp_path: Path) -> None:
    said: list[str] = []
    engine = Echo(refuses=frozenset({50}))

    def answer(tolerate: float, model: str = "judge") -> None:
        judge = Door(tmp_path, lambda name: OpenModel("weights", lambda: engine, tolerate), tolerate=1, say=said.append)
        judge.answer(replace(ask(PROMPTS), model=model))

    with pytest.raises(
        EngineError, match=r" set evaluation\.judge\.generation\.tolerate to the share .* such as 0\.01"
    ):
        answer(0)
    answer(0.5)
    assert said[-1].endswith(" evaluation.judge.generation.tolerate allows that (0.5).")
    answer(0.5, "benchmarks.mt-bench.judge")
    assert said[-1].endswith(" benchmarks.mt-bench.judge.generation.tolerate allows that (0.5).")


def test_an_interrupt_records_what_failed(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        door(tmp_path, Echo(fail_after=50, refuses=frozenset({99}))).answer(ask(PROMPTS))
    (record,) = files(tmp_path, ".jsonl").values()
    assert record.count(b"\n") == 1


def test_progress_tells_what_is_cut_and_what_is_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("dragoman.progress.PATIENCE", 0.0)

    class Terse(Echo):
        def complete(self, prompts: Sequence[Ids], sampling: Sampling) -> Iterator[tuple[int, Completion]]:
            for index, completion in super().complete(prompts, sampling):
                yield index, replace(completion, text="" if prompts[index][0] < 7 else completion.text)

    door(tmp_path, Terse(refuses=frozenset({50})), tolerate=1).answer(ask(PROMPTS))
    assert capsys.readouterr().err.splitlines()[0].endswith("49% cut, 7% empty, 1 failed")


def test_a_folder_that_is_none_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    with pytest.raises(StoreError, match=r"cache/\w+ could not be read: Not a directory"):
        door(tmp_path / "cache", Echo()).answer(ask(PROMPTS))


def test_two_doors_on_one_folder_see_each_others_work(store: Path | str) -> None:
    one, two = Echo(), Echo()
    here, there = door(store, one), door(store, two)
    here.answer(ask(PROMPTS[:10]))
    there.answer(ask(PROMPTS[:20]))
    here.answer(ask(PROMPTS[:20]))
    assert (len(one.asked), len(two.asked)) == (10, 10)


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


def test_what_answers_were_made_in_is_kept_and_told(tmp_path: Path) -> None:
    """Equal for equal lots; another where some of the answers were there before, in batches of their own."""

    def told(store: str, *asked: list[Ids]) -> list[str]:
        engine = OpenModel("weights", lambda: Echo(streams=False), made_in="hf-bfloat16-512")
        with Door(tmp_path / store, lambda _: engine, shard=30) as opened:
            return [made_in(opened.answer(ask(prompts))) for prompts in asked]

    whole, again = told("one", PROMPTS, PROMPTS)
    assert whole == again == told("two", [*reversed(PROMPTS)])[0]
    assert whole.startswith("hf-bfloat16-512/")
    assert told("three", PROMPTS[:60], PROMPTS)[1] == whole  # two lots of 30 are the same two
    part, grown = told("four", PROMPTS[:50], PROMPTS)
    assert len({whole, part, grown}) == 3
    assert told("four", PROMPTS[:50]) == [part]


def test_what_is_not_known_of_an_answer_is_said_to_be_unknown(tmp_path: Path) -> None:
    assert made_in(door(tmp_path, Echo()).answer(ask(PROMPTS))) == "unknown"
    streaming = OpenModel("weights of backbone", Echo, made_in="vllm-bfloat16")
    assert made_in(Door(tmp_path, lambda _: streaming).answer(ask([*PROMPTS, (7, 7, 7)]))) == "unknown+vllm-bfloat16"
    assert made_in([]) == ""


def test_a_killed_run_of_a_real_engine_ends_as_if_it_had_not_been(
    tmp_path: Path, tiny: Any, spell: Callable[[Sequence[int]], str], prompts: list[Ids]
) -> None:
    """To the last digit of the log-probabilities, which do depend on what shares a batch."""
    from dragoman.generation.hf.engine import HfEngine  # here: the processes that are killed above need no torch

    asked = Ask("backbone", prompts, Sampling(max_tokens=12, stop=(2,), logprobs=2), "x")

    def run(name: str, shard: int) -> list[Completion]:
        model = OpenModel("tiny", lambda: HfEngine(tiny, decode=spell))
        return Door(tmp_path / name, lambda _: model, shard=shard).answer(asked)

    expected = run("whole", 5)
    for number, (path, data) in enumerate(sorted(files(tmp_path / "whole").items())):
        left = tmp_path / f"killed {number}" / Path(path).parent.name
        left.mkdir(parents=True)
        (left / Path(path).name).write_bytes(data)  # what a kill would have left
        assert run(f"killed {number}", 5) == expected
    assert number == 4
