"""A sample of rationales becomes a table: what is drawn, the shares and their intervals, the examples."""

import random

import pytest

from dragoman.analysis.rationales import CATEGORIES, NAMES, Sampled, Verdict, sample, shortened, tabulate


def about(key: str, direction: str, rationale: str = "It says something.") -> Sampled:
    return Sampled(key, direction, "Der Hund bellt.", "Translate: Der Hund bellt.", "The dog barks.", rationale)


def verdict(*labels: str) -> Verdict:
    return Verdict(frozenset(labels))


def test_a_sample_depends_on_keys_and_seed_alone() -> None:
    keys = [(f"{number:04d}", ("de-en", "en-de", "cs-en")[number % 3]) for number in range(300)]
    drawn = sample(keys, 25, seed=0)
    assert list(drawn) == ["cs-en", "de-en", "en-de"]
    assert [len(found) for found in drawn.values()] == [25, 25, 25]
    assert all(int(key) % 3 == 0 for key in drawn["de-en"])
    shuffled = random.Random(5).sample(keys, len(keys))
    assert sample([*shuffled, *keys[:40]], 25, seed=0) == drawn  # nor does it matter that a pair comes twice
    assert sample(keys, 25, seed=1) != drawn
    assert sample(keys, 3, seed=0)["de-en"] == drawn["de-en"][:3]
    assert sample(keys[:2], 25, seed=0) == {"de-en": ["0000"], "en-de": ["0001"]}


def test_shares_and_intervals() -> None:
    sampled = [about(str(number), "de-en" if number < 6 else "en-de") for number in range(10)]
    verdicts = [verdict("words")] * 3 + [verdict("words", "grammar")] * 3 + [verdict("other")] * 2
    verdicts += [Verdict(None, "I would say so.")]
    sampled[9] = about("9", "en-de", " \n")
    table = tabulate(sampled, [*verdicts, None])
    assert (table["sampled"], table["judged"], table["unparsed"], table["blank"]) == (10, 8, 1, 1)
    assert table["unparsed_answers"] == ["I would say so."]
    assert table["labels_per_rationale"] == 11 / 8
    assert table["how_many_labels"] == {"1": 5, "2": 3}
    assert table["directions"] == {"de-en": {"sampled": 6, "judged": 6}, "en-de": {"sampled": 4, "judged": 2}}
    found = {category["name"]: category for category in table["categories"]}
    assert list(found) == list(NAMES)
    assert (found["words"]["count"], found["words"]["of"], found["words"]["share"]) == (6, 8, 75.0)
    # Wilson: (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n), with p = 0.75, n = 8, z = 1.96
    assert found["words"]["interval"] == pytest.approx([40.93, 92.85], abs=0.01)
    assert found["words"]["directions"]["de-en"]["share"] == 100
    assert found["words"]["directions"]["en-de"]["share"] == 0
    assert found["words"]["directions"]["en-de"]["interval"] == pytest.approx([0, 65.76], abs=0.01)
    assert found["style"]["share"] == 0
    assert [item["categories"] for item in table["items"]][5:] == [
        *(["words", "grammar"], ["other"], ["other"], "unparsed", "blank"),
    ]


def test_without_any_verdict_there_are_no_shares() -> None:
    table = tabulate([about("a", "de-en")], [Verdict(None, "?")])
    assert table["labels_per_rationale"] is None
    assert {(category["share"], category["interval"]) for category in table["categories"]} == {(None, None)}


def test_examples_are_the_plainest_of_different_directions() -> None:
    sampled = [
        about("a", "de-en", "says a lot"),
        about("b", "de-en", "grammar one"),
        about("c", "de-en", "grammar two"),
        about("d", "en-de", "said before. Grammar three."),
        about("e", "en-de", "grammar one"),
    ]
    verdicts = [
        verdict("grammar", "style", "words"),
        verdict("grammar"),
        verdict("grammar"),
        Verdict(frozenset({"grammar", "other"}), passages={"grammar": "Grammar three."}),
        verdict("grammar"),
    ]
    table = tabulate(sampled, verdicts)
    shown = {
        category["name"]: [example["rationale"] for example in category["examples"]] for category in table["categories"]
    }
    assert shown["grammar"] == ["grammar one", "Grammar three.", "grammar two"]
    assert shown["other"] == ["said before. Grammar three."]
    assert shown["facts"] == []


def test_a_long_text_is_cut_between_words() -> None:
    assert shortened(" one\n\ntwo ") == "one two"
    assert shortened("one two three", 10) == "one two …"
    assert shortened("x" * 20, 10) == "x" * 9 + " …"


def test_a_verdict_has_known_categories() -> None:
    with pytest.raises(ValueError, match=r"\['poetry'\] should be one or more of words, alternative, grammar"):
        verdict("poetry")
    with pytest.raises(ValueError, match="should be one or more"):
        verdict()


def test_there_are_eight_and_each_says_where_it_is_from() -> None:
    assert len(CATEGORIES) == 8
    ours = {category.name for category in CATEGORIES if category.origin.startswith("ours")}
    assert ours == {"grammar", "style", "usage"}
