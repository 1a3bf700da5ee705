"""The OpenAI protocol's messages: building requests, and reading and checking answers.

The protocol has no token ids. vLLM's additions do, and can restrict a token to some ids; what a server accepts is
found out once, by trying. The protocol's own log-probabilities go by the text of tokens.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict, TypeVar, cast

from dragoman.generation.ask import Ids, Sampling
from dragoman.json_values import Json, JsonObject, as_list, as_object, as_objects, as_text

T = TypeVar("T")
Logprobs = tuple[tuple[tuple[int, float], ...], ...]
Spelt = tuple[tuple[str, float], ...]  # of one step, the most likely first
TOKEN = "token_id:"  # how vLLM writes a token where it was asked for its id
_MOST_LOGPROBS = 20  # that the protocol knows
_BYTES = 256  # of JSON that tells a token, at most


class Message(TypedDict):
    """One turn of a conversation."""

    role: str
    content: str


Messages = Sequence[Message]


class Body(TypedDict, total=False):
    """The request for one answer. What comes after `messages` is vLLM's, but for the log-probabilities."""

    model: str
    max_tokens: int
    temperature: float
    top_p: float
    seed: int
    prompt: list[int]
    messages: list[Message]
    logprobs: int | bool
    top_logprobs: int
    stop_token_ids: list[int]
    top_k: int
    min_p: float
    repetition_penalty: float
    return_token_ids: bool
    return_tokens_as_token_ids: bool
    ignore_eos: bool
    min_tokens: int
    allowed_token_ids: list[int]
    logit_bias: dict[str, int]
    chat_template_kwargs: dict[str, bool]
    continue_final_message: bool
    add_generation_prompt: bool


@dataclass(frozen=True, slots=True)
class Way:
    """How a server is asked, and what it understands.

    `more` says that it accepts parameters beyond the protocol. `ids` tells where in its answers the ids are; where
    nowhere, there is only text, and we cannot know which parameters it ignored. `spelt` says that it then has
    log-probabilities by the text of tokens.
    """

    model: str
    api: Literal["completions", "chat"]
    more: bool
    ids: Literal["token_ids", "logprobs", ""] = ""
    spelt: bool = False

    @property
    def path(self) -> str:
        return "/completions" if self.api == "completions" else "/chat/completions"


@dataclass(frozen=True, slots=True)
class First:
    """Rules for the first token: one of `only`, none of `banned`. At `least` so many tokens must come before an end."""

    only: Ids = ()
    banned: Ids = ()
    least: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server wrote. `ids` is None if it sent only text; `prompt` are the ids that it says it continued.

    `spelt` are the most likely first tokens, by text, from a server without ids.
    """

    ids: Ids | None
    text: str
    finish: str
    logprobs: Logprobs | None = None
    prompt: Ids | None = None
    spelt: Spelt | None = None


def body(
    way: Way, prompt: Ids | Messages, sampling: Sampling, limit: int, seed: int, first: First | None = None
) -> Body:
    """The request for one answer of at most `limit` tokens. `first` needs a server with parameters beyond the
    protocol.
    """
    first = first or First()
    asked: Body = {
        "model": way.model,
        "max_tokens": limit,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
    }
    if sampling.temperature > 0:
        asked["seed"] = seed >> 1 if way.ids else seed >> 33  # vLLM takes 63 bits; others may take 32
    if way.api == "completions":
        asked["prompt"] = list(cast(Ids, prompt))
    else:
        asked["messages"] = list(cast(Messages, prompt))
    if way.more:
        asked |= _more(way, sampling, first)
        if way.api == "chat":
            # if the template has an empty thought, the ids contain it already
            asked["chat_template_kwargs"] = {"enable_thinking": False}
    elif way.spelt and sampling.logprobs:
        asked |= _likely(way, sampling.logprobs)
    if way.api == "chat" and continues(cast(Messages, prompt)):
        asked |= {"continue_final_message": True, "add_generation_prompt": False}
    return asked


def continues(messages: Messages) -> bool:
    """Whether a conversation ends with the beginning of the assistant's answer, to be continued."""
    return messages[-1]["role"] == "assistant"


def _more(way: Way, sampling: Sampling, first: First) -> Body:
    asked: Body = {
        "stop_token_ids": list(sampling.stop),
        "top_k": sampling.top_k,
        "min_p": 0.0,  # explicit, like the next, since a model's own settings may differ
        "repetition_penalty": 1.0,
        "return_token_ids": True,
        "return_tokens_as_token_ids": True,
    }
    if way.ids:  # some servers take this one without the stop ids, and would write on for ever
        asked["ignore_eos"] = True
    if first.least:
        asked["min_tokens"] = first.least
    if first.only:
        asked["allowed_token_ids"] = list(first.only)
    if first.banned:
        asked["logit_bias"] = {str(token): -100 for token in first.banned}
    if count := max(sampling.logprobs, int(way.ids == "logprobs")):
        # in vLLM's chat the written token comes first and counts
        asked |= _likely(way, count + (way.api == "chat"))
    return asked


def _likely(way: Way, count: int) -> Body:
    if way.api == "completions":
        return {"logprobs": count}
    return {"logprobs": True, "top_logprobs": min(count, _MOST_LOGPROBS)}


def read(way: Way, found: Json, logprobs: int = 0) -> Answer:
    """Reads an answer. ValueError if it lacks what the protocol promises."""
    choice = _choice(found)
    finish = choice.get("finish_reason")
    if not isinstance(finish, str) or finish == "abort":
        raise ValueError("no reason why it ended")
    message = choice.get("message")
    if way.api == "completions":
        text = choice.get("text")
    else:
        text = message.get("content") or "" if isinstance(message, dict) else None
    if not isinstance(text, str):
        raise ValueError("no text")
    steps = _steps(choice.get("logprobs")) if way.more or way.spelt else []
    prompt = choice.get("prompt_token_ids", as_object(found).get("prompt_token_ids"))
    ids = _ids(_written(steps) if way.ids == "logprobs" else choice.get("token_ids")) if way.ids else None
    if way.ids and ids is None:
        raise ValueError("no token ids")
    likely = tuple(_most_likely(step, logprobs) for _, step in steps) if logprobs and way.ids else None
    if likely is not None and len(likely) != len(ids or ()):
        raise ValueError("not as many log-probabilities as tokens")
    return Answer(
        ids,
        text,
        finish,
        likely,
        _ids(prompt),
        _best(steps[0][1], logprobs) if logprobs and steps and not way.ids else None,
    )


def check(answer: Answer, limit: int, vocabulary: int | None = None, prompt: Ids | None = None) -> None:
    """Raises a ValueError if this cannot be the answer: too many tokens, unknown tokens, or another prompt.

    What a server does not tell cannot be checked.
    """
    known = vocabulary or 1 << 31
    ids = answer.ids or ()
    likely = (token for step in answer.logprobs or () for token, _ in step)
    if len(ids) > limit:
        raise ValueError(f"{len(ids)} tokens, where at most {limit} {'was' if limit == 1 else 'were'} asked for")
    if (odd := next((token for token in (*ids, *likely) if not 0 <= token < known), None)) is not None:
        raise ValueError(f"the vocabulary of {known:,} has no token {odd}")
    if prompt is not None and answer.prompt is not None and answer.prompt != prompt:
        both = zip(answer.prompt, prompt, strict=False)
        place = next((place for place, (one, other) in enumerate(both) if one != other), len(prompt))
        told = f", of which number {place + 1} is {answer.prompt[place]}" if place < len(answer.prompt) else ""
        raise ValueError(f"it continues {len(answer.prompt)} tokens{told}, and was sent {len(prompt)} others")


def largest(asked: Body) -> int:
    """A generous upper limit on the bytes in the answer to a request."""
    each = 2 + int(asked.get("top_logprobs") or asked.get("logprobs") or 0)
    prompt = sum(len(turn["content"]) for turn in asked["messages"]) if "messages" in asked else len(asked["prompt"])
    return (4 << 20) + _BYTES * (asked["max_tokens"] * each + prompt)


def where_ids_are(found: Json) -> Literal["token_ids", "logprobs", ""]:
    """Where the ids are in the answer to a first request that asked for them in every known way."""
    choice = _choice(found)
    if _ids(choice.get("token_ids")) is not None:
        return "token_ids"
    written = _written(_steps(choice.get("logprobs")))
    return "logprobs" if written and None not in written else ""


def tells_likely(found: Json) -> bool:
    """Whether an answer to a request that asked for log-probabilities has them, by the text of tokens."""
    return any(step for _, step in _steps(_choice(found).get("logprobs")))


def _choice(found: Json) -> JsonObject:
    """The first choice of an answer."""
    choices = found.get("choices") if isinstance(found, dict) else None
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise ValueError("no choices")
    return choices[0]


def _ids(given: object) -> Ids | None:
    """A list of ids; None if it is something else."""
    return tuple(given) if isinstance(given, list) and all(type(token) is int for token in given) else None


def _steps(found: Json) -> list[tuple[str, list[tuple[str, float]]]]:
    """For each step, the token that was written, and the candidates with their log-probabilities."""
    if not isinstance(found, dict):
        return []
    try:
        if isinstance(found.get("content"), list):  # as chat has it
            return [
                (
                    _word(step["token"]),
                    [_likely_word(other["token"], other["logprob"]) for other in as_objects(step["top_logprobs"])],
                )
                for step in as_objects(found["content"])
            ]
        if "tokens" not in found and found.get("content") is None:
            return []
        tokens = as_list(found["tokens"])
        tops = as_list(found.get("top_logprobs") or [{}] * len(tokens))
        return [
            (_word(token), [_likely_word(other, value) for other, value in as_object(top or {}).items()])
            for token, top in zip(tokens, tops, strict=True)
        ]
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"log-probabilities without {error}") from error


def _likely_word(token: Json, logprob: Json) -> tuple[str, float]:
    value = float(logprob if isinstance(logprob, int | float) else as_text(logprob))
    if not -math.inf < value < 1:  # rounding may lift it a little above 0; NaN is nowhere
        raise ValueError(f"a log-probability of {value}")
    return _word(token), value


def _word(token: Json) -> str:
    if not isinstance(token, str):
        raise TypeError("the text of a token")
    return token


def _written(steps: Sequence[tuple[str, object]]) -> list[int | None]:
    return [_id(token) for token, _ in steps]


def _id(token: str) -> int | None:
    number = token.removeprefix(TOKEN)
    return int(number) if number != token and number.isdecimal() else None


def _most_likely(step: Sequence[tuple[str, float]], count: int) -> tuple[tuple[int, float], ...]:
    return _best([(token, value) for word, value in step if (token := _id(word)) is not None], count)


def _best(step: Sequence[tuple[T, float]], count: int) -> tuple[tuple[T, float], ...]:
    return tuple(sorted(step, key=lambda pair: -pair[1])[:count])
