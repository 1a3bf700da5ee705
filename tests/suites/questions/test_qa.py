"""Exact match and F1 for answers taken from a text, in each language by values worked out by hand."""

import pytest

from dragoman.json_values import as_texts
from dragoman.suites.questions.checks import check
from dragoman.suites.questions.qa import exact, f1, normalisation, normalised
from dragoman.suites.squad.questions import squad_questions
from tests import real_ones

# Language, what was said, what would have been right, exact match, F1. The F1 is 2 · common / (words of both).
CASES = [
    ("en", "The Denver Broncos.", "Denver Broncos", True, 1),
    ("en", "the Broncos", "Denver Broncos", False, 2 / 3),
    ("en", "a b b", "b b c", False, 4 / 5),  # articles go, repeated words count as often as in both
    ("en", "don't", "dont", True, 1),
    ("en", "theatre", "atre", False, 0),  # an article is a whole word
    ("de", "Die Verteidigung", "verteidigung", True, 1),
    ("de", "einer der Besten", "Besten", True, 1),
    ("de", "meine Straße", "Straße", False, 2 / 3),
    ("de", "„308“", "308", True, 1),
    ("es", "los años 90", "Años 90", True, 1),
    ("es", "¿un gato?", "gato negro", False, 2 / 3),
    ("it", "L'inno nazionale", "inno nazionale", True, 1),
    ("it", "un’altra", "altra", True, 1),
    ("it", "il gatto della nonna", "gatto", False, 1 / 2),  # della is no article: three words and one
    ("ar", "الكتاب", "كتاب", True, 1),
    ("ar", "كتاب، جديد", "الكتاب القديم", False, 1 / 2),
    ("zh", "丹佛野马队。", "丹佛野马队", True, 1),
    ("zh", "野马", "丹佛野马队", False, 4 / 7),  # two characters of five
    ("zh", "2016年", "2016", False, 2 / 3),  # a number is one word, 年 another
    ("zh", "Super Bowl 50", "super bowl", False, 4 / 5),
    ("hi", "दिल्ली।", "दिल्ली", True, 1),
    ("hi", "नई दिल्ली", "दिल्ली", False, 2 / 3),
    ("vi", "những con mèo", "con mèo", True, 1),
    ("vi", "của Việt Nam", "nước Việt Nam", False, 4 / 5),
    ("tr", "İstanbul'da", "i̇stanbulda", True, 1),
    ("tr", "bir kedi", "kedi", False, 2 / 3),  # no articles are taken out
    ("en", "", "x", False, 0),
    ("en", "the", "x", False, 0),
]


@pytest.mark.parametrize(("language", "answer", "right", "match", "shared"), CASES)
def test_by_hand(language: str, answer: str, right: str, match: bool, shared: float) -> None:
    assert exact(answer, [right], language) is match
    assert f1(answer, [right], language) == pytest.approx(shared)
    assert f1(right, [answer], language) == pytest.approx(shared)


def test_the_nearest_of_several_right_answers_counts() -> None:
    values = ["two", "the two dogs", "three"]
    assert exact("two dogs", values, "en")
    assert f1("dogs", values, "en") == pytest.approx(2 / 3)


def test_language_codes_and_what_the_signature_says() -> None:
    assert normalised("Das Haus", "deu_Latn") == "haus"
    assert normalised("我们 A", "zh_CN") == "我 们 a"
    told = [normalisation(code) for code in ("de", "zh_Hant", "it", "tr")]
    assert told == ["mlqa-de", "mlqa-zh", "own-it", "plain-tr"]


XQUAD = ("ar", "de", "en", "es", "tr", "zh")


@pytest.mark.parametrize(
    ("folder", "language", "count"),
    [
        *(("our_data", language, 4) for language in ("de", "en", "zh")),
        *real_ones(*(("real_data", language, 1190) for language in XQUAD)),
    ],
)
def test_right_answers_of_xquad_score_all_and_none_score_nothing(
    request: pytest.FixtureRequest, folder: str, language: str, count: int
) -> None:
    place = request.getfixturevalue(folder) / "xquad"
    questions, notes = squad_questions("x", "xquad", place, language)
    assert (len(questions), +notes) == (count, {})
    verdicts = [check(one.check, as_texts(one.check.arguments["values"])[0]) for one in questions]
    assert sum(verdict.passed for verdict in verdicts) == sum(verdict.credit for verdict in verdicts) == count
    empty = [check(one.check, "") for one in questions]
    assert sum(verdict.passed or verdict.extracted or verdict.credit for verdict in empty) == 0
