"""What is asked of a model and what it answers. Token ids in, token ids out."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

Ids = tuple[int, ...]
Finish = Literal["stop", "length", "failed"]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How completions are drawn. Temperature 0 is greedy.

    `stop` are the token ids any of which ends the answer. `ban_first` are ids that may not be the
    first generated token, nor one of the first `ban_tokens`. Each prompt's random numbers come from
    `seed` and the prompt's own ids, so that a completion depends neither on its neighbours nor on
    their number. `logprobs` asks for that many most likely tokens at each step.

    `heal` takes the last token of every prompt back and generates it again, among the tokens whose
    text begins with its text (so the same one is possible): the model may merge it with what follows,
    as its tokenizer would have. The completion then begins with the token in its place, which
    counts among `max_tokens`, and `ban_first` is about the tokens after it.
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

    `ids` are the generated ids exactly as the engine returned them; where `finish` is `stop` the
    last of them is the token that ended the answer. `text` is decoded from the ids before it.
    `logprobs`, where asked for, has one entry a generated token: pairs of id and log-probability, the
    most likely first. `seconds` is how long the engine had the prompt in work; from the door, and
    kept, it is this answer's part of the time that the engine took for all, so that sums are what
    answers cost. A request that a server refused for good is `failed`: it has no ids, and `why`
    tells the reason. `made_in` is the engine, its precision and the lot that the prompt was generated with:
    in low precision the batch decides between tokens that are nearly as likely.
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
        """The token that ended the answer; empty where it was cut off."""
        return self.ids[-1:] if self.finish == "stop" else ()


@dataclass(frozen=True, slots=True)
class Ask:
    """A request for completions: which model, which prompts, how sampled, and what for (for the progress line)."""

    model: str
    prompts: Sequence[Ids]
    sampling: Sampling
    purpose: str


@dataclass(frozen=True, slots=True)
class Asking:
    """Prompts for a model: how many, and tokens of all prompts and all answers together."""

    prompts: float
    asked: float
    answered: float

    def less(self, prompts: float) -> "Asking":
        """What is left of it when so many prompts need no answer any more."""
        part = 1 - prompts / self.prompts if self.prompts else 0.0
        return Asking(part * self.prompts, part * self.asked, part * self.answered)


def made_in(completions: Sequence[Completion]) -> str:
    """One name for what some completions were made in, such as `hf-bfloat16-32768/3f2a91c0`; equal where all of it is.

    Of completions that were kept before it was noted, it is unknown.
    """
    known = sorted({completion.made_in or "unknown" for completion in completions})
    if len(known) <= 1:
        return "".join(known)
    engines, lots = zip(*(one.split("/") if "/" in one else (one, "") for one in known), strict=True)
    together = short_name(known) if any(lots) else ""
    return "+".join(dict.fromkeys(engines)) + (f"/{together}" if together else "")


def short_name(contents: object) -> str:
    """Eight letters that stand for the contents, such as prompts that are generated together."""
    return hashlib.sha256(repr(contents).encode()).hexdigest()[:8]


class Engine(Protocol):
    """Something that holds a model and completes prompts.

    `streams` says whether it schedules prompts by itself and wants to see all of them at once. Else
    it is handed one shard at a time: its batches, and with them the last digits of its numbers, then
    never depend on what was done before.
    """

    streams: bool

    def complete(self, prompts: Sequence[Ids], sampling: Sampling) -> Iterator[tuple[int, Completion]]:
        """Yields (index of the prompt, completion) as they get done, in any order."""
        ...

    def close(self) -> None:
        """Gives the memory back."""
        ...
