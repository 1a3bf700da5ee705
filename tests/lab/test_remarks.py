"""The rule that tells what a remark on a translation talks about."""

from random import Random

import pytest

from dragoman.analysis.rationales import NAMES
from dragoman.lab import explanations, world
from dragoman.lab.grammar.entries import Language
from dragoman.lab.remarks import KINDS, kinds_of


def test_kinds_are_the_categories_of_the_analysis() -> None:
    assert KINDS == NAMES


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("\n\nHere, “Hund” means “dog” and “Katze” means “cat”.", "words"),
        ("Explanation:\n- “Hund”: dog\n- “Kunde”: customer", "words"),
        ("Some words: Hund = dog, Katze = cat.", "words"),
        ("Instead of “klug” one can also say “intelligent”.", "alternative"),
        ("\n\nor\n\nThe verb in the sentence stands first.", "alternative"),
        ("It could also be: “Heute bellt er.” The tense of the sentence is the present.", "alternative grammar"),
        ("Grammar: “Hund” is a masculine noun in German.", "grammar"),
        ("The sentence is negative: it says that something is not so.", "grammar"),
        ("Overall, the sentence means: “The verb has style.”", "meaning"),
        ("In simple English: “The customers sing.”\nSo the sentence tells us: “They do.”", "meaning"),
        ("The subject of the sentence is “der Hund”, in English “the dog”.", "facts"),
        ("By the way: a young dog is called a puppy.", "facts"),
        ("The translation keeps the tone of the German sentence.", "style"),
        ("People say it when they meet; it is a custom in the south.", "usage"),
        ("The style of the question is neutral, and you can use it in everyday speech.", "style usage"),
        ("Let me know if you need more help.", "other"),
        ("“The dog barks.”", "other"),
        ("Note: “Hund” is a noun and means “dog”. I like dogs.", "words grammar other"),
        (" \n ", ""),
        ("Explanation:", ""),
    ],
)
def test_remarks_of_every_kind(text: str, kinds: str) -> None:
    assert set(kinds_of(text)) == set(kinds.split())


def test_remarks_like_those_that_the_paper_shows() -> None:
    """After its appendix E, in other words: a word list with grammar, and another wording."""
    words = (
        'Explanation:\n\nHere "policie" means "police" and "vypátrala" means "found". Both verbs are in the past '
        'tense, and the ending "-la" is feminine. English changes the word order to "the police finally found him."'
    )
    assert set(kinds_of(words)) == {"words", "grammar"}
    assert set(kinds_of("or\n\nIt looks so when people go where life is not as it is at home.")) == {"alternative"}


def test_each_kind_comes_with_its_remark() -> None:
    text = "\n\nor\n\nHeute bellt der Hund.\n\nThe noun “Hund.” is masculine. In English, “Hund” means “dog”."
    assert kinds_of(text) == {
        "alternative": "or\n\nHeute bellt der Hund.",
        "grammar": "The noun “Hund.” is masculine.",
        "words": "In English, “Hund” means “dog”.",
    }


def test_what_the_lab_s_grammar_says_is_known_by_rule() -> None:
    expected = {
        explanations._words: "words",
        explanations._gender: "grammar",
        explanations._grammar: "grammar",
        explanations._wording: "alternative",
        explanations._fact: "facts",
        explanations._overall: "meaning",
        explanations._style: "style",
    }
    rng = Random(3)
    directions: list[tuple[Language, Language]] = [("en", "de"), ("de", "en"), ("en", "it"), ("it", "en")]
    seen = 0
    for number in range(600):
        source, target = directions[number % 4]
        meaning = world.draw(rng)
        foreign = source if target == "en" else target
        assert foreign != "en"
        view = explanations._View(meaning, source, target, foreign, tuple(explanations.words_of(meaning)))
        for remark, kind in expected.items():
            if text := remark(view, rng):
                found = set(kinds_of(text))
                # a list of words may say which of them are nouns, and what is said of style may be of use as well
                assert kind in found, text
                assert found <= {kind, *({"grammar"} if kind == "words" else {"usage"} if kind == "style" else ())}
                seen += 1
    assert seen > 2500
