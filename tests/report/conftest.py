"""A small experiment as a run leaves it: three rows, three languages, nine abilities."""

from random import Random

import pytest

from dragoman.corpora.records import Check, Pair, Question, Turn
from dragoman.generation.ask import Completion
from dragoman.rationales.faults import Fault, Rationale
from dragoman.rationales.report import RationaleReport
from dragoman.report.page.page import Details
from dragoman.scoring.scorecard.card import RowResults
from dragoman.suites.questions.suite import AbilityResult, Answered
from dragoman.suites.translation.suite import judge
from tests.plain_card import Card, scorecard
from tests.report.study_card import study_card

ATTACK = "<script>alert('1')</script> & \"quotes\""

SUBJECTS = [
    ("The old teacher", "Der alte Lehrer", "Il vecchio maestro"),
    ("My sister", "Meine Schwester", "Mia sorella"),
]
SUBJECTS += [
    ("The small dog", "Der kleine Hund", "Il piccolo cane"),
    ("Our neighbour", "Unser Nachbar", "Il nostro vicino"),
]
VERBS = [("buys", "kauft", "compra"), ("finds", "findet", "trova"), ("forgets", "vergisst", "dimentica")]
OBJECTS = [
    ("a red apple", "einen roten Apfel", "una mela rossa"),
    ("the key of the house", "den Schlüssel des Hauses", "la chiave della casa"),
]
OBJECTS += [("three books", "drei Bücher", "tre libri"), ("the letter", "den Brief", "la lettera")]
LANGUAGES = ("en", "de", "it")
# ability → share passed by backbone, vanilla, radis
SHARES = {
    "arithmetic": (0.66, 0.21, 0.57),
    "instructions": (0.95, 0.08, 0.84),
    "facts": (0.97, 0.72, 0.95),
    "reading": (0.91, 0.55, 0.88),
    "words": (0.88, 0.30, 0.86),
    "refusals": (1.0, 0.0, 0.62),
    "harmless": (0.98, 0.66, 0.99),
    "follow_up": (0.86, 0.12, 0.71),
    "explaining": (0.80, 0.35, 0.74),
}
ROWS = ("backbone", "vanilla", "radis")


def sentences() -> list[Pair]:
    triples = [tuple(f"{s[i]} {v[i]} {o[i]}." for i in range(3)) for s in SUBJECTS for v in VERBS for o in OBJECTS]
    directions = [(0, 1), (1, 0), (0, 2), (2, 0)]
    return [Pair(t[a], t[b], LANGUAGES[a], LANGUAGES[b]) for a, b in directions for t in triples]


def worse(text: str, share: float, rng: Random) -> str:
    words = text.split()
    return " ".join(word for word in words if rng.random() > share) or words[0]


def translations(row: int) -> list[Completion]:
    rng = Random(row)
    answers = []
    for pair in sentences():
        lost = (0.42, 0.1, 0.14)[row] * (1 if pair.target_language == "en" else 1.4)
        text = worse(pair.target, lost, rng)
        if row == 0 and rng.random() < 0.7:
            text += "\n\nExplanation: the verb stands second. " + ATTACK
        answers.append(Completion((1, 0), text, "stop"))
    return answers


def ability_answers(row: int, seed: int) -> AbilityResult:
    rng = Random(f"{row} {seed}")
    items = []
    for family, shares in SHARES.items():
        for i in range(60):
            question = Question(
                family, (Turn("user", f"{family} question {seed}-{i}: {ATTACK}"),), Check("equals", {"values": ["x"]})
            )
            passed = rng.random() < shares[row]
            items.append(
                Answered(question, "x" if passed else f"Übersetzung: {ATTACK}", passed, passed or i % 7 > 0, False)
            )
    return AbilityResult(tuple(items), max_tokens=256)


@pytest.fixture(scope="session")
def results() -> dict[str, RowResults]:
    return {
        name: RowResults(judge(sentences(), translations(row)), ability_answers(row, 0))
        for row, name in enumerate(ROWS)
    }


@pytest.fixture(scope="session")
def card(results: dict[str, RowResults]) -> Card:
    noise = [ability_answers(0, 1), ability_answers(0, 2)]
    draws = [RowResults(abilities=draw) for draw in noise]
    return scorecard(results, draws, bootstrap=200, rationales={"radis": rationales().to_json()})


def rationales() -> RationaleReport:
    """Eight thousand, of which some are cut off, and some were said before and are taken out."""
    rng = Random(5)
    made, faults = [], []
    for _ in range(8000):
        size = min(96, int(rng.lognormvariate(3.4, 0.45)))
        made.append(Rationale((0,) * size, "x", "length" if size == 96 else "stop"))
        found: set[Fault] = {"cut"} if size == 96 else set()
        rare: tuple[tuple[Fault, float], ...] = (("duplicate", 0.04), ("contradicts_reference", 0.1))
        found |= {fault for fault, often in rare if rng.random() < often}
        faults.append(found)
    return RationaleReport.of(made, faults, {"duplicate"}) + RationaleReport(probed=512, stopping=20)


def losses(rationale: bool) -> list[dict[str, float]]:
    rng = Random(3)
    lines = []
    for step in range(1, 241):
        line = {"step": step, "learning_rate": 0.004 * (1 - step / 241)}
        line["loss/reference"] = 0.5 + 1.9 * 0.97**step + rng.gauss(0, 0.06)
        line["loss/end"] = 0.02 + 0.8 * 0.9**step
        if rationale:
            line["loss/rationale"] = 0.21 + 0.08 * 0.98**step + rng.gauss(0, 0.02)
        line["loss"] = line["loss/reference"]
        lines.append(line)
    return lines


@pytest.fixture(scope="session")
def details(results: dict[str, RowResults]) -> Details:
    prompt = ("prompt", "<|user|>Translate from German to English:\nDer alte Lehrer kauft drei Bücher.<|assistant|>")
    reference = ("reference", "The old teacher buys three books.")
    rationale = (
        "rationale",
        "\n\nExplanation: “kauft” is the present of “kaufen”; the plural of “Buch” is “Bücher”. " + ATTACK,
    )
    end = ("end", "<|end|>")
    return Details(
        name="demo",
        results=results,
        losses={"vanilla": losses(False), "radis": losses(True)},
        examples={"vanilla": [[prompt, reference, end]], "radis": [[prompt, reference, rationale, end]] * 2},
        notes={"radis": {"left out: longer than 1,024 tokens": 7}},
        facts={
            "backbone": "lab, 3.9 M parameters",
            "pairs": "8,000 to learn, 192 to test",
            "machine": "2 CPU threads",
            "time": "6 min 41 s",
        },
        recipe="name: demo\nbackbone: lab\nmethods:\n- vanilla\n- radis: {rationale_fraction: 1.0}  # " + ATTACK,
    )


@pytest.fixture
def study() -> Card:
    """Eight rows, three trainings of each method."""
    return study_card()


@pytest.fixture
def skilled() -> Card:
    """The same with another skill."""
    return study_card(skill=True)
