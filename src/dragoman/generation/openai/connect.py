"""First contact with a server: whether it speaks the protocol, which model it serves, and how it must be asked."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import Literal

from dragoman.errors import EngineError
from dragoman.generation.ask import Ids, Sampling
from dragoman.generation.openai.http import Client, Refused, Unanswered, parsed, shown
from dragoman.generation.openai.protocol import Answer, Messages, Way, body, check, read, tells_likely, where_ids_are
from dragoman.json_values import Json, JsonObject, as_text
from dragoman.progress import note
from dragoman.recipe.engines import Server

GREETING = "Hello"
ADDRESS = "OPENAI_BASE_URL"
_GREETING = Sampling(max_tokens=1, stop=(), logprobs=1)
_TRIES = 2  # few, so that a missing server is reported soon
_PATIENCE = 30.0  # seconds for the list of models
_NOT_SO = (400, 422)  # what servers say to parameters that they don't know
_LISTED = 12


@dataclass(frozen=True, slots=True)
class Found:
    """A server that answers. `context` is the maximal length of prompt plus answer, if the server tells."""

    address: str
    key: str
    way: Way
    context: int | None


def connect(
    settings: Server,
    greeting: Ids,
    *,
    say: Callable[[str], None],
    sleep: Callable[[float], object] | None = None,
    ours: Callable[[Answer], bool] = lambda answer: True,
) -> Found:
    """Asks for the list of models and for one token. An EngineError says what is wrong and what to do about it.

    `greeting` is GREETING in ids of the model's vocabulary. `ours` tells whether a server's answer to a conversation
    that says GREETING has ids of that vocabulary; a server whose ids belong to another one is asked for text.
    """
    address, key = _address(settings), _key(settings.key)

    def client(timeout: float) -> Client:
        tries = min(settings.retries, _TRIES)
        return Client(address, key=key, timeout=timeout, retries=tries, sleep=sleep, say=say)

    models = _models(client(min(settings.timeout, _PATIENCE)), address, settings)
    model = _pick(models, settings.model, address, key)
    way = _way(client(settings.timeout), model, greeting, address, settings, ours, say)
    return Found(address, key, way, models[model])


def told_context(settings: Server, say: Callable[[str], None] = note) -> int | None:
    """The maximal length of prompt plus answer, if the server tells. EngineErrors as in `connect`."""
    address = _address(settings)
    timeout, tries = min(settings.timeout, _PATIENCE), min(settings.retries, _TRIES)
    key = _key(settings.key)
    models = _models(Client(address, key=key, timeout=timeout, retries=tries, say=say), address, settings)
    return models[_pick(models, settings.model, address, key)]


def _address(settings: Server) -> str:
    address = (settings.address or os.environ.get(ADDRESS, "")).strip().rstrip("/")
    if not address:
        raise EngineError(
            "The openai engine needs a server's address. Set generation.openai.address in the recipe, such as "
            f"http://localhost:8000/v1, or the environment variable {ADDRESS}."
        )
    return address


def _key(variable: str) -> str:
    key = os.environ.get(variable, "").strip()
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise EngineError(
            f"The environment variable {variable} holds something that is no key: it has spaces, line breaks or "
            "letters that can't be sent. (It is not shown here.)"
        )
    return key


def _models(client: Client, address: str, settings: Server) -> dict[str, int | None]:
    """The models that a server lists, each with its context length if told."""
    try:
        status, text = client.get("/models")
    except Unanswered as error:
        raise EngineError(
            f"The server at {address} can't be reached: {error}. Check that it runs, and that the address "
            f"(generation.openai.address, or {ADDRESS}) and the port are right."
        ) from error
    finally:
        client.close()
    if status in (401, 403):
        raise _no_entry(address, settings, status)
    try:
        found = parsed(text)
    except ValueError:
        found = None
    served = found.get("data") if status == 200 and isinstance(found, dict) else None
    listed = served if isinstance(served, list) else []
    models = [one for one in listed if isinstance(one, dict) and isinstance(one.get("id"), str)]
    if not isinstance(served, list) or len(models) < len(served):
        raise EngineError(
            f"What answers at {address} doesn't speak the OpenAI protocol: asked for {address}/models, it sent (HTTP "
            f"{status}) {client.shown(text)!r}. The address of such a server usually ends in /v1."
        )
    return {as_text(model["id"]): _context(model) for model in models}


def _context(model: JsonObject) -> int | None:
    length = model.get("max_model_len")
    return length if isinstance(length, int) and length > 0 else None


def _pick(models: dict[str, int | None], wanted: str | None, address: str, key: str) -> str:
    if wanted in models:
        return wanted
    if wanted is None and len(models) == 1:
        return next(iter(models))
    if not models:
        raise EngineError(f"The server at {address} serves no model.")
    near = get_close_matches(wanted or "", models, n=_LISTED, cutoff=0.4)
    names = [*near, *(name for name in models if name not in near)][:_LISTED]
    rest = f" and {len(models) - len(names)} more" if len(models) > len(names) else ""
    listed = ", ".join(shown(name, key) for name in names)
    said = "several models" if wanted is None else f"no model {wanted!r}"
    raise EngineError(f"The server at {address} serves {said}. Set generation.openai.model to one of: {listed}{rest}.")


def _way(
    client: Client,
    model: str,
    greeting: Ids,
    address: str,
    settings: Server,
    ours: Callable[[Answer], bool],
    say: Callable[[str], None],
) -> Way:
    """How to ask the server: the best of the ways in which it can be asked, found by trying."""
    apis: Sequence[Literal["completions", "chat"]]
    apis = ("completions", "chat") if settings.api == "auto" else (settings.api,)
    refusals: dict[str, None] = {}
    try:
        for api in apis:
            for more, spelt in ((True, False), (False, True), (False, False)):
                way = Way(model, api, more, spelt=spelt)
                prompt: Ids | Messages = greeting if api == "completions" else [{"role": "user", "content": GREETING}]
                try:
                    met, answer = client.post(
                        way.path, body(way, prompt, _GREETING, 1, 0), partial(_met, way, greeting)
                    )
                    if api == "completions" or not met.ids or ours(answer):
                        return met
                    say(f"{model} at {address} has another vocabulary than the model here, so it is asked for text.")
                except Refused as error:
                    if error.status in (401, 403):
                        raise _no_entry(address, settings, error.status) from error
                    refusals[f"to {way.path}, {error}"] = None
                    if error.status not in _NOT_SO:
                        break
                except Unanswered as error:
                    refusals[f"to {way.path}, {error}"] = None
                    break
    finally:
        client.close()
    raise EngineError(
        f"The server at {address} refuses the smallest request for {model}. It says: {'; '.join(refusals)}."
        + ("" if settings.api == "auto" else " generation.openai.api: auto tries the other way of asking as well.")
    )


def _met(way: Way, greeting: Ids, found: Json) -> tuple[Way, Answer]:
    read(way, found)
    ids = where_ids_are(found) if way.more else ""
    met = Way(way.model, way.api, way.more, ids, spelt=not ids and tells_likely(found))
    answer = read(met, found)
    check(answer, 1, prompt=greeting if way.api == "completions" else None)
    return met, answer


def _no_entry(address: str, settings: Server, status: int) -> EngineError:
    has = "does not take the key in" if os.environ.get(settings.key) else "wants a key, and there is none in"
    return EngineError(
        f"The server at {address} {has} the environment variable {settings.key} (HTTP {status}). Put the right one "
        "there, or name another variable in generation.openai.key."
    )
