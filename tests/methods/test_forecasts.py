"""What methods foresee is what they make: as many examples of the same records, and as many answers asked for."""

import math
from typing import Any

import pytest

from dragoman.corpora.amounts import Amounts
from dragoman.corpora.records import Dialogue, Pair, Record
from dragoman.generation.ask import Completion
from dragoman.lab import world
from dragoman.lab.tongues.alpaca import alpaca
from dragoman.methods import Forecast, Lesson, available
from dragoman.pipeline.forecast.amounts import Vocabulary
from dragoman.pipeline.forecast.per_method import learning
from dragoman.prompts.speak import Speaker
from tests.methods.method_kit import Known

DIRECTIONS = ("en-de", "de-en", "en-it", "it-en")
LANGUAGES = ("en", "de", "it")


@pytest.fixture(scope="module")
def records() -> list[Record]:
    """Pairs in four directions, and conversations in three languages."""
    talks = [dialogue for n, language in enumerate(LANGUAGES) for dialogue in alpaca(language, 60 + 10 * n, 0)]
    return [*world.pairs("train", DIRECTIONS, 150, 0), *talks]


@pytest.fixture(scope="module")
def amounts(records: list[Record]) -> Amounts:
    from dragoman.lab import BACKBONE
    from dragoman.pipeline.models.cast import Model

    return Vocabulary(Model("lab", BACKBONE, ""), None).of(records)


def made(method: str, options: dict[str, Any], records: list[Record], speak: Speaker) -> tuple[Lesson, int]:
    """What a method makes of records where every answer is some words, and how many answers it asked for."""
    known = available()[method]
    making = known.make(records, speak, known.options.model_validate(options))
    answered = 0
    try:
        ask = next(making)
        while True:
            probing = ask.sampling.max_tokens <= 2
            answered += 0 if probing else len(ask.prompts)
            ask = making.send([Completion((308, 904, *speak.stop[:1]), "The dog", "stop") for _ in ask.prompts])
    except StopIteration as end:
        return end.value, answered


def foreseen(method: str, options: dict[str, Any], amounts: Amounts) -> Forecast:
    return learning(available()[method], options, amounts)


SEVERAL = {"samples_per_pair": 3, "temperature": 0.7}
EXACT: list[tuple[str, dict[str, Any]]] = [
    ("vanilla", {}),
    ("multitask", {}),
    ("parrot", {}),
    ("bayling", {"kinds": ["question"], "turns": 1}),
    ("seq_kd", {}),
    ("sdft_rewrite", {}),
    ("radis", {}),
    ("radis", {"rationale": SEVERAL}),
    ("keep", {}),
    ("alpaca", {}),
    ("alpaca", {"languages": ["de"]}),
    ("alpaca", {"languages": ["de", "it"], "train_on_inputs": True}),
    ("crossalpaca", {}),
    ("crossalpaca", {"languages": ["de"]}),
    ("crossalpaca", {"languages": ["de"], "amount": 0}),
    ("crossalpaca", {"languages": ["it"], "directions": "en-x"}),
    ("crossalpaca", {"languages": ["it"], "directions": "x-en"}),
    ("crossalpaca", {"languages": ["de", "it"], "instructions": "english"}),
    ("crossalpaca", {"instructions": "both", "train_on_inputs": True}),
    ("crossalpaca", {"languages": ["de"], "rationale": {}}),
    ("crossalpaca", {"languages": ["de"], "rationale": SEVERAL}),
]


def test_every_method_tells_what_it_will_make() -> None:
    assert {name for name, method in available().items() if method.forecast is None} == set()
    assert {method for method, _ in EXACT} == {name for name, method in available().items() if not method.only}


@pytest.mark.parametrize(("method", "options"), EXACT)
def test_as_many_examples_as_are_made(
    method: str, options: dict[str, Any], records: list[Record], amounts: Amounts, lab: tuple[Speaker, Known]
) -> None:
    lesson, answered = made(method, options, records, lab[0])
    found = foreseen(method, options, amounts)
    assert found.examples == pytest.approx(len(lesson.examples))
    assert (found.asking.prompts if found.asking else 0) == pytest.approx(answered)
    assert found.known


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 0.75, 1])
@pytest.mark.parametrize(
    ("method", "option", "least"),
    [("crossalpaca", "amount", 70), ("radis", "rationale_fraction", 810), ("radis", "alone", 810)],
)
def test_a_share_is_drawn_and_foreseen_within_chance(
    method: str,
    option: str,
    least: int,
    share: float,
    records: list[Record],
    amounts: Amounts,
    lab: tuple[Speaker, Known],
) -> None:
    """Four standard deviations of so many draws."""
    options = {option: share} | ({"languages": ["de"]} if method == "crossalpaca" else {})
    lesson, answered = made(method, options, records, lab[0])
    found = foreseen(method, options, amounts)
    drawn = sum(isinstance(record, Pair) and "de" in record.direction for record in records)
    chance = 4 * math.sqrt((drawn if method == "crossalpaca" else len(records)) * share * (1 - share)) + 0.5
    assert found.examples == pytest.approx(len(lesson.examples), abs=chance if method == "crossalpaca" else 0.5)
    assert (found.asking.prompts if found.asking else 0) == pytest.approx(answered, abs=chance)
    assert found.examples >= least


@pytest.mark.parametrize("method", ["alpaca", "crossalpaca"])
def test_requests_that_are_learnt_have_a_loss(method: str, amounts: Amounts) -> None:
    answers, everything = (
        foreseen(method, {"languages": ["de"], "train_on_inputs": inputs}, amounts) for inputs in (False, True)
    )
    assert answers.tokens == everything.tokens == everything.trained
    assert 0 < answers.trained < answers.tokens / 2


def test_conversations_are_told_apart_by_language(records: list[Record], amounts: Amounts) -> None:
    talks = [record for record in records if isinstance(record, Dialogue)]
    there = {kind.target: volume.records for kind, volume in amounts.volumes.items() if not kind.pairs}
    assert there == {language: sum(one.language == language for one in talks) for language in LANGUAGES}
