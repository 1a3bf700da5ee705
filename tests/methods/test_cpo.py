"""CPO: what it makes of preferences, and the settings that it brings."""

from dataclasses import replace

import pytest

from dragoman.corpora.records import Preference
from dragoman.methods.cpo import Options, cpo
from dragoman.prompts.speak import Speaker
from dragoman.prompts.systems import SYSTEMS
from dragoman.recipe.training import PreferenceLoss
from tests.methods.method_kit import CHAT, PAIR, Known, segments, told

ONE = Preference(PAIR.source, PAIR.target, f"{PAIR.target} {PAIR.target}", PAIR.source_language, PAIR.target_language)


def test_both_answers_follow_the_request_of_the_pair(vocabulary: tuple[Speaker, Known]) -> None:
    speak, _ = vocabulary
    asks, lesson = told(cpo([PAIR, CHAT, ONE], speak, Options()))
    assert not asks
    (example,) = lesson.examples
    right, wrong = speak.prefix(PAIR), speak.prefix(replace(PAIR, target=ONE.rejected))
    assert segments(example) == [
        ("prompt", right.prompt, 0),
        ("chosen", right.reference + right.end, 1),
        ("prompt", right.prompt, 0),
        ("rejected", wrong.reference + wrong.end, 1),
    ]
    assert example.key == ONE.key


@pytest.mark.parametrize("system", ["alma", "bigtrans", "parrot"])
def test_both_are_asked_for_in_the_same_words_of_a_system(system: str, vocabulary: tuple[Speaker, Known]) -> None:
    speak, _ = vocabulary
    asked = Speaker(speak.renderer, format=SYSTEMS[system])
    for number in range(8):
        one = replace(ONE, rejected=f"{ONE.rejected} {number}")
        (example,) = told(cpo([one], asked, Options()))[1].examples
        assert example.segments[0] == example.segments[2]


def test_the_settings_that_it_brings_can_be_changed() -> None:
    for said, expected in (
        ({}, PreferenceLoss()),
        ({"training": {"preference": {"loss": "simpo"}}}, PreferenceLoss(loss="simpo")),
        ({"training": {"learning_rate": 1e-5}}, PreferenceLoss()),
    ):
        training = Options.model_validate(said).training
        assert training is not None
        assert training.preference == expected
    assert PreferenceLoss().cloned == 1
    assert PreferenceLoss(loss="simpo").cloned == 0
