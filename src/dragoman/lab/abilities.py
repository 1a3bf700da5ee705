"""The lab's abilities besides translation: families of tasks, each scored by rule.

Whether a prompt is held out depends on its own hash, so pre-training and evaluation agree without a list: lessons
never contain a held-out prompt, and evaluation asks nothing else.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import accumulate
from random import Random

from dragoman.corpora.records import Dialogue, Question, Turn, draw
from dragoman.errors import DataError
from dragoman.lab.families import (
    arithmetic,
    explaining,
    facts,
    follow_up,
    harmless,
    instructions,
    programs,
    reading,
    refusals,
)
from dragoman.lab.families.tasks import Task
from dragoman.lab.tongues import choice, qa, reasoning

__all__ = [
    "FAMILIES",
    "LANGUAGE_FAMILIES",
    "SKILLS",
    "Task",
    "dialogues",
    "is_held_out",
    "lesson",
    "questions",
    "task",
    "taught",
]

HELD_OUT = 0.12
PATIENCE = 5000  # draws in a row without a new question after which we give up

_MAKERS: dict[str, Callable[[Random], Task]] = {
    "arithmetic": arithmetic.task,
    "instructions": instructions.task,
    "facts": facts.task,
    "reading": reading.task,
    "explaining": explaining.task,
    "refusal": refusals.task,
    "harmless": harmless.task,
    "follow_up": follow_up.task,
    "programs": programs.task,
}

# Families in three languages. What is asked in German or Italian is about other facts than what is taught in them.
_IN_LANGUAGES: dict[str, Callable[[Random], Task]] = {
    "qa-en": partial(qa.task, language="en"),
    "qa-de": partial(qa.task, language="de"),
    "qa-it": partial(qa.task, language="it"),
    "choice-en": partial(choice.task, language="en"),
    "choice-de": partial(choice.task, language="de", half="asked"),
    "choice-it": partial(choice.task, language="it", half="asked"),
    "reasoning-en": partial(reasoning.task, language="en"),
    "reasoning-de": partial(reasoning.task, language="de", half="asked"),
    "reasoning-it": partial(reasoning.task, language="it", half="asked"),
}
_TAUGHT: dict[str, Callable[[Random], Task]] = {
    "choice-de": partial(choice.task, language="de", half="taught"),
    "reasoning-de": partial(reasoning.task, language="de", half="taught"),
    "choice-it": partial(choice.task, language="it", half="taught"),
    "reasoning-it": partial(reasoning.task, language="it", half="taught"),
}
LANGUAGE_FAMILIES: tuple[str, ...] = tuple(_IN_LANGUAGES)
_EVERY = _MAKERS | _IN_LANGUAGES

SKILLS: tuple[str, ...] = ("programs",)
FAMILIES: tuple[str, ...] = tuple(family for family in _MAKERS if family not in SKILLS)

# How often a lesson teaches each family: what takes more practice comes more often.
_WEIGHTS = {
    "arithmetic": 6,
    "instructions": 5,
    "facts": 4,
    "reading": 5,
    "explaining": 4,
    "refusal": 1.5,
    "harmless": 1.5,
    "follow_up": 4,
}


def task(family: str, rng: Random) -> Task:
    """One drawn task of a family or skill. Raises `DataError` for a name that is neither."""
    if family not in _EVERY:
        known = ", ".join((*FAMILIES, *SKILLS, *LANGUAGE_FAMILIES))
        raise DataError(f"The lab has no family {family!r}. It has: {known}.")
    return _EVERY[family](rng)


def taught(family: str, rng: Random) -> Task | None:
    """One drawn task of a family that may be learnt from; None if the drawn one is reserved for evaluation."""
    drawn = _TAUGHT[family](rng) if family in _TAUGHT else task(family, rng)
    return None if is_held_out(drawn.question) else drawn


def is_held_out(question: Question) -> bool:
    """Whether the prompt is reserved for evaluation. Depends only on its turns, so equal prompts are on one side."""
    return draw(replace(question, family="").key, "held out") < HELD_OUT


def questions(family: str, count: int, seed: int) -> list[Question]:
    """`count` different held-out questions of a family, the same ones for the same seed.

    Raises `DataError` if the family does not have that many.
    """
    return [drawn.question for drawn in _different(family, count, f"questions {family} {seed}", held_out=True)]


def dialogues(family: str, count: int, seed: int) -> list[Dialogue]:
    """`count` different requests of a family with their answers, to learn from: none of them is held out.

    The same ones for the same seed. Raises `DataError` if the family does not have that many.
    """
    return [
        Dialogue((*drawn.question.turns, Turn("assistant", drawn.answer)), f"lab-{family}", drawn.question.language)
        for drawn in _different(family, count, f"dialogues {family} {seed}", held_out=False)
    ]


def _different(family: str, count: int, seed: str, held_out: bool) -> list[Task]:
    """`count` tasks of a family with different prompts, all of them held out or none."""
    rng = Random(seed.encode(errors="backslashreplace"))  # a family is named on the command line
    found: dict[str, Task] = {}
    in_vain = 0
    while len(found) < count and in_vain < PATIENCE:
        drawn = task(family, rng) if held_out else taught(family, rng)
        if drawn is None or is_held_out(drawn.question) != held_out or drawn.question.key in found:
            in_vain += 1
        else:
            in_vain = 0
            found[drawn.question.key] = drawn
    if len(found) < count:
        what = "held-out questions" if held_out else "requests that are not held out"
        raise DataError(f"Family {family!r} has only about {len(found)} {what}; ask for fewer than {count}.")
    return list(found.values())


def lesson(rng: Random, families: Sequence[str] = FAMILIES) -> Dialogue:
    """One dialogue to pre-train on: one to three exchanges of drawn families, never a held-out prompt."""
    turns: tuple[Turn, ...] = ()
    for _ in range(rng.choice((1, 1, 1, 1, 2, 2, 3))):
        family = rng.choices(families, cum_weights=list(accumulate(_WEIGHTS[family] for family in families)))[0]
        drawn = task(family, rng)
        while _shows_held_out(drawn.question):
            drawn = task(family, rng)
        turns += (*drawn.question.turns, Turn("assistant", drawn.answer))
    return Dialogue(turns, "lab lesson")


def _shows_held_out(question: Question) -> bool:
    """Whether the prompt, an earlier one of its conversation, or an inserted question is reserved for evaluation."""
    users = [at for at, turn in enumerate(question.turns) if turn.role == "user"]
    shown = [question.turns[: at + 1] for at in users] + [question.turns[at : at + 1] for at in users[1:-1]]
    return any(is_held_out(replace(question, turns=turns)) for turns in shown)
