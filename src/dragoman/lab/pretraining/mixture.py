"""Pre-training data of the lab's backbone: an endless stream of documents that depends on a seed alone.

Document `n` is drawn from random numbers of its own, so any process can make any part of the stream, in any order.
Most documents are lessons in the abilities; some are plain text in three languages; and a few are translations. Those
are drawn from a limited number of distinct sentences per direction, more of them into English than out of it, as in a
model that was trained on the web: it gets to know both directions, but not well.

There are four stages. The second has less plain text and more practice in what takes long to learn, and the remarks
on a translation depend on what it says, as with larger models. The last two have fewer translations, and fewer
different ones; the last one has sentences to find and to repeat.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from random import Random

from dragoman.corpora.records import Turn
from dragoman.lab import abilities, explanations, world
from dragoman.lab.families import programs
from dragoman.lab.grammar.entries import Language
from dragoman.lab.grammar.meaning import Meaning
from dragoman.lab.pretraining.tokenizer import chat, plain


@dataclass(frozen=True, slots=True)
class Direction:
    """The number of distinct sentences that are shown translated this way, and how often, relative to the others."""

    source: Language
    target: Language
    sentences: int
    weight: float


DIRECTIONS = (
    Direction("de", "en", 6000, 3.0),
    Direction("it", "en", 6000, 3.0),
    Direction("en", "de", 3000, 1.5),
    Direction("en", "it", 3000, 1.5),
)


@dataclass(frozen=True, slots=True)
class Stage:
    """The kinds of documents from document `start` on: shares of lessons and of plain text; the rest are
    translations.
    """

    start: int
    lessons: float
    texts: float
    sentences: float = 1.0  # share of a direction's sentences that are shown
    practice: float = 0.0  # share of the lessons that are about `practised` alone
    practised: tuple[str, ...] = ()
    copying: float = 0.0  # share of copied sentences, counted before the others
    fitting: float = 0.0  # share of the remarks that depend on what is said
    programs: float = 0.0  # share of small programs, counted before the others


STAGES = (
    Stage(0, lessons=0.62, texts=0.2),
    Stage(139_264, 0.7, 0.1, 1.0, 0.45, ("arithmetic", "instructions", "reading", "follow_up"), fitting=0.85),
    Stage(188_416, 0.84, 0.08, 0.2, 0.5, ("instructions", "reading", "reading"), fitting=0.85),
    Stage(233_472, 0.86, 0.05, 0.2, 0.55, ("instructions", "reading", "reading", "follow_up"), 0.25, fitting=0.85),
)


@dataclass(frozen=True, slots=True)
class Mixture:
    """What a model of the lab reads: its stages, and the translations it is shown."""

    stages: tuple[Stage, ...]
    directions: tuple[Direction, ...]


def of_the_backbone() -> Mixture:
    """What the backbone was trained on."""
    return Mixture(STAGES, DIRECTIONS)


def of_a_translator() -> Mixture:
    """Half translations, as many into English as out of it, and more different ones; the rest are lessons."""
    stage = Stage(0, 0.5, 0.03, practice=0.3, practised=("instructions", "reading"), copying=0.05, fitting=0.85)
    directions = (
        Direction("de", "en", 12_000, 2.0),
        Direction("it", "en", 12_000, 2.0),
        Direction("en", "de", 12_000, 3.0),
        Direction("en", "it", 12_000, 3.0),
    )
    return Mixture((stage,), directions)


def of_a_programmer() -> Mixture:
    """The backbone's last stage, with a few small programs now and then, most of them explained."""
    return Mixture((replace(STAGES[-1], start=0, programs=0.05),), DIRECTIONS)


LONG_SHARE = 0.05  # of the lessons: conversations of many exchanges, up to about so many characters
LONG = 800

PROGRAMS = 150  # different ones
EXPLAINED = 0.72  # share of the translations that go on with remarks
# Share of those in which the remarks are tokenised apart from the translation. Elsewhere a full stop and the blank
# line after it are one token, and a model that had seen only that would take a lone full stop for the end.
APART = 0.7

SYSTEM_SHARE = 0.08
SYSTEM_PROMPTS = (
    "You are a helpful assistant.",
    "You are a friendly assistant who answers briefly.",
    "Answer the user's questions.",
    "You are an assistant. Be kind and correct.",
    "Help the user as well as you can.",
)


def document(seed: int, number: int, mixture: Mixture | None = None) -> tuple[str, ...]:
    """The text of one document including special tokens, in the pieces that are tokenised separately: one, or two."""
    rng = Random(f"document {seed} {number}")
    mixture = mixture or of_the_backbone()
    stage = [stage for stage in mixture.stages if number >= stage.start or stage is mixture.stages[0]][-1]
    if stage.copying and rng.random() < stage.copying:
        return (chat(copying(rng)),)
    if stage.programs and rng.random() < stage.programs:
        return (chat(_program(seed, rng)),)
    kind = rng.random()
    if stage.lessons <= kind < stage.lessons + stage.texts:
        return (plain(_text(rng)),)
    turns = _lesson(rng, stage) if kind < stage.lessons else _translation(seed, rng, stage, mixture)
    if turns[0].role != "system" and rng.random() < SYSTEM_SHARE:
        turns = (Turn("system", rng.choice(SYSTEM_PROMPTS)), *turns)
    text = chat(turns)
    if kind >= stage.lessons + stage.texts and rng.random() < APART:
        _, blank, remarks = text.rpartition("<|assistant|>")[2].partition("\n\n")
        if remarks:
            rest = len(blank + remarks)
            return text[:-rest], text[-rest:]
    return (text,)


def _lesson(rng: Random, stage: Stage) -> tuple[Turn, ...]:
    practice = stage.practice and rng.random() < stage.practice
    families = stage.practised if practice else abilities.FAMILIES
    turns = abilities.lesson(rng, families).turns
    if rng.random() < LONG_SHARE:
        while sum(len(turn.text) for turn in turns) < LONG:
            turns += abilities.lesson(rng, families).turns
    return turns


def copying(rng: Random) -> tuple[Turn, ...]:
    """A text to repeat, or one of its sentences to find: the basis for reading a prompt."""
    language = rng.choice(world.LANGUAGES)
    sentences = [world.say(meaning, language) for meaning in islice(_fresh(rng), rng.choice((2, 3, 3, 4)))]
    text = " ".join(sentences)
    chosen = rng.choice(sentences)
    words = [word.strip(".,?") for word in chosen.split()]
    own = [word for word in words if sum(word in other for other in sentences) == 1]
    if not own or rng.random() < 0.35:
        asked, answer = rng.choice(("Repeat this text.\n{}", "{}\nWrite this again.", "Copy this: {}")), text
    else:
        asked = rng.choice(("{}\nWhich sentence has the word '{}'?", "{}\nFind the sentence with '{}' in it."))
        answer = chosen
        asked = asked.format("{}", rng.choice(own))
    return Turn("user", asked.format(text)), Turn("assistant", answer)


def _program(seed: int, rng: Random) -> tuple[Turn, ...]:
    """One of a limited number of programs, which repeat as rare things do."""
    own = Random(f"program {seed} {rng.randrange(PROGRAMS)}")
    task, remarks = programs.explained(own)
    while abilities.is_held_out(task.question):
        task, remarks = programs.explained(own)
    answer = task.answer + (remarks if rng.random() < EXPLAINED else "")
    return (*task.question.turns, Turn("assistant", answer))


def _text(rng: Random) -> str:
    """A few sentences of one language."""
    language = rng.choice(world.LANGUAGES)
    sentences = [world.say(meaning, language) for meaning in islice(_fresh(rng), rng.choice((1, 2, 3, 4, 6)))]
    return rng.choice((" ", " ", " ", "\n")).join(sentences)


def _fresh(rng: Random) -> Iterator[Meaning]:
    """Sentences that pre-training may see, drawn anew."""
    while True:
        meaning = world.draw(rng)
        if world.split(meaning) == "pretrain":
            yield meaning


def _translation(seed: int, rng: Random, stage: Stage, mixture: Mixture) -> tuple[Turn, ...]:
    direction = rng.choices(mixture.directions, [direction.weight for direction in mixture.directions])[0]
    sentences = _sentences(seed, direction)
    meaning = rng.choice(sentences[: round(stage.sentences * len(sentences))])
    explained = rng.random() < EXPLAINED
    fits = explained and stage.fitting and rng.random() < stage.fitting
    source, target = direction.source, direction.target
    turns = explanations.translation_dialogue(meaning, source, target, rng, explained and not fits).turns
    if not fits:
        return turns
    content = Random(f"remarks {seed} {meaning.clause.verb.en} {meaning.asked}")
    answer = turns[-1].text + explanations.translation_answer(meaning, source, target, content)
    return (*turns[:-1], Turn("assistant", answer))


@lru_cache(maxsize=len(DIRECTIONS))
def _sentences(seed: int, direction: Direction) -> tuple[Meaning, ...]:
    """The sentences that are shown translated this way."""
    own = seed * 100 + 10 * world.LANGUAGES.index(direction.source) + world.LANGUAGES.index(direction.target)
    return tuple(islice(world.meanings("pretrain", seed=own), direction.sentences))
