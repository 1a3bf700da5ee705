"""Small scorecards of two or three models, made of results as a run makes them: what each lost and passed is said."""

from collections.abc import Mapping
from random import Random

from dragoman.corpora.records import Check, Pair, Question, Turn
from dragoman.generation.ask import Completion
from dragoman.scoring.results import RowResults
from dragoman.scoring.scorecard.card import About
from dragoman.suites.questions.suite import AbilityResult, Answered
from dragoman.suites.translation.suite import judge
from tests.plain_card import Card, scorecard

WORDS = [("der alte Hund", "the old dog"), ("unser Nachbar", "our neighbour"), ("die kleine Katze", "the small cat")]
VERBS = [("findet", "finds"), ("kauft", "buys"), ("vergisst", "forgets"), ("sucht", "looks for")]
THINGS = [("drei rote Bücher", "three red books"), ("den langen Brief", "the long letter"), ("einen Apfel", "an apple")]
QUESTIONS = 100
Lost = Mapping[str, float]  # direction → share of the words that a model leaves out
Rows = Mapping[str, tuple[Lost, Mapping[str, int]]]


def card(
    rows: Rows,
    first: str = "backbone",
    noise: Mapping[str, int] | None = None,
) -> Card:
    """The card of rows, each with what it lost of each direction, and how many questions of a family it passed.

    A first row that is not called backbone is another model. `noise`: what the backbone passed on another draw.
    """
    about = {name: About("backbone" if name == "backbone" else "finished") for name in rows}
    results = {name: result(*given) for name, given in rows.items()}
    draws = [result({}, noise)] if noise else []
    return scorecard(results, draws, bootstrap=200, backbone=first, about=about)


def result(lost: Lost, passed: Mapping[str, int]) -> RowResults:
    """What one model said. The questions that it passed are always the first ones."""
    pairs = [pair for direction in lost for pair in sentences(direction)]
    said = [_worse(pair, lost[pair.direction]) for pair in pairs]
    items = [
        _answered(family, number, number < count) for family, count in passed.items() for number in range(QUESTIONS)
    ]
    return RowResults(
        judge(pairs, said) if pairs else None, AbilityResult(tuple(items), max_tokens=8) if items else None
    )


def sentences(direction: str) -> list[Pair]:
    """Thirty-six of them."""
    every = [tuple(f"{a[i]} {b[i]} {c[i]}." for i in (0, 1)) for a in WORDS for b in VERBS for c in THINGS]
    if direction == "de-en":
        return [Pair(german, english, "de", "en") for german, english in every]
    return [Pair(english, german, "en", "de") for german, english in every]


def _worse(pair: Pair, share: float) -> Completion:
    rng = Random(pair.source)
    words = pair.target.split()
    return Completion((1, 0), " ".join(word for word in words if rng.random() > share) or words[0], "stop")


def _answered(family: str, number: int, passed: bool) -> Answered:
    question = Question(family, (Turn("user", f"{family} {number}?"),), Check("equals", {"values": ["x"]}))
    return Answered(question, "x" if passed else "y", passed, True, False)
