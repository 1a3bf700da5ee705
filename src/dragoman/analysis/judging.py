"""Sorting rationales into categories by a judge: the prompt it gets, and how its answer is read.

An answer that can't be read gives no verdict. It is counted and shown, never guessed at.
"""

import json
import re
import string
from collections.abc import Sequence
from typing import Protocol

from dragoman.analysis.rationales import CATEGORIES, Labels, Sampled, Verdict
from dragoman.corpora.records import Turn
from dragoman.generation.ask import Ask, Ids, Sampling
from dragoman.generation.door import Asking

LONGEST = 64  # tokens of an answer; letters need a dozen
LETTERS = string.ascii_uppercase[: len(CATEGORIES)]

PROMPT = """\
A translator was asked for a translation. After the translation, the translator went on and wrote a rationale. Your \
task is to say what the rationale talks about. It may belong to several of these categories:

{categories}

[Request]
{request}

[Translation]
{reference}

[Rationale]
{rationale}

[End]

Which categories does the rationale belong to? Judge the rationale alone, not the request and not the translation. \
Name a category only if the rationale really has such content, and {other} only if none of the others fits. Answer \
with a JSON list of letters and nothing else, such as ["A"] or ["B", "D"]."""
"""The judge's prompt, a single turn."""

_LIST = re.compile(r"\[[^\[\]]*\]")
_THOUGHT = re.compile(r"<think>.*?</think>", re.DOTALL)
_MARKUP = re.compile(r"[*_`\"'“”()\[\]{}]")
_ANNOUNCED = re.compile(
    r"^(?:the |my )?(?:final )?(?:answers?|categor(?:y|ies)|letters?|verdict)\s*(?::|is|are)+:?\s*", re.IGNORECASE
)
_APART = re.compile(r"\s*(?:[,;/&+]|\band\b)\s*|\s+", re.IGNORECASE)
_BULLET = re.compile(r"^(?:[-*•]\s+)?([A-Z])(?:\s*[.:)–-]\s*(.*))?$")


class Voice(Protocol):
    """What turns a prompt for the judge into ids: the renderer, with the judge's chat format."""

    @property
    def stop(self) -> Ids: ...

    def prompt(self, turns: Sequence[Turn]) -> Ids: ...


def prompt_for(one: Sampled) -> str:
    """The prompt that asks the judge about a rationale."""
    listed = "\n".join(
        f"{letter}. {category.title}: {category.content}" for letter, category in zip(LETTERS, CATEGORIES, strict=True)
    )
    return PROMPT.format(
        categories=listed,
        request=one.request.strip(),
        reference=one.reference.strip(),
        rationale=one.rationale.strip(),
        other=LETTERS[-1],
    )


def judged(
    sampled: Sequence[Sampled], judge: Voice, *, model: str = "judge", max_tokens: int = LONGEST
) -> Asking[list[Verdict | None]]:
    """Asks the judge, greedily, about each rationale that is not blank; returns the verdicts in the same order."""
    asked = [place for place, one in enumerate(sampled) if not one.blank]
    prompts = [judge.prompt((Turn("user", prompt_for(sampled[place])),)) for place in asked]
    completions = yield Ask(model, prompts, Sampling(max_tokens, judge.stop), "judging rationales")
    verdicts: list[Verdict | None] = [None] * len(sampled)
    for place, completion in zip(asked, completions, strict=True):
        answer = completion.text if completion.finish != "failed" else f"(failed: {completion.why})"
        verdicts[place] = Verdict(None if completion.finish == "failed" else parse(completion.text), answer)
    return verdicts


def parse(answer: str) -> Labels | None:
    """The categories that an answer names; None if it can't be read.

    A JSON list of letters or names counts; of several lines with lists, the last. Otherwise an answer that is only
    letters counts ("A, C and F"), perhaps announced in its last line ("Answer: A"), and so does one with a category
    per line, as letter and title. A list with an unknown entry is not an answer, nor is an empty one, one that was
    cut off, or two side by side.
    """
    text = _THOUGHT.sub("", answer).strip()
    if "<think>" in text:  # cut off before it came to an answer
        return None
    by_line = map(_LIST.findall, _LIST.sub(_on_one_line, text).splitlines())
    lists = [beside for beside in by_line if beside]
    if lists:
        return _of_list(lists[-1][0]) if len(lists[-1]) == 1 else None
    if "[" in text or "{" in text:
        return None
    lines = [line for line in (_MARKUP.sub("", raw).strip() for raw in text.splitlines()) if line]
    if not lines:
        return None
    if (found := _letters(lines[-1])) and (len(lines) == 1 or _ANNOUNCED.match(lines[-1])):
        return found
    listed = lines[1:] if len(lines) > 1 and lines[0].endswith(":") else lines
    bullets = [_of_line(line) for line in listed]
    if all(bullets):
        return frozenset().union(*(found for found in bullets if found))
    return None


def _on_one_line(found: re.Match[str]) -> str:
    return " ".join(found.group().split())


def _of_list(text: str) -> Labels | None:
    try:  # what a model writes need not be JSON
        found: Sequence[object] = json.loads(text)
    except (ValueError, RecursionError):
        found = text[1:-1].split(",")
    return _known([element if isinstance(element, str) else "" for element in found])


def _letters(line: str) -> Labels | None:
    words = _APART.split(_ANNOUNCED.sub("", line).strip().rstrip(".").strip())
    return _known(words) if all(len(word) == 1 and word.isupper() for word in words) else None


def _of_line(line: str) -> Labels | None:
    bullet = _BULLET.match(line)
    if not bullet:
        return None
    named, rest = _known([bullet.group(1)]), _plain(bullet.group(2) or "")
    return named if named and (not rest or any(rest.startswith(title) for title in _titles(named))) else None


def _titles(named: Labels) -> list[str]:
    return [_plain(category.title) for category in CATEGORIES if category.name in named]


def _known(words: Sequence[str]) -> Labels | None:
    """The categories of some letters or names; None if one of them is unknown, or there are none."""
    found = [_SPELT.get(_plain(word)) or _SPELT.get(_plain(re.split(r"[.:)]", word, maxsplit=1)[0])) for word in words]
    names = [name for name in found if name is not None]
    return frozenset(names) if names and len(names) == len(words) else None


def _plain(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


_SPELT = {
    _plain(spelling): category.name
    for letter, category in zip(LETTERS, CATEGORIES, strict=True)
    for spelling in (letter, category.name, category.title)
}
