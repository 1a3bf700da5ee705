"""The engine for any server that speaks the OpenAI protocol.

Threads hold the requests, a bounded number at a time; all decoding and encoding happens in the caller's thread. How
the server wants to be asked is found out at the start.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import Protocol

from dragoman.errors import DataError, EngineError
from dragoman.generation.ask import Completion, Ids, Sampling
from dragoman.generation.openai.connect import GREETING, connect
from dragoman.generation.openai.http import Client, Closed, Refused, Unanswered, shown
from dragoman.generation.openai.protocol import (
    Answer,
    First,
    Message,
    Messages,
    Way,
    body,
    check,
    continues,
    largest,
    read,
)
from dragoman.generation.seeds import row_key
from dragoman.generation.token_budget import rooms
from dragoman.interrupts import AWAKE
from dragoman.json_values import Json
from dragoman.progress import note
from dragoman.recipe.engines import Server

AHEAD = 2  # requests handed over for each in progress: enough that threads never wait
COARSE = 32  # the most tokens of ours that one token of another vocabulary may be
GONE = 16  # at least so many requests in a row without any answer mean that the server is gone


class Spoken(Protocol):
    """One turn of a conversation, such as a `corpora.records.Turn`."""

    @property
    def role(self) -> str: ...

    @property
    def whole(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Job:
    """A prompt on its way to the server. `only` lists the tokens that may replace its last one, if it is to be
    healed.
    """

    index: int
    prompt: Ids
    messages: Messages | None
    limit: int
    only: Ids = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a job: an answer, or the reason why there is none. `lost` means that the server went silent."""

    index: int
    seconds: float
    answer: Answer | None = None
    why: str = ""
    lost: bool = False


class ServerEngine:
    """Completes prompts on a server.

    `decode` and `encode` turn ids into text and back; `turns` reads a prompt's ids as a conversation, for servers
    that take nothing else; `extensions` returns all tokens whose text begins with a given token's text (without it,
    nothing can be healed); `vocabulary` is the number of ids. `say` receives what the person should know once,
    `sleep` waits between attempts.

    Raises an EngineError at once if there is no such server, it does not speak this protocol, it does not have the
    model, or it wants a key.
    """

    streams = True

    def __init__(
        self,
        settings: Server,
        *,
        decode: Callable[[Sequence[int]], str],
        encode: Callable[[str], Ids],
        turns: Callable[[Ids], Sequence[Spoken]],
        extensions: Callable[[int], Ids] | None = None,
        vocabulary: int | None = None,
        say: Callable[[str], None] = note,
        sleep: Callable[[float], object] | None = None,
    ):
        self.settings = settings
        self.decode, self.encode, self.turns, self.extensions = decode, encode, turns, extensions
        self._vocabulary = vocabulary
        self._say = say
        self._sleep = sleep
        self._said: set[str] = set()
        self._flights: set[Flight] = set()
        found = connect(settings, encode(GREETING), say=say, sleep=sleep, ours=self._ours)
        self.address, self._key, self.way, self.context = found.address, found.key, found.way, found.context

    @property
    def name(self) -> str:
        """Stands for the model's contents, which cannot be seen from here: its address, its name, how it is asked."""
        return " ".join([self.address, self.way.model, self.way.api, *([] if self.way.ids else ["as text"])])

    def complete(self, prompts: Sequence[Ids], sampling: Sampling) -> Iterator[tuple[int, Completion]]:
        """Yields (index of the prompt, completion) as the server answers.

        A request that is refused, or gets no answer after all retries, is `failed`. An EngineError is raised if the
        server stops answering altogether or no longer accepts the key, and for prompts that leave no room in the
        model's context (where the server tells it).
        """
        self._check(sampling)
        limits = rooms(prompts, self.context, sampling.max_tokens, heal=sampling.heal)
        client = Client(
            self.address,
            key=self._key,
            timeout=self.settings.timeout,
            retries=self.settings.retries,
            sleep=self._sleep,
            say=self._say,
        )
        flight = Flight(client, self.settings.concurrency)
        self._flights.add(flight)
        waiting = iter(range(len(prompts)))
        silent = 0
        try:
            while True:
                while (
                    flight.under_way < AHEAD * self.settings.concurrency and (index := next(waiting, None)) is not None
                ):
                    try:
                        job = self._job(index, prompts[index], sampling, limits[index])
                    except DataError as error:  # this prompt can't be told as a conversation; others can
                        yield index, Completion((), "", "failed", why=str(error))
                    else:
                        flight.start(job, self.way, sampling, self._vocabulary)
                if not flight.under_way:
                    return
                outcome = flight.next()
                silent = silent + 1 if outcome.lost else 0
                if silent >= max(GONE, self.settings.concurrency + 1):
                    raise EngineError(
                        f"The server at {self.address} answers no more: {silent} requests in a row got nothing. The "
                        f"last: {outcome.why}. What was finished is kept; start again when the server is back."
                    )
                index = outcome.index
                yield index, self._completion(outcome, prompts[index], sampling, limits[index])
        except Closed as error:
            raise EngineError("The engine was closed while it had requests under way.") from error
        finally:
            flight.end()
            self._flights.discard(flight)

    def close(self) -> None:
        """Ends all requests in progress, and their threads."""
        for flight in list(self._flights):
            flight.end()

    def _ours(self, greeted: Answer) -> bool:
        """Whether the ids in a server's first answer are of this vocabulary: its prompt decodes to what was sent."""
        ids = (*(greeted.prompt or ()), *(greeted.ids or ()))
        if self._vocabulary is not None and not all(0 <= token < self._vocabulary for token in ids):
            return False
        if greeted.prompt is None:
            return self.decode(ids).strip() == greeted.text.strip()
        return self.decode(self.encode(GREETING)) in self.decode(greeted.prompt)

    def _check(self, sampling: Sampling) -> None:
        """Raises an EngineError if the server cannot do what is asked; it might otherwise silently ignore it."""
        here, way = f"The server at {self.address}", self.way
        advice = "Ask vLLM's server by its completions, or take another engine"
        if sampling.heal and self.extensions is None:
            raise EngineError(
                "This engine was not told which tokens begin with which, so it cannot heal the last token of a prompt. "
                "Give it `extensions`, or set `boundary: exact`."
            )
        if sampling.heal and not (way.ids and way.api == "completions"):
            raise EngineError(
                f"{here} takes and returns text, so no boundary can be healed. {advice}; or boundary: exact."
            )
        if sampling.ban_first and not way.ids:
            raise EngineError(f"{here} can't keep an answer from ending at once. {advice}; or another `elicit`.")
        if sampling.ban_first and way.api == "chat" and not _is_end(sampling):
            raise EngineError(
                f"{here} can keep an answer from ending at once, but not from beginning with other tokens that are "
                f"banned. {advice}; or another `elicit`."
            )
        if sampling.logprobs and not way.ids and not (way.spelt and sampling.max_tokens == 1):
            only = " (of answers of one token it can give them by the text of tokens)" if way.spelt else ""
            raise EngineError(
                f"{here} gives no log-probabilities by token id{only}. {advice}; or leave keep_logprobs out."
            )
        if sampling.top_k and not way.more:
            raise EngineError(f"{here} does not know top_k. Leave it out, or take another engine.")
        if not way.ids:
            self._once(
                f"{here} returns text and no token ids: what it wrote is cut into tokens anew here, perhaps into "
                "others than those that were generated. vLLM's server returns the ids."
            )

    def _job(self, index: int, prompt: Ids, sampling: Sampling, limit: int) -> Job:
        only: Ids = ()
        if sampling.heal:
            assert self.extensions is not None
            only = self.extensions(prompt[-1]) or prompt[-1:]
        if self.way.api == "completions":
            return Job(index, prompt, None, limit, only)
        messages: list[Message] = [{"role": turn.role, "content": turn.whole} for turn in self.turns(prompt)]
        if continues(messages) and not self.way.more:
            raise EngineError(
                f"The server at {self.address} takes only what OpenAI's own chat takes, so it can't continue an answer "
                "that has begun. Serve the model with vLLM (vllm serve), or take another engine."
            )
        if continues(messages) and not self.way.ids:
            self._once(
                f"The server at {self.address} doesn't tell whether it continues an answer that has begun, as it is "
                "asked to (continue_final_message), or begins another. Look at some completions."
            )
        return Job(index, prompt, messages, limit)

    def _completion(self, outcome: Outcome, prompt: Ids, sampling: Sampling, limit: int) -> Completion:
        answer = outcome.answer
        if answer is None or answer.finish not in ("stop", "length"):
            reason = "" if answer is None else shown(answer.finish, self._key)
            why = outcome.why if answer is None else f"the server ended it for another reason: {reason}"
            return Completion((), "", "failed", None, outcome.seconds, why)
        if self.way.api == "chat" and answer.prompt is not None and answer.prompt != prompt:
            self._once(
                f"The server at {self.address} renders a prompt to {len(answer.prompt)} tokens that has {len(prompt)} "
                "here, or to other ones: its chat template, system prompt or vocabulary differs from the backbone's."
            )
        ids = self.encode(answer.text) if answer.ids is None else answer.ids
        if len(ids) > COARSE * limit:
            why = f"the server wrote {len(ids):,} tokens, as counted here, where at most {limit:,} were asked for"
            return Completion((), "", "failed", None, outcome.seconds, why)
        if answer.spelt is not None:
            return self._one(answer, sampling.stop, outcome.seconds)
        stopped = answer.finish == "stop" and bool(sampling.stop)
        if stopped and (answer.ids is None or ids[-1:] not in {(token,) for token in sampling.stop}):
            ids += sampling.stop[:1]  # it was not told which token ended the answer
        text = self.decode(ids[:-1] if stopped else ids)
        return Completion(ids, text, "stop" if stopped else "length", answer.logprobs, outcome.seconds)

    def _one(self, answer: Answer, stop: Ids, seconds: float) -> Completion:
        """One token from a server without ids, and the most likely ones, as far as they are single tokens here too.

        A token is matched to the one whose text is exactly the same. The answer's text is the server's.
        """
        likely = tuple((token[0], value) for text, value in answer.spelt or () if (token := self._token(text)))
        if answer.finish == "stop" and not answer.text and stop:
            return Completion(stop[:1], "", "stop", (likely,), seconds)
        ids = self._token(answer.text) or self.encode(answer.text)[:1] or tuple(token for token, _ in likely[:1])
        return Completion(ids, answer.text, "length", (likely,) if ids else None, seconds)

    def _token(self, text: str) -> Ids:
        ids = self.encode(text)
        return ids if len(ids) == 1 and self.decode(ids) == text else ()

    def _once(self, sentence: str) -> None:
        if sentence not in self._said:
            self._said.add(sentence)
            self._say(sentence)


class Flight:
    """Requests in progress, in threads of their own; closing it ends all of them."""

    def __init__(self, client: Client, concurrency: int):
        self.under_way = 0
        self._ended = False
        self._client = client
        self._pool = ThreadPoolExecutor(concurrency, thread_name_prefix="dragoman-server")
        self._done: SimpleQueue[Future[Outcome]] = SimpleQueue()

    def start(self, job: Job, way: Way, sampling: Sampling, vocabulary: int | None = None) -> None:
        if self._ended:
            raise Closed
        self.under_way += 1
        self._pool.submit(_outcome, self._client, way, job, sampling, vocabulary).add_done_callback(self._done.put)

    def next(self) -> Outcome:
        """Waits for the next job to finish. Raises `Closed` if the flight has ended."""
        done: Future[Outcome] | None = None
        while done is None:
            with suppress(Empty):
                done = self._done.get(timeout=AWAKE)
        self.under_way -= 1
        if done.cancelled():
            raise Closed
        return done.result()

    def end(self) -> None:
        self._ended = True
        self._client.close()
        self._pool.shutdown(wait=True, cancel_futures=True)


def _outcome(client: Client, way: Way, job: Job, sampling: Sampling, vocabulary: int | None) -> Outcome:
    start = time.monotonic()
    answer, why, lost = None, "", False
    try:
        answer = _answer(client, way, job, sampling, vocabulary)
    except Refused as error:
        if error.status == 401:
            raise EngineError(
                f"The server takes the key no longer: {error.reason}. What was finished is kept."
            ) from error
        why = str(error)
    except Unanswered as error:
        why, lost = str(error), True
    return Outcome(job.index, time.monotonic() - start, answer, why, lost)


def _answer(client: Client, way: Way, job: Job, sampling: Sampling, vocabulary: int | None) -> Answer:
    """Sends one request where that is enough. Rules for the first tokens alone need a request of their own for each."""
    firsts: list[First] = []
    if sampling.heal:
        firsts.append(First(only=job.only))
    banned = bool(sampling.ban_first) and not _is_end(sampling)
    if banned:
        firsts += [First(banned=sampling.ban_first)] * sampling.ban_tokens
    base = job.prompt[:-1] if sampling.heal else job.prompt
    answer = Answer((), "", "length", () if sampling.logprobs else None)

    def more(limit: int, first: First) -> Answer:
        written = answer.ids or ()
        seed = row_key(sampling.seed, job.prompt + written)
        sent = base + written if job.messages is None else job.messages
        asked = body(way, sent, sampling, limit, seed, first)

        def reading(found: Json) -> Answer:
            answer = read(way, found, sampling.logprobs)
            check(answer, limit, vocabulary, None if job.messages is not None else base + written)
            return answer

        return client.post(way.path, asked, reading, largest(asked))

    for first in firsts[: job.limit]:
        answer = _joined(answer, more(1, first))
        token = (answer.ids or (None,))[-1]
        if token in first.banned or (first.only and token not in first.only):
            raise EngineError(
                "The server took a request that holds the first token to some ids, and did not keep to it "
                f"(allowed_token_ids, logit_bias): it wrote {token}. Take another engine, or boundary: exact."
            )
        if token in sampling.stop:
            return replace(answer, finish="stop")
    left = job.limit - len(answer.ids or ())
    if not left:
        return answer
    return _joined(answer, more(left, First(least=sampling.ban_tokens if sampling.ban_first and not banned else 0)))


def _joined(answer: Answer, more: Answer) -> Answer:
    ids = None if more.ids is None else (answer.ids or ()) + more.ids
    logprobs = None if more.logprobs is None else (answer.logprobs or ()) + more.logprobs
    return replace(more, ids=ids, logprobs=logprobs, text=answer.text + more.text)


def _is_end(sampling: Sampling) -> bool:
    """Whether the ids banned at first are just the ones that end an answer, which servers have a parameter for."""
    return set(sampling.ban_first) == set(sampling.stop)
