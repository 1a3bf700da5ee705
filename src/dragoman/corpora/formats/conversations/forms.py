"""Forms of instruction data: recognising a record's form by its keys, and reading its turns.

    {"messages": [{"role", "content"}, …]}           a conversation, which ends with the assistant's message
    {"conversations": [{"from", "value"}, …]}        ShareGPT's: human and gpt (or user, assistant, chatgpt, bing …)
    {"problem", "solution"}                          Magicoder's OSS-Instruct
    {"instruction", "input", "output"}               Alpaca; the input may be empty or missing
    {"instruction", "context", "response"}           Dolly; without a context also Magicoder's Evol-Instruct

The order and case of keys never matter. If a translation has translated the keys as well (`istruzione`), those of a
few languages are understood. Other keys are ignored.
"""

import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import get_args

from dragoman.corpora.records import Role, Turn
from dragoman.json_values import Json, as_objects, as_text

FORMS = {
    "solution": "problem",
    "output": "instruction",
    "response": "instruction",
}  # the key of an answer → its request
EXTRAS = ("input", "context")  # what an instruction is about
KEYS = ("instruction", "input", "context", "output", "response", "problem", "solution")
TALKS = ("messages", "conversations")
TRANSLATED = {  # German, Italian, Spanish, Chinese, Arabic
    "instruction": "anweisung anleitung instruktion istruzione istruzioni instrucción instruccion instrucciones "
    "指令 指示 说明 說明 تعليمات التعليمات تعليمة التعليمة",
    "input": "eingabe ingresso entrada 输入 輸入 إدخال الإدخال مدخل المدخل مدخلات المدخلات",
    "output": "ausgabe uscita salida 输出 輸出 إخراج الإخراج مخرج المخرج مخرجات المخرجات الناتج",
    "context": "kontext contesto contexto 上下文 سياق السياق",
    "response": "antwort risposta respuesta 回答 回复 回覆 答案 响应 رد الرد استجابة الاستجابة إجابة الإجابة جواب",
}
KNOWN = frozenset({*KEYS, *TALKS})
UNDERSTOOD = {name: key for key, names in TRANSLATED.items() for name in names.split()}
SPEAKERS: dict[str, Role] = {
    **{role: role for role in get_args(Role)},
    "human": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "model": "assistant",
    "bot": "assistant",
}
TOOLS = ("tool", "function", "function_call", "function-call", "observation", "tool_call", "tool_response", "ipython")
NEXT: dict[str, tuple[Role, ...]] = {"system": ("user",), "user": ("assistant",), "assistant": ("user",)}
NEEDED = (
    "'messages', 'conversations', 'instruction' with 'output' or 'response' (and 'input' or 'context'), or 'problem' "
    "with 'solution'"
)


def canonical(record: Mapping[str, Json]) -> tuple[Mapping[str, Json], dict[str, str]]:
    """A record with its keys renamed to the known ones, and which keys were renamed to which.

    A key that is present under its own name is used, even if another could be read as it.
    """
    if KNOWN.issuperset(record):
        return record, {}
    renamed: dict[str, str] = {}
    for key in record:
        name = _name(key) if key not in KNOWN else None
        if name and name not in record and name not in renamed.values():
            renamed[key] = name
    return {renamed.get(key, key): value for key, value in record.items()} if renamed else record, renamed


@cache
def _name(key: str) -> str | None:
    plain = unicodedata.normalize("NFKC", key).strip().casefold()
    return plain if plain in KNOWN else UNDERSTOOD.get(plain)


def turns(record: Mapping[str, Json]) -> tuple[tuple[Turn, ...], dict[str, int]]:
    """The turns of a valid record, and counts of what was left out; no turns if nothing remains.

    Texts are stripped of surrounding white space. A conversation in ShareGPT's form begins with the first request and
    ends with the last answer: anything before and after is left out.
    """
    if any(key in record for key in TALKS):
        return _talk(record)
    answer = _answer_key(record)
    instruction = as_text(record[FORMS[answer]]).strip()
    extras = [as_text(record[key]).strip() for key in EXTRAS if record.get(key)]
    about = "\n\n".join(filter(None, extras))
    pair = Turn("user", instruction, about), Turn("assistant", as_text(record[answer]).strip())
    return (pair, {}) if all(turn.text for turn in pair) else ((), {"empty": 1})


def _talk(record: Mapping[str, Json]) -> tuple[tuple[Turn, ...], dict[str, int]]:
    messages = as_objects(record.get("messages") or record["conversations"])
    spoken = [Turn(role, text.strip()) for role, text in map(_spoken, messages)]
    opening = spoken[:1] if spoken and spoken[0].role == "system" else []
    talk = spoken[len(opening) :]
    first = next((at for at, turn in enumerate(talk) if turn.role == "user"), len(talk))
    end = 1 + max((at for at, turn in enumerate(talk) if turn.role == "assistant"), default=-1)
    kept = talk[first:end]
    if not kept or not all(turn.text for turn in kept):
        return (), {"empty": 1}
    if any(turn.role != ("user", "assistant")[at % 2] for at, turn in enumerate(kept)):
        return (), {"request and answer not by turns": 1}
    left_out = {"answers before the first request": first, "requests without an answer at the end": len(talk) - end}
    return (*(turn for turn in opening if turn.text), *kept), left_out


def faults(record: Mapping[str, Json]) -> list[str]:
    """What is wrong with a record: the field, what was expected, what is there."""
    for key in TALKS:
        if key in record:
            return _talk_faults(key, record[key])
    answer = _answer_key(record)
    if not answer:
        there = ", ".join(map(repr, record)) or "nothing"
        return [f"no form that is known. Needed are {NEEDED}; there is {there}"]
    wrong = [
        f"{key!r} must be text, not {shown(record[key])}"
        for key in (FORMS[answer], answer)
        if not isinstance(record[key], str)
    ]
    return wrong + [
        f"{key!r} must be text, or null, not {shown(record[key])}"
        for key in EXTRAS
        if not isinstance(record.get(key), str | None)
    ]


def _answer_key(record: Mapping[str, Json]) -> str:
    """The key of the answer; empty if the record has no known form."""
    return next((answer for answer, request in FORMS.items() if answer in record and request in record), "")


def _keys(message: Mapping[str, Json]) -> tuple[str, str]:
    return ("role", "content") if {"role", "content"} <= message.keys() else ("from", "value")


def _spoken(message: Mapping[str, Json]) -> tuple[Role, str]:
    who, what = _keys(message)
    return SPEAKERS[as_text(message[who]).casefold()], as_text(message[what])


def _talk_faults(key: str, messages: Json) -> list[str]:
    """Faults of roles: in `messages` they must alternate; in ShareGPT's form they need only be known."""
    strict = key == "messages"
    form = '{"role", "content"}' if strict else '{"from", "value"}'
    if not isinstance(messages, list) or (strict and not messages):
        return [f"{key!r} must be a list of {form} objects, not {shown(messages)}"]
    wrong: list[str] = []
    before = ""
    for number, message in enumerate(messages, start=1):
        keys = message.keys() if isinstance(message, dict) else set()
        sound = {"role", "content"} <= keys or ({"from", "value"} <= keys and not strict)
        if not isinstance(message, dict) or not sound:
            needed = form.strip("{}").replace(", ", " and ")
            return [*wrong, f"message {number} must be an object with {needed}, not {shown(message)}"]
        who, what = _keys(message)
        role, content = message[who], message[what]
        speaker = role.casefold() if isinstance(role, str) else ""
        if speaker in TOOLS:
            return [
                *wrong,
                f"message {number} is of the role {role!r}: conversations that use tools can not be learnt "
                "from here; leave them out of the file",
            ]
        expected = (NEXT[before] if before else ("system", "user")) if strict else tuple(SPEAKERS)
        if speaker not in expected:
            roles = f"{' or '.join(expected)} here" if strict else f"one of {', '.join(expected)}"
            return [*wrong, f"message {number}: the role must be {roles}, not {shown(role)}"]
        if not isinstance(content, str):
            wrong.append(f'message {number}: "{what}" must be text, not {shown(content)}')
        before = speaker
    return wrong if before == "assistant" or not strict else [*wrong, "the last message must be the assistant's"]


def shown(value: object) -> str:
    """A value as a message shows it."""
    return repr(value) if len(repr(value)) <= 40 else repr(value)[:40] + "…"
