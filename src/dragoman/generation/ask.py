"""Asks and completions: what is asked of a model and what it answers, in token ids; the `Engine` protocol."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

Ids = tuple[int, ...]
Finish = Literal["stop", "length", "failed"]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How completions are drawn. Temperature 0 is greedy.

    Any of the token ids in `stop` ends the answer. `ban_first` are ids that may not be among the first `ban_tokens`
    generated tokens. Each prompt's random numbers come from `seed` and the prompt's own ids, so a completion depends
    neither on the other prompts of its batch nor on how many there are. `logprobs` asks for that many most likely
    tokens at each step.

    `heal` drops the last token of every prompt and generates it again, restricted to tokens whose text begins with
    the dropped token's text (so the same one is possible): the model may merge it with what follows, as its tokenizer
    would have. The completion then begins with the replacement, which counts towards `max_tokens`; `ban_first`
    applies to the tokens after it.
    """

    max_tokens: int
    stop: Ids
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    seed: int = 0
    ban_first: Ids = ()
    logprobs: int = 0
    heal: bool = False
    ban_tokens: int = 1


@dataclass(frozen=True, slots=True)
class Completion:
    """What the model wrote.

    `ids` are the generated ids exactly as the engine returned them; where `finish` is `stop`, the last of them is the
    token that ended the answer. `text` is decoded from the ids before it. `logprobs`, where asked for, has one entry
    for each generated token: pairs of id and log-probability, the most likely first.

    An engine sets `seconds` to the time that the prompt was in progress; the door replaces it by the prompt's share
    of the time for all prompts, so that the sum over completions is what they cost. A cached completion keeps its
    original cost. A request that a server refused for good is `failed`: it has no ids, and `why` gives the reason.
    `made_in` names the engine, its precision and the lot that the prompt was generated in: in low precision the batch
    can decide between tokens that are nearly equally likely.
    """

    ids: Ids
    text: str
    finish: Finish
    logprobs: tuple[tuple[tuple[int, float], ...], ...] | None = None
    seconds: float = field(default=0.0, compare=False)
    why: str = ""
    made_in: str = field(default="", compare=False)

    @property
    def body(self) -> Ids:
        """The generated ids without the token that ended them."""
        return self.ids[:-1] if self.finish == "stop" else self.ids

    @property
    def end(self) -> Ids:
        """The token that ended the answer, as a tuple; empty if the answer was cut off."""
        return self.ids[-1:] if self.finish == "stop" else ()


@dataclass(frozen=True, slots=True)
class Ask:
    """A request for completions: which model, which prompts, how to sample, and the purpose shown on the progress
    line.
    """

    model: str
    prompts: Sequence[Ids]
    sampling: Sampling
    purpose: str


@dataclass(frozen=True, slots=True)
class Asking:
    """How much is asked of a model: the number of prompts, and the tokens of all prompts and of all answers."""

    prompts: float
    asked: float
    answered: float

    def less(self, prompts: float) -> "Asking":
        """What remains once this many prompts are answered."""
        part = 1 - prompts / self.prompts if self.prompts else 0.0
        return Asking(part * self.prompts, part * self.asked, part * self.answered)


def made_in(completions: Sequence[Completion]) -> str:
    """One name for the engine, precision and lots of these completions, such as `hf-bfloat16-32768/3f2a91c0`.

    Equal names mean that all of it was made alike. Completions cached before this was recorded count as unknown.
    """
    known = sorted({completion.made_in or "unknown" for completion in completions})
    if len(known) <= 1:
        return "".join(known)
    engines, lots = zip(*(one.split("/") if "/" in one else (one, "") for one in known), strict=True)
    together = short_name(known) if any(lots) else ""
    return "+".join(dict.fromkeys(engines)) + (f"/{together}" if together else "")


def short_name(contents: object) -> str:
    """Eight hex digits that identify contents, such as a set of prompts that are generated together."""
    return hashlib.sha256(repr(contents).encode()).hexdigest()[:8]


class Engine(Protocol):
    """Holds a model and completes prompts.

    `streams` says whether the engine schedules prompts itself and wants to see all of them at once. An engine that
    does not is given one shard at a time, so that its batches, and with them the last digits of its numbers, never
    depend on what an earlier run had already finished.
    """

    streams: bool

    def complete(self, prompts: Sequence[Ids], sampling: Sampling) -> Iterator[tuple[int, Completion]]:
        """Yields (index of the prompt, completion) as completions finish, in any order."""
        ...

    def close(self) -> None:
        """Frees the memory."""
        ...
