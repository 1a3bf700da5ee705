"""What the OpenAI protocol says over the wire: requests as a server takes them, and what its answers mean.

The protocol knows no token ids. vLLM's additions do, and can hold a token to some ids; which of them
a server takes is found out once, by trying.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from dragoman.generation.ask import Ids, Sampling

Messages = Sequence[dict[str, str]]
Logprobs = tuple[tuple[tuple[int, float], ...], ...]
TOKEN = "token_id:"  # how vLLM writes a token where it was asked for its id
_MOST_LOGPROBS = 20  # that the protocol knows


@dataclass(frozen=True, slots=True)
class Way:
    """How a server is asked, and what it understands.

    `more` says that it takes parameters beyond the protocol. `ids` tells where the ids of its answers
    stand; where nowhere, there is only text, and it is not known which parameters were ignored.
    """

    model: str
    api: Literal["completions", "chat"]
    more: bool
    ids: Literal["token_ids", "logprobs", ""] = ""

    @property
    def path(self) -> str:
        return "/completions" if self.api == "completions" else "/chat/completions"


@dataclass(frozen=True, slots=True)
class First:
    """What the first token is held to: one of `only`, none of `banned`, or (`goes_on`) no end."""

    only: Ids = ()
    banned: Ids = ()
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server wrote. `ids` is None where it gave text alone; `prompt` are the ids that it says it continued."""

    ids: Ids | None
    text: str
    finish: str
    logprobs: Logprobs | None = None
    prompt: Ids | None = None


def body(
    way: Way, prompt: Ids | Messages, sampling: Sampling, limit: int, seed: int, first: First | None = None
) -> dict[str, Any]:
    """The request for one answer of at most `limit` tokens; with `first` the server must be one that takes more."""
    first = first or First()
    asked: dict[str, Any] = {
        "model": way.model,
        "max_tokens": limit,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
    }
    if sampling.temperature > 0:
        asked["seed"] = seed >> 1 if way.ids else seed >> 33  # vLLM takes 63 bits; others may take 32
    if way.api == "completions":
        asked["prompt"] = list(prompt)
    else:
        asked["messages"] = list(prompt)
    if way.more:
        asked |= _more(way, sampling, first)
        if way.api == "chat":
            # an empty thought stands in the ids already, where the template has one
            asked["chat_template_kwargs"] = {"enable_thinking": False}
    if way.api == "chat" and continues(prompt):
        asked |= {"continue_final_message": True, "add_generation_prompt": False}
    return asked


def continues(messages: Any) -> bool:
    """Whether a conversation ends with the beginning of the assistant's answer."""
    return bool(messages[-1]["role"] == "assistant")


def _more(way: Way, sampling: Sampling, first: First) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "stop_token_ids": list(sampling.stop),
        "top_k": sampling.top_k,
        "min_p": 0.0,  # like the next one said outright, since a model's own settings may have another
        "repetition_penalty": 1.0,
        "return_token_ids": True,
        "return_tokens_as_token_ids": True,
    }
    if way.ids:  # some servers take this one without the stop ids, and would write on for ever
        asked["ignore_eos"] = True
    if first.goes_on:
        asked["min_tokens"] = 1
    if first.only:
        asked["allowed_token_ids"] = list(first.only)
    if first.banned:
        asked["logit_bias"] = {str(token): -100 for token in first.banned}
    count = max(sampling.logprobs, int(way.ids == "logprobs"))
    if count and way.api == "completions":
        asked["logprobs"] = count
    elif count:  # the written token comes first and counts here
        asked |= {"logprobs": True, "top_logprobs": min(count + 1, _MOST_LOGPROBS)}
    return asked


def read(way: Way, found: Any, logprobs: int = 0) -> Answer:
    """What an answer says. A ValueError where it does not say what the protocol promises."""
    choices = found.get("choices") if isinstance(found, dict) else None
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise ValueError("no choices")
    choice = choices[0]
    finish = choice.get("finish_reason")
    if not isinstance(finish, str) or finish == "abort":
        raise ValueError("no reason why it ended")
    message = choice.get("message")
    text = (
        choice.get("text") if way.api == "completions" else isinstance(message, dict) and (message.get("content") or "")
    )
    if not isinstance(text, str):
        raise ValueError("no text")
    steps = _steps(choice.get("logprobs")) if way.more else []
    prompt = choice.get("prompt_token_ids", found.get("prompt_token_ids"))
    given: Any = choice.get("token_ids") if way.ids != "logprobs" else _written(steps)
    if way.ids and not _are_ids(given):
        raise ValueError("no token ids")
    likely = tuple(_most_likely(step, logprobs) for _, step in steps) if logprobs else None
    if likely is not None and len(likely) != len(given or ()):
        raise ValueError("not as many log-probabilities as tokens")
    return Answer(
        tuple(given) if way.ids and given is not None else None,
        text,
        finish,
        likely,
        tuple(prompt) if _are_ids(prompt) else None,
    )


def where_ids_are(found: Any) -> Literal["token_ids", "logprobs", ""]:
    """Where the ids stand in the answer to a first request that asked for them in every way there is."""
    choice = found["choices"][0]
    if _are_ids(choice.get("token_ids")):
        return "token_ids"
    written = _written(_steps(choice.get("logprobs")))
    return "logprobs" if written and None not in written else ""


def _are_ids(found: Any) -> bool:
    return isinstance(found, list) and all(type(token) is int for token in found)


def _steps(found: Any) -> list[tuple[str, list[tuple[str, float]]]]:
    """For each step the token that was written, and tokens with their log-probabilities."""
    if not isinstance(found, dict):
        return []
    try:
        if isinstance(found.get("content"), list):  # as chat has it
            return [
                (step["token"], [(other["token"], float(other["logprob"])) for other in step["top_logprobs"]])
                for step in found["content"]
            ]
        tops = found.get("top_logprobs") or [{}] * len(found["tokens"])
        return [
            (token, [(other, float(value)) for other, value in (top or {}).items()])
            for token, top in zip(found["tokens"], tops, strict=True)
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"log-probabilities without {error}") from error


def _written(steps: Sequence[tuple[str, Any]]) -> list[int | None]:
    return [_id(token) for token, _ in steps]


def _id(token: str) -> int | None:
    number = token.removeprefix(TOKEN)
    return int(number) if number != token and number.isdecimal() else None


def _most_likely(step: Sequence[tuple[str, float]], count: int) -> tuple[tuple[int, float], ...]:
    pairs = [(token, value) for word, value in step if (token := _id(word)) is not None]
    return tuple(sorted(pairs, key=lambda pair: -pair[1])[:count])
