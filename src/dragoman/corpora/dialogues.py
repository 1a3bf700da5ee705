"""Reads instruction data into dialogues: JSON Lines, one at a time, or one JSON array.

What a record is can be told from its keys:

    {"messages": [{"role", "content"}, …]}        a conversation, which ends with the assistant's message
    {"problem", "solution"}                       Magicoder's OSS-Instruct
    {"instruction", "input", "output"}            Alpaca; the input may be empty or missing
    {"instruction", "context", "response"}        Dolly; without a context also Magicoder's Evol-Instruct

The request is the instruction, and after a blank line its input or context. The headings with which
Alpaca's own prompt sets the two apart are left away: the backbone's chat format does that work.
Other keys are not looked at.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dragoman.corpora.parallel import json_records
from dragoman.corpora.records import Dialogue, Turn, draw
from dragoman.errors import DataError

SHOWN = 20
FORMS = {  # the key of an answer → the keys of its request; what else may stand after it
    "solution": ("problem", ()),
    "output": ("instruction", ("input",)),
    "response": ("instruction", ("context",)),
}
NEXT = {"system": ("user",), "user": ("assistant",), "assistant": ("user",)}  # who speaks after whom


@dataclass(frozen=True, slots=True)
class DialogueFile:
    """A file with dialogues, what they are called, and the language (a record's `lang`) that is taken of them."""

    path: Path
    origin: str
    lang: str = ""


@dataclass(frozen=True)
class Chosen:
    """Dialogues to go through as often as needed, read from their file each time; `dropped` counts the others."""

    file: DialogueFile
    dropped: Counter[str]
    kept: NDArray[np.bool_]  # [dialogues of the file, in its order]

    def __iter__(self) -> Iterator[Dialogue]:
        return compress(read(self.file), self.kept)

    def __len__(self) -> int:
        return int(self.kept.sum())


def read(file: DialogueFile, dropped: Counter[str] | None = None) -> Iterator[Dialogue]:
    """The dialogues of a file in its order, texts stripped of surrounding whitespace.

    Those without a request or an answer are left out and counted in `dropped`, and so are those in another
    language than the one that is asked for. `DataError` lists what is not as it should be, the first 20 faults.
    """
    dropped = Counter() if dropped is None else dropped
    faults: list[str] = []
    found = False
    for place, record in json_records(file.path):
        found = True
        wrong = _faults(record, file.lang)
        faults += [f"{place}: {fault}" for fault in wrong]
        if len(faults) > SHOWN:
            break
        if faults:
            continue
        if file.lang and record["lang"].casefold() != file.lang.casefold():
            dropped[f"not {file.lang}"] += 1
            continue
        turns = _turns(record)
        if all(turn.text for turn in turns):
            yield Dialogue(turns, file.origin)
        else:
            dropped["empty"] += 1
    if faults:
        raise DataError("\n".join([*faults[:SHOWN], *(["… and more"] if len(faults) > SHOWN else [])]))
    if not found:
        raise DataError(f"{file.path} has no conversations in it")


def select(
    file: DialogueFile, limit: int | None, seed: int, unwanted: Callable[[Dialogue], str | None] = lambda _: None
) -> Chosen:
    """Reads through a file and decides which of its dialogues to keep: each once, and no more than `limit`.

    `unwanted` gives the reason to leave a dialogue out, if there is one. A limit keeps those with the smallest
    draws, so which ones are kept does not depend on their order.
    """
    dropped: Counter[str] = Counter()
    keys, draws = array("Q"), array("d")
    reasons: list[str | None] = []
    for dialogue in read(file, dropped):
        key = dialogue.key
        keys.append(int(key, 16))
        draws.append(draw(key, "limit", seed))
        reasons.append(unwanted(dialogue))
    kept = np.zeros(len(keys), dtype=bool)
    kept[np.unique(np.array(keys, dtype=np.uint64), return_index=True)[1]] = True
    dropped["duplicate"] += len(keys) - int(kept.sum())
    dropped.update(reason for reason, first in zip(reasons, kept, strict=True) if first and reason)
    kept &= np.array([reason is None for reason in reasons], dtype=bool)
    if limit is not None:
        candidates = np.flatnonzero(kept)
        order = np.argsort(np.array(draws)[candidates], kind="stable")
        kept[candidates[order[limit:]]] = False
        dropped["over the limit"] += max(0, len(candidates) - limit)
    return Chosen(file, +dropped, kept)


def _turns(record: dict[str, Any]) -> tuple[Turn, ...]:
    if "messages" in record:
        turns = (Turn(message["role"], message["content"].strip()) for message in record["messages"])
        return tuple(turn for turn in turns if turn.text or turn.role != "system")
    answer = _answer_key(record)
    asked, extras = FORMS[answer]
    instruction = record[asked].strip()
    more = [text.strip() for key in extras if (text := record.get(key))] if instruction else []
    request = "\n\n".join([instruction, *filter(None, more)])
    return Turn("user", request), Turn("assistant", record[answer].strip())


def _answer_key(record: dict[str, Any]) -> str:
    """The key of the answer; empty where the record is of no known form."""
    return next((answer for answer, (asked, _) in FORMS.items() if answer in record and asked in record), "")


def _faults(record: dict[str, Any], lang: str) -> list[str]:
    if lang and not isinstance(record.get("lang"), str):
        return [f"'lang' must say which language the record is in, since only {lang} is taken"]
    if "messages" in record:
        return _message_faults(record["messages"])
    answer = _answer_key(record)
    if not answer:
        return [
            "no form that is known. Needed are 'messages', 'instruction' with 'output' or 'response', or 'problem' "
            f"with 'solution'; there is {', '.join(map(repr, record)) or 'nothing'}"
        ]
    asked, extras = FORMS[answer]
    faults = [f"{key!r} must be text, not {_shown(record[key])}" for key in (asked, answer) if not _text(record[key])]
    return faults + [
        f"{key!r} must be text, or null, not {_shown(record[key])}"
        for key in extras
        if record.get(key) is not None and not _text(record[key])
    ]


def _message_faults(messages: Any) -> list[str]:
    if not isinstance(messages, list) or not messages:
        return ['\'messages\' must be a list of {"role", "content"} objects']
    faults: list[str] = []
    before = ""
    for number, message in enumerate(messages, start=1):
        if not isinstance(message, dict) or not {"role", "content"} <= set(message):
            return [*faults, f'message {number} must be an object with "role" and "content", not {_shown(message)}']
        role = message["role"]
        expected = NEXT[before] if before else ("system", "user")
        if role not in expected:
            return [*faults, f"message {number}: the role must be {' or '.join(expected)} here, not {_shown(role)}"]
        if not _text(message["content"]):
            faults.append(f'message {number}: "content" must be text, not {_shown(message["content"])}')
        before = role
    return faults if before == "assistant" else [*faults, "the last message must be the assistant's"]


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _shown(value: Any) -> str:
    return repr(value) if len(repr(value)) <= 40 else repr(value)[:40] + "…"
