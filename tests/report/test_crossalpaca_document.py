"""The document of the CrossAlpaca study, from a made-up scorecard: its tables, its verdicts, and how sure they are."""

import copy

import numpy as np
import pytest
from crossalpaca import document, everything, pictures, table_2, table_3
from crossalpaca_claims import CLAIMS, Study, beyond, english_is_kept
from crossalpaca_paper import ALPACA, CROSS, average, below_english
from verdicts import AGREES, DISAGREES, NOISE, all_of, between, contrast

from dragoman.scoring.scorecard.abilities import families
from dragoman.scoring.statistics import interval
from tests.plain_card import Card
from tests.report.crossalpaca_card import crossalpaca_card, results


@pytest.fixture(scope="module")
def card() -> Card:
    return crossalpaca_card()


@pytest.fixture(scope="module")
def study(card: Card) -> Study:
    return Study.of(card)


def parts(verdict: str) -> list[str]:
    return verdict.removeprefix("in part: ").split(", ")


def test_a_study_knows_its_benchmarks_and_languages(study: Study) -> None:
    assert study.benchmarks == ("qa", "choice", "reasoning")
    assert study.foreign == ("de", "it")
    assert study.reading == ("qa",)


def test_a_contrast_of_two_rows_is_their_difference(card: Card) -> None:
    found = contrast(card, {("de-cross", "qa-de"): 1.0, ("de-alpaca", "qa-de"): -1.0})
    told = between(card, "de-cross", "de-alpaca", ("skills", "qa-de"))
    assert found.delta == pytest.approx(told.delta)
    assert found.interval[1] - found.interval[0] == pytest.approx(told.interval[1] - told.interval[0])
    assert found.p < 0.01


def test_a_contrast_is_as_sure_as_resamples_of_all_its_scores(card: Card) -> None:
    """A slope within a family, and a difference between two languages, against the bootstrap itself."""
    slope = {("de-alpaca", "qa-de"): -0.8, ("de-cross-0.25", "qa-de"): -0.4, ("de-cross-0.75", "qa-de"): 0.4}
    slope |= {("de-cross", "qa-de"): 0.8}
    across = {("en-alpaca", "qa-en"): 1.0, ("de-alpaca", "qa-de"): -0.5, ("it-alpaca", "qa-it"): -0.5}
    rows = {
        name: [one.abilities for one in results(name) if one.abilities]
        for name in ("backbone", *(name for name, _ in slope | across))
    }
    measured = families(rows, "backbone", 400)
    for weights in (slope, across):
        samples = sum(weight * measured[row][family].score.samples for (row, family), weight in weights.items())
        low, high = interval(np.asarray(samples))
        found = contrast(card, weights)
        assert found.interval[1] - found.interval[0] == pytest.approx(high - low, rel=0.25)
        assert found.delta == pytest.approx(
            sum(weight * measured[row][family].score.score for (row, family), weight in weights.items())
        )


def test_verdicts_follow_the_rules(study: Study) -> None:
    said = {claim.__name__: claim(study) for claim in CLAIMS}
    assert len(said) == 8
    assert parts(said["translated_is_not_enough"].verdict)[:2] == [AGREES, AGREES]  # the made-up shares are far apart
    assert parts(said["demonstrations_help"].verdict)[0] == AGREES
    assert parts(said["more_help_more"].verdict)[0] == AGREES
    assert said["reading_gains_most"].verdict == AGREES
    score = (study.score("de-alpaca", "qa-de") + study.score("it-alpaca", "qa-it")) / 2
    assert f"means at 0, 25, 50, 75 and 100 %: qa {score:.1f}, " in said["more_help_more"].measured
    assert len(beyond(study)) == 1 + 2 + 2
    assert {one.verdict for one in beyond(study)} == {"no claim"}


def test_what_is_turned_round_disagrees(card: Card) -> None:
    """The same scorecard with the names of Alpaca and CrossAlpaca exchanged."""
    card = copy.deepcopy(card)
    other = {"de-alpaca": "de-cross", "it-alpaca": "it-cross"}
    other |= {cross: alpaca for alpaca, cross in other.items()}
    for row in card["rows"]:
        row["name"] = other.get(row["name"], row["name"])
    for pair in card["pairs"]:
        pair |= {key: other.get(pair[key], pair[key]) for key in ("row", "other")}
    assert parts(CLAIMS[1](Study.of(card)).verdict)[0] == DISAGREES


def test_english_is_kept_only_where_the_loss_is_surely_small(study: Study) -> None:
    assert english_is_kept(study).verdict == all_of(NOISE, AGREES)  # to x-Alpaca, to the backbone


def test_tables_in_the_papers_layout(card: Card, study: Study) -> None:
    lines = table_2(study).splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:6]] == ["qa, EM", "qa, F1", "choice", "reasoning"]
    means = [
        (study.score(f"de-{kind}", "qa-de") + study.score(f"it-{kind}", "qa-it")) / 2 for kind in ("alpaca", "cross")
    ]
    assert [cell.strip() for cell in lines[2].split("|")[3:5]] == [f"{mean:.1f}" for mean in means]
    names = [line.split("|")[1].strip() for line in table_3(study).splitlines()[2:12]]
    assert names == [
        "en-Alpaca",
        "de-Alpaca",
        "it-Alpaca",
        "**avg-Alpaca**",
        "de-CrossAlpaca",
        "it-CrossAlpaca",
        "**avg-CrossAlpaca**",
        "avg-Alpaca less en-Alpaca",
        "avg-CrossAlpaca less en-Alpaca",
        "avg-CrossAlpaca less avg-Alpaca",
    ]
    assert len(everything(card).splitlines()) == 2 + len(card["rows"]) + 2


def test_the_papers_averages_are_those_of_its_rows() -> None:
    assert [round(mean, 3) for mean in average(ALPACA)] == [0.336, 0.316, 0.216, 0.238]
    assert below_english(CROSS) == "0.25, 0.22, 0.12 and 0.03 in MLQA, XQUAD, MMLU and BBH"


def test_the_document_and_its_pictures(card: Card, study: Study) -> None:
    text = document(card, "# Remarks\n", "lab-crossalpaca")
    assert text.startswith("# Remarks\n\n## The paper's claims")
    assert text.count("\n| 8 | English keeps what it had") == 1
    drawn = pictures(study)
    assert list(drawn) == ["figure3", "figure6", "figure7"]
    assert all(f"lab-crossalpaca/{name}.svg" in text for name in drawn)
    assert drawn["figure7"].count('class="bar"') == 4 * 2 * 3
    assert drawn["figure6"].count("<polyline") == 2 * 3
    assert "**Benchmarks in Italian**" in text
    assert "**What each method cost**" in text
