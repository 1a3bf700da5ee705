"""Closed-book questions: every fact is asked in many ways; only ways of asking are held out, never facts."""

from random import Random

from dragoman.corpora.records import Check
from dragoman.lab.families.knowledge import SUBJECTS
from dragoman.lab.families.tasks import Task, capital, single

FACTS = [(subject, thing, value) for subject in SUBJECTS for thing, value in subject.facts]

_FRAMES = (
    "{}",
    "{}",
    "{}",
    "Quick question: {}",
    "Please answer this: {}",
    "I have a question. {}",
    "{} Please answer in a full sentence.",
    "Can you help me? {}",
    "{} I need it for school.",
)
_SHORT = ("{} Answer briefly.", "{} Just the answer, please.", "In short: {}")


def task(rng: Random) -> Task:
    """One fact, asked in one of its ways."""
    subject, thing, values = rng.choice(FACTS)
    accepted = values.split("|")
    asked = capital(rng.choice(subject.asked).format(thing=thing))
    told = capital(subject.told.format(thing=thing, value=accepted[0]))
    if rng.random() < 0.25:
        prompt, answer = rng.choice(_SHORT).format(asked), capital(accepted[0]) + "."
    else:
        prompt, answer = rng.choice(_FRAMES).format(asked), told
    return single("facts", prompt, Check("contains", {"any": accepted}), answer)
