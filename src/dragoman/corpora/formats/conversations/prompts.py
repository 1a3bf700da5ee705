"""Request files: prompts without answers, from JSON (Lines) or from a text file with one prompt a line.

    {"messages": [{"role", "content"}, …], "kind"}   a conversation, which ends with the user's message
    {"prompt", "kind"}                               one turn of the user

The kind may be missing. Other keys are ignored.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from dragoman.corpora.formats.conversations.forms import NEXT, shown
from dragoman.corpora.formats.text import ending, lines
from dragoman.corpora.formats.values import json_records
from dragoman.corpora.records import Request, Role, Turn, draw
from dragoman.errors import DataError, refuse
from dragoman.json_values import Json, JsonObject, as_text

ENOUGH = 20  # faults, after which a file is not read on
ROLES: dict[str, Role] = {"system": "system", "user": "user", "assistant": "assistant"}
LIMITED = "over the limit"


def read(path: Path, origin: str, dropped: Counter[str]) -> Iterator[Request]:
    """The requests of a file in its order, texts stripped of surrounding white space.

    Those with an empty turn or half a character are left out and counted. `DataError` lists what is wrong, up to 20
    faults.
    """
    if ending(path.name) not in (".json", ".jsonl"):
        yield from _plain(path, origin)
        return
    faults: list[str] = []
    found = False
    for place, record in json_records(path, dropped=dropped):
        found = True
        faults += [f"{place}: {fault}" for fault in _faults(record)]
        if len(faults) > ENOUGH:
            break
        if faults:
            continue
        turns = _turns(record)
        if all(turn.text for turn in turns):
            yield Request(turns, as_text(record.get("kind", "")), origin)
        else:
            dropped["empty"] += 1
    refuse(faults, complete=False)
    if not found:
        raise DataError(f"{path} has no prompts in it")


def _plain(path: Path, origin: str) -> Iterator[Request]:
    found = False
    for _, line in lines(path):
        if text := line.strip():
            found = True
            yield Request((Turn("user", text),), origin=origin)
    if not found:
        raise DataError(f"{path} has no prompts in it")


def choose(
    requests: Sequence[Request], limit: int | None, seed: int, unwanted: Callable[[Request], str | None]
) -> tuple[list[Request], Counter[str]]:
    """The requests that are wanted, each once and no more than `limit`, in their order; and what was left out, by
    reason.

    `unwanted` returns a reason to leave a request out, or None. A limit keeps those with the smallest draws, so the
    choice does not depend on their order.
    """
    dropped: Counter[str] = Counter()
    kept: dict[str, Request] = {}
    for request in requests:
        if reason := "duplicate" if request.key in kept else unwanted(request):
            dropped[reason] += 1
        else:
            kept[request.key] = request
    if limit is not None and len(kept) > limit:
        dropped[LIMITED] += len(kept) - limit
        chosen = set(sorted(kept, key=lambda key: draw(key, "limit", seed))[:limit])
        kept = {key: request for key, request in kept.items() if key in chosen}
    return list(kept.values()), dropped


def as_line(request: Request) -> dict[str, object]:
    """A request as `read` reads it."""
    messages = [{"role": turn.role, "content": turn.whole} for turn in request.turns]
    return {"kind": request.kind, "messages": messages, "origin": request.origin}


def _turns(record: Mapping[str, Json]) -> tuple[Turn, ...]:
    messages = record.get("messages")
    if not isinstance(messages, list):
        return (Turn("user", as_text(record["prompt"]).strip()),)
    objects = [message for message in messages if isinstance(message, dict)]
    return tuple(Turn(ROLES[as_text(one["role"])], as_text(one["content"]).strip()) for one in objects)


def _faults(record: JsonObject) -> list[str]:
    """What is wrong with a record: the field, what was expected, what is there."""
    wrong = []
    if not isinstance(record.get("kind", ""), str):
        wrong.append(f"'kind' must be text, not {shown(record['kind'])}")
    if "messages" in record:
        return wrong + _message_faults(record["messages"])
    if "prompt" not in record:
        there = ", ".join(map(repr, record)) or "nothing"
        return [*wrong, f"needed is 'messages' that end with the user's, or 'prompt'; there is {there}"]
    if not isinstance(record["prompt"], str):
        wrong.append(f"'prompt' must be text, not {shown(record['prompt'])}")
    return wrong


def _message_faults(messages: Json) -> list[str]:
    if not isinstance(messages, list) or not messages:
        return [f'\'messages\' must be a list of {{"role", "content"}} objects, not {shown(messages)}']
    before = ""
    for number, message in enumerate(messages, start=1):
        if not isinstance(message, dict) or not {"role", "content"} <= message.keys():
            return [f'message {number} must be an object with "role" and "content", not {shown(message)}']
        expected = NEXT[before] if before else ("system", "user")
        if message["role"] not in expected:
            return [f"message {number}: the role must be {' or '.join(expected)} here, not {shown(message['role'])}"]
        if not isinstance(message["content"], str):
            return [f'message {number}: "content" must be text, not {shown(message["content"])}']
        before = as_text(message["role"])
    if before != "user":
        return ["the last message must be the user's, for the backbone to answer; take the answer out"]
    return []
