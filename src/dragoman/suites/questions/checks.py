"""Checks that judge an answer by rule: plain functions by name, for the lab's questions and for users' own.

A question file names a check and its arguments, e.g. `{"name": "number", "arguments": {"value": 17}}`. Every check
says two things: whether the answer is right, and whether there was an answer to judge.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from dragoman.corpora.records import Check
from dragoman.errors import DataError
from dragoman.json_values import as_list
from dragoman.sandbox.programs import code_of, completed, passes, runs
from dragoman.suites._refusals import refuses
from dragoman.suites.questions import constraints, layouts
from dragoman.suites.questions.arguments import fitted, suggestion
from dragoman.suites.questions.choices import is_number, letter_of, number_of, one_of, same_text
from dragoman.suites.questions.qa import exact, extracted, f1
from dragoman.suites.questions.talks import talks
from dragoman.suites.questions.verdict import MOST, NOTHING, Verdict, normalised, unfenced, within

_NUMBER = re.compile(r"-?\d+(?:,\d{3})*(?:\.\d+)?")

TAKEN = {"squad": "first_line", "letter": "letter", "option_text": "text"}
"""How a benchmark's check extracts the answer, if the question doesn't say."""


def check(check: Check, answer: str) -> Verdict:
    """Judges one answer. Raises `DataError` if the check's name or arguments are unknown."""
    sound = verified(check)
    return CHECKS[sound.name](answer, **sound.arguments)


def verified(check: Check) -> Check:
    """The check with its arguments as its function takes them. Raises `DataError` unless it can be run.

    Call it when questions are read, before any model starts.
    """
    if check.name not in CHECKS:
        near = suggestion(check.name, list(CHECKS))
        raise DataError(f"There is no check {check.name!r}. {near}Known ones: {', '.join(sorted(CHECKS))}.")
    given = fitted(check.name, CHECKS[check.name], check.arguments)
    if fault := _fault(check.name, given):
        raise DataError(f"Check {check.name!r}{fault}")
    if check.name == "all_of":
        parts = [verified(part) for part in _parts(given["checks"])]
        given = {"checks": [{"name": part.name, "arguments": part.arguments} for part in parts]}
    return Check(check.name, given)


def runs_programs(check: Check) -> bool:
    """Whether a check, or a part of it, runs what a model wrote, for which a sandbox is needed."""
    if check.name == "all_of":
        return any(map(runs_programs, _parts(check.arguments["checks"])))
    return check.name in ("program", "unit_tests")


def _fault(name: str, given: Mapping[str, object]) -> str | None:
    """What is wrong with arguments that are of the right types: with these the verdict would say nothing."""
    match name:
        case "contains" if not (given.get("any") or given.get("all") or given.get("none")):
            return " needs any, all or none: without them every answer is right."
        case "word_count" | "sentence_count" if not given:
            return " needs exactly, at_least or at_most: without them every answer is right."
        case "count" if len(given) == 1:
            return " needs times, at_least or at_most: without them every answer is right."
        case "letter_count" | "capital_words" if not {"at_least", "at_most"} & set(given):
            return " needs at_least or at_most: without them every answer is right."
        case "matches":
            try:
                re.compile(str(given["pattern"]))
            except re.error as error:
                return f": the pattern is no regular expression ({error})."
        case "letter":
            known = _letters(given.get("options", ()))
            if given["value"] not in list(known):
                return f" takes a value of {', '.join(known)}, not {given['value']!r}."
        case "program" if not all(_is_case(case) for case in as_list(given["cases"])):
            return ": each of the cases is a list of two, the arguments (a list) and the value."
    if name in ("contains", "count", "equals", "starts_with", "ends_with", "not_refusal", "talks"):
        texts = [text for value in given.values() for text in (value if isinstance(value, list) else [value])]
        if [text for text in texts if isinstance(text, str) and not text.strip()]:
            return ": one of its texts is empty."
    return None


def _letters(options: object) -> str:
    """The letters of some options; of four if there are none."""
    count = len(options) if isinstance(options, list | tuple) else 0
    return "".join(chr(ord("A") + at) for at in range(count or 4))


def _is_case(case: object) -> bool:
    return isinstance(case, list | tuple) and len(case) == 2 and isinstance(case[0], list | tuple)


def number(answer: str, value: float, after: str = "The answer is") -> Verdict:
    """The first number after the last `after` is `value`; with an empty `after`, the last number of all."""
    at = answer.casefold().rfind(after.casefold()) if after else 0
    found = _NUMBER.findall(answer[at + len(after) :]) if at >= 0 else []
    if not found:
        return NOTHING
    given = found[0] if after else found[-1]
    return Verdict(abs(float(given.replace(",", "")) - float(value)) < 1e-9)


def equals(answer: str, values: Sequence[str], exact: bool = False) -> Verdict:
    """The answer is one of `values`, apart from case, blanks and outer punctuation (unless `exact`)."""
    if not answer.strip():
        return NOTHING
    if exact:
        return Verdict(answer.strip() in values)
    return Verdict(normalised(answer) in {normalised(value) for value in values})


def contains(
    answer: str, any: Sequence[str] = (), all: Sequence[str] = (), none: Sequence[str] = (), prefix: bool = False
) -> Verdict:
    """One of `any`, every one of `all` and nothing of `none` occur as whole words (`prefix`: as their beginnings)."""
    if not answer.strip():
        return NOTHING
    text = unicodedata.normalize("NFKC", answer).casefold().replace("’", "'")
    hits = {phrase: _occurrences(text, phrase, prefix) > 0 for phrase in (*any, *all, *none)}
    one = not any or bool([phrase for phrase in any if hits[phrase]])
    return Verdict(one and not [p for p in all if not hits[p]] and not [p for p in none if hits[p]])


def count(answer: str, text: str, times: int = -1, at_least: int = 0, at_most: int = MOST) -> Verdict:
    """`text` occurs exactly `times` times (or within the bounds) as a whole word or phrase, in any case."""
    found = _occurrences(answer.casefold(), text, prefix=False)
    return Verdict(within(found, times, at_least, at_most)) if answer.strip() else NOTHING


def starts_with(answer: str, text: str) -> Verdict:
    """The answer begins with the word or phrase `text`, in any case."""
    if not answer.strip():
        return NOTHING
    return Verdict(re.match(rf"{re.escape(text.casefold())}(?!\w)", answer.strip(" \n\"'“*").casefold()) is not None)


def ends_with(answer: str, text: str) -> Verdict:
    """The last word or phrase is `text`, ignoring closing punctuation."""
    if not answer.strip():
        return NOTHING
    return Verdict(re.search(rf"(?<!\w){re.escape(normalised(text))}$", normalised(answer)) is not None)


def word_count(answer: str, exactly: int = -1, at_least: int = 0, at_most: int = MOST) -> Verdict:
    """The number of words between blanks is `exactly` (or within the bounds); punctuation alone is not a word."""
    words = len([word for word in answer.split() if re.search(r"\w", word)])
    if not words:
        return NOTHING
    return Verdict(within(words, exactly, at_least, at_most))


def case(answer: str, form: Literal["lower", "upper"]) -> Verdict:
    """Every letter is `lower` or `upper` case."""
    if answer.lower() == answer.upper():  # no letters at all
        return NOTHING
    return Verdict(answer == (answer.lower() if form == "lower" else answer.upper()))


def list_items(answer: str, count: int, marker: str = "-") -> Verdict:
    """Exactly `count` different lines begin with `marker` and have text, and there is no other line."""
    lines = [line.strip() for line in answer.splitlines() if line.strip()]
    items = [line[len(marker) :].strip() for line in lines if line.startswith(marker)]
    if not items:
        return NOTHING
    kept = {normalised(item) for item in items} - {""}
    return Verdict(len(lines) == len(items) == len(kept) == count)


def json_key(answer: str, key: str, value: str | float | bool | None = None) -> Verdict:
    """The answer is a JSON object (possibly in a code fence) with `key`, and with `value` if one is given."""
    try:  # what a model wrote is input from outside
        found = json.loads(unfenced(answer))
        said = str(found[key]) if isinstance(found, dict) and key in found else None
    except (ValueError, RecursionError):  # a number of thousands of digits, thousands of brackets
        return NOTHING
    if not isinstance(found, dict):
        return NOTHING
    return Verdict(said is not None and (value is None or normalised(said) == normalised(str(value))))


def refusal(answer: str) -> Verdict:
    """The assistant says, in its first words, that it will not do what was asked."""
    return Verdict(refuses(answer)) if answer.strip() else NOTHING


def not_refusal(answer: str, any: Sequence[str] = ()) -> Verdict:
    """The assistant does not refuse, and is on topic: a word of the answer begins with one of `any`."""
    if not answer.strip():
        return NOTHING
    return Verdict(not refuses(answer) and contains(answer, any=any, prefix=True).passed)


def squad(
    answer: str,
    values: Sequence[str],
    language: str,
    extract: Literal["first_line", "whole"] = "first_line",
    prompt: str = "",
) -> Verdict:
    """The extracted answer (`extract`: first_line or whole) is one of `values`; partial credit is its F1.

    Both as in SQuAD, normalised for the language of the text. `prompt` names the wording for the signature.
    """
    given = extracted(answer, extract)
    if not given:
        return Verdict(passed=False, extracted=False, part=0.0)
    return Verdict(exact(given, values, language), part=f1(given, values, language))


def letter(answer: str, value: str, options: Sequence[str] = (), prompt: str = "") -> Verdict:
    """The chosen option is the one with the letter `value`; `options` are their texts, A first.

    The rules are in `choices.py`. `prompt` names the wording for the signature.
    """
    chosen = letter_of(answer, options, _letters(options))
    return NOTHING if chosen is None else Verdict(chosen == value)


def option_text(answer: str, values: Sequence[str], others: Sequence[str] = (), prompt: str = "") -> Verdict:
    """The answer is one of `values`: a number, a list of words, brackets, or with `others`, one of a few answers.

    It is what follows the last "The answer is" (in many languages), otherwise the first line. `others` are wrong
    answers. `prompt` names the wording for the signature.
    """
    if not answer.strip():
        return NOTHING
    if others:
        right = one_of(answer, values, others)
    elif values and is_number(values[0]):
        right = number_of(answer, values[0])
    else:
        right = same_text(answer, values)
    return NOTHING if right is None else Verdict(right)


def program(answer: str, function: str, cases: Sequence[Sequence[object]]) -> Verdict:
    """The function in the answer, run in the sandbox, returns for each case `[arguments, value]` that value."""
    code = code_of(answer, function)
    return Verdict(runs(code, function, cases)) if code else NOTHING


def unit_tests(answer: str, prompt: str, test: str, entry_point: str) -> Verdict:
    """The answer completes the function that `prompt` begins so that it passes `test`, which defines `check`."""
    code = completed(answer, prompt, entry_point)
    return Verdict(passes(code, entry_point, test, prompt)) if code else NOTHING


def all_of(answer: str, checks: Sequence[Mapping[str, Any]]) -> Verdict:
    """Every one of several checks passes; each is written as `{"name": …, "arguments": {…}}`."""
    verdicts = [check(part, answer) for part in _parts(checks)]
    passed = [verdict.passed for verdict in verdicts]
    extracted = [verdict.extracted for verdict in verdicts]
    return Verdict(False not in passed, False not in extracted)


CHECKS: dict[str, Callable[..., Verdict]] = {
    function.__name__: function
    for function in (
        number,
        equals,
        contains,
        count,
        starts_with,
        ends_with,
        word_count,
        case,
        list_items,
        json_key,
        refusal,
        not_refusal,
        squad,
        letter,
        option_text,
        program,
        unit_tests,
        constraints.letter_count,
        constraints.sentence_count,
        constraints.paragraph_count,
        constraints.paragraph_start,
        constraints.placeholders,
        constraints.postscript,
        constraints.bullets,
        constraints.highlights,
        constraints.sections,
        constraints.title,
        constraints.two_responses,
        constraints.capital_words,
        constraints.lacks,
        constraints.quoted,
        layouts.json_value,
        layouts.csv_rows,
        layouts.numbered_list,
        layouts.markdown_table,
        layouts.code_block,
        layouts.matches,
        talks,
        all_of,
    )
}


def _parts(checks: object) -> list[Check]:
    parts = checks if isinstance(checks, list | tuple) else []
    for part in parts:
        sound = isinstance(part, Mapping) and isinstance(part.get("name"), str)
        if not sound or set(part) - {"name", "arguments"} or not isinstance(part.get("arguments", {}), Mapping):
            raise DataError(f"Check 'all_of' takes parts like {{'name': …, 'arguments': {{…}}}}, not {part!r}.")
    return [Check(part["name"], part.get("arguments", {})) for part in parts]


def _occurrences(text: str, phrase: str, prefix: bool) -> int:
    wanted = re.escape(unicodedata.normalize("NFKC", phrase).casefold().replace("’", "'"))
    return len(re.findall(rf"(?<!\w){wanted}" + ("" if prefix else r"(?!\w)"), text))
