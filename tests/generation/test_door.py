"""The door: nothing generated twice, whatever is killed, damaged, longer or in another order."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from dragoman.generation.ask import Ask, Completion, Finish, Ids, Sampling
from dragoman.generation.door import Door, OpenModel

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
