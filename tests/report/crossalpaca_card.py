"""The scorecard of a made-up study of CrossAlpaca: all of its rows, three trainings of each, nine families.

Whether an answer is right is drawn at random with the shares below, which nobody measured; the scorecard is then
made as a run makes it. Questions on reading have partly right answers, and those on reasoning come in three subjects.
"""

from functools import cache
from random import Random
from typing import Any

from dragoman.corpora.records import Check, Question, Turn
from dragoman.scoring.scorecard.card import About, RowResults
from dragoman.scoring.scorecard.training import Cost
from dragoman.suites.questions.suite import AbilityResult, Answered
from tests.plain_card import Card, scorecard

ASKED = 48
SUBJECTS = ("comparing", "counting", "ordering")
AMOUNTS = (0.25, 0.5, 0.75)
DIRECTIONS = ("en-x", "x-en")
FOREIGN = ("de", "it")
FAMILIES = tuple(f"{name}-{language}" for name in ("qa", "choice", "reasoning") for language in ("en", *FOREIGN))
GAIN = {"qa": 0.3, "choice": 0.12, "reasoning": 0.06}  # of all demonstrations, in the language taught
ALPACA = {"qa": 0.35, "choice": 0.3, "reasoning": 0.3}  # in the language taught, without demonstrations
ENGLISH = {"qa": 0.85, "choice": 0.6, "reasoning": 0.5}


def rows() -> dict[str, tuple[str, dict[str, Any]]]:
    """Row → its method, and its options as the recipe has them."""
    found: dict[str, tuple[str, dict[str, Any]]] = {"backbone": ("backbone", {})}
    for language in ("en", *FOREIGN):
        found[f"{language}-alpaca"] = ("alpaca", {"languages": [language]})
    for language in ("en", *FOREIGN):
        taught = list(FOREIGN) if language == "en" else [language]
        wanted = "english" if language == "en" else "own"
        found[f"{language}-cross"] = _cross(taught, instructions=wanted)
    for language in FOREIGN:
        found |= {f"{language}-cross-{amount}": _cross([language], amount=amount) for amount in AMOUNTS}
        found |= {f"{language}-cross-{way}": _cross([language], directions=way) for way in DIRECTIONS}
    found["multi-cross"] = _cross(list(FOREIGN))
    found["de-cross-rationales"] = _cross(["de"], rationale={"max_tokens": 96})
    return found


def _cross(languages: list[str], **others: Any) -> tuple[str, dict[str, Any]]:
    defaults = {"amount": 1.0, "directions": "both", "instructions": "own", "rationale": None}
    return "crossalpaca", {"languages": languages, **defaults, **others}


def share(row: str, family: str) -> float:
    """How often a row answers rightly."""
    name, language = family.split("-")
    method, options = rows()[row]
    if language == "en":
        return ENGLISH[name] - (0.25 if method == "backbone" else 0.05 if not row.startswith("en") else 0.0)
    if method == "backbone" or language not in options["languages"]:
        return 0.15
    if method == "alpaca":
        return ALPACA[name]
    each = {"both": 1.0, "en-x": 0.8, "x-en": 0.3}[options["directions"]]
    return ALPACA[name] + GAIN[name] * each * options["amount"]


def answers(row: str, seed: int) -> AbilityResult:
    items = []
    for family in FAMILIES:
        rng = Random(f"{row} {family} {seed}")
        name, language = family.split("-")
        for number in range(ASKED):
            check = Check("squad", {"values": ["x"], "language": language, "extract": "first_line"})
            check = check if name == "qa" else Check("letter", {"options": ["x", "y"], "value": "A"})
            subject = SUBJECTS[number % len(SUBJECTS)] if name == "reasoning" else ""
            question = Question(family, (Turn("user", f"{family} {number}"),), check, language, subject)
            passed = rng.random() < share(row, family)
            part = 1.0 if passed else 0.5 if rng.random() < 0.4 else 0.0
            answer = "x" if passed else "y"
            items.append(Answered(question, answer, passed, True, False, part if name == "qa" else None))
    return AbilityResult(tuple(items), 64, ("*-de", "*-it"))


def results(row: str) -> list[RowResults]:
    return [RowResults(None, answers(row, seed)) for seed in ((0,) if row == "backbone" else (0, 1, 2))]


@cache
def crossalpaca_card() -> Card:
    cost: Cost = {
        "examples": 2000,
        "example_tokens": 90_000,
        "generated_tokens": None,
        "generating_seconds": None,
        "trained_tokens": 50_000,
        "training_seconds": 41.5,
        "steps": 47,
    }
    about = {row: About(method, None, (0, 1, 2), cost) for row, (method, _) in rows().items() if row != "backbone"}
    return scorecard({row: results(row) for row in rows()}, bootstrap=160, about=about)
