"""Pre-training data of a lab model that is to be strong in English and weak in German and Italian.

All its lessons are in English. Of German and Italian it sees only plain text: no question, no translation, and no
lesson with a word of either language.

There are three stages. In the first two, a choice is answered with a letter, and the second practises letters alone
as well; models of this size do not learn it. In the third, the answer is the words of the right option, as in
evaluation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from dragoman.corpora.records import Turn
from dragoman.lab import abilities, world
from dragoman.lab.families.tasks import Task
from dragoman.lab.grammar.entries import Language
from dragoman.lab.grammar.meaning import Meaning
from dragoman.lab.pretraining.tokenizer import chat, plain
from dragoman.lab.tongues import choice

# Shares of the documents; the rest is German and Italian text, half each.
OF_TONGUES = 0.58  # lessons of the families that are also asked in German and Italian
OF_OTHERS = 0.24
ENGLISH_TEXTS = 0.08


@dataclass(frozen=True, slots=True)
class Stage:
    """The shares of lessons, from document `start` on."""

    start: int
    families: Mapping[str, float]
    told: float  # share of the choices that are asked without options
    found: float = 0.0  # share of the choices that ask for the letter of a word
    letters: bool = False  # whether the other choices are answered with letters


STAGES = (
    Stage(0, {"qa-en": 1.0, "choice-en": 1.2, "reasoning-en": 1.2}, told=0.15, letters=True),
    Stage(16_384, {"qa-en": 1.0, "choice-en": 2.0, "reasoning-en": 1.2}, told=0.2, found=0.25, letters=True),
    Stage(57_344, {"qa-en": 1.0, "choice-en": 1.6, "reasoning-en": 1.8}, told=0.15),
)
_OTHERS = {"arithmetic": 4, "instructions": 4, "facts": 3, "reading": 4, "refusal": 1, "harmless": 1}
_FOREIGN = ("German", "Italian")  # what instructions to answer in another language say


def document(seed: int, number: int) -> tuple[Language, str]:
    """One document including special tokens, and its language. It depends only on seed and number."""
    rng = Random(f"english {seed} {number}")
    kind = rng.random()
    if kind < OF_TONGUES:
        return "en", chat(_lesson(rng, [stage for stage in STAGES if number >= stage.start][-1]))
    if kind < OF_TONGUES + OF_OTHERS:
        return "en", chat(_other(rng))
    if kind < OF_TONGUES + OF_OTHERS + ENGLISH_TEXTS:
        return "en", plain(_text(rng, "en"))
    language: Language = rng.choice(("de", "it"))
    return language, plain(_text(rng, language))


def _lesson(rng: Random, stage: Stage) -> tuple[Turn, ...]:
    """One exchange about a text, or up to four of the other families."""
    family = rng.choices(tuple(stage.families), tuple(stage.families.values()))[0]
    turns: tuple[Turn, ...] = ()
    for _ in range(1 if family == "qa-en" else rng.choice((1, 2, 3, 4))):
        drawn = None
        while drawn is None:
            drawn = _choice(rng, stage) if family == "choice-en" else abilities.taught(family, rng)
        turns += (*drawn.question.turns, Turn("assistant", drawn.answer))
    return turns


def _choice(rng: Random, stage: Stage) -> Task | None:
    """One question with or without options; None if the drawn one is reserved for evaluation."""
    kind = rng.random()
    if kind < stage.told:
        drawn = choice.told(rng, "en")
    elif stage.letters:
        drawn = choice.lettered(rng, named=kind < stage.told + stage.found)
    else:
        drawn = choice.task(rng, "en")
    return None if abilities.is_held_out(drawn.question) else drawn


def _other(rng: Random) -> tuple[Turn, ...]:
    """One exchange of another family, in English, that is not about German or Italian."""
    family = rng.choices(tuple(_OTHERS), tuple(_OTHERS.values()))[0]
    while True:
        drawn = abilities.taught(family, rng)
        if drawn is None or drawn.question.language != "en":
            continue
        said = (*drawn.question.turns, Turn("assistant", drawn.answer))
        if family != "instructions" or not any(word in said[0].text for word in _FOREIGN):
            return said


def _text(rng: Random, language: Language) -> str:
    """A few sentences that pre-training may see, drawn anew."""

    def fresh() -> Meaning:
        meaning = world.draw(rng)
        while world.split(meaning) != "pretrain":
            meaning = world.draw(rng)
        return meaning

    return " ".join(world.say(fresh(), language) for _ in range(rng.choice((2, 3, 4, 6))))
