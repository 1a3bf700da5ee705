"""Tasks, which every family makes: a question, and one answer that passes its check."""

from dataclasses import dataclass
from random import Random
from typing import TypedDict

from dragoman.corpora.records import Check, Question, Turn


@dataclass(frozen=True, slots=True)
class Task:
    """A question and an assistant's answer to it."""

    question: Question
    answer: str


class Rule(TypedDict):
    """One check among the `checks` of `all_of`, as a question file has it."""

    name: str
    arguments: dict[str, object]


def single(family: str, prompt: str, check: Check, answer: str, language: str = "en") -> Task:
    """A task of one user turn."""
    return Task(Question(family, (Turn("user", prompt),), check, language), answer)


def part(name: str, **arguments: object) -> Rule:
    """One check inside `all_of`."""
    return {"name": name, "arguments": arguments}


def all_of(*parts: Rule) -> Check:
    """The check that all parts pass; a single part is returned as it is."""
    if len(parts) == 1:
        return Check(parts[0]["name"], parts[0]["arguments"])
    return Check("all_of", {"checks": list(parts)})


def polite(rng: Random, request: str) -> str:
    """The request, sometimes with a few words around it."""
    frames = ("{}", "{}", "{}", "Hello! {}", "{} Thank you.", "I have a question. {}", "{} I am curious.")
    return rng.choice(frames).format(request)


def capital(text: str) -> str:
    """The text with its first letter in upper case, the rest as it is."""
    return text[:1].upper() + text[1:]
