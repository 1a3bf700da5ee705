"""Checks of an answer's form as tables, near misses included."""

from typing import Any

import pytest

from dragoman.corpora.records import Check
from dragoman.suites.questions.checks import check
from dragoman.suites.questions.verdict import Verdict

RIGHT = Verdict(True, True)
WRONG = Verdict(False, True)
NOTHING = Verdict(False, False)

VERDICTS: list[tuple[str, dict[str, Any], str, Verdict]] = [
    ("letter_count", {"letter": "O", "at_least": 2}, "Oh no", RIGHT),
    ("letter_count", {"letter": "o", "at_least": 3}, "Oh no", WRONG),
    ("letter_count", {"letter": "o", "at_most": 1}, "Oh no", WRONG),
    ("letter_count", {"letter": "o", "at_most": 1}, "", NOTHING),
    ("sentence_count", {"exactly": 2}, "It rains. Take a coat!", RIGHT),
    ("sentence_count", {"exactly": 2}, "It rains. Take a coat", RIGHT),
    ("sentence_count", {"exactly": 2}, "Dr. Lee came at 3.30 p.m. today. He left.", RIGHT),
    ("sentence_count", {"exactly": 1}, "She said “Stop!” and ran", WRONG),
    ("sentence_count", {"exactly": 3}, "Is it? Yes!!! Fine...", RIGHT),
    ("sentence_count", {"exactly": 2}, "1. Wash it.\n2. Dry it.", RIGHT),
    ("sentence_count", {"exactly": 2}, "A headline\n\nOne sentence.", RIGHT),
    ("sentence_count", {"at_least": 2}, "Only one, e.g. this.", WRONG),
    ("sentence_count", {"at_most": 2}, "One. Two. Three.", WRONG),
    ("sentence_count", {"exactly": 1}, "Vitamin C.", RIGHT),
    ("sentence_count", {"exactly": 1}, "...", NOTHING),
    ("paragraph_count", {"count": 2}, "One.\n \nTwo.\n", RIGHT),
    ("paragraph_count", {"count": 2}, "One.\nTwo.", WRONG),
    ("paragraph_count", {"count": 2, "divider": "***"}, "One.\n***\nTwo.\n***", RIGHT),
    ("paragraph_count", {"count": 2, "divider": "***"}, "One.\n***\n***\nTwo.", WRONG),
    ("paragraph_count", {"count": 1, "divider": "***"}, "***", NOTHING),
    ("paragraph_start", {"count": 2, "nth": 2, "word": "still"}, "Rain.\n\nStill, sun.", RIGHT),
    ("paragraph_start", {"count": 2, "nth": 2, "word": "still"}, "Rain.\n\n“Still”, sun.", RIGHT),
    ("paragraph_start", {"count": 2, "nth": 2, "word": "still"}, "Still rain.\n\nSun.", WRONG),
    ("paragraph_start", {"count": 2, "nth": 2, "word": "still"}, "Rain.\n\nStill.\n\nSun.", WRONG),
    ("paragraph_start", {"count": 2, "nth": 2, "word": "still"}, " ", NOTHING),
    ("placeholders", {"at_least": 2}, "Dear [name], see you on [day].", RIGHT),
    ("placeholders", {"at_least": 2}, "Dear [name], see you [].", WRONG),
    ("postscript", {}, "Bye!\nP.S. Call me.", RIGHT),
    ("postscript", {}, "Bye!\n**P.S.** Call me.", RIGHT),
    ("postscript", {}, "P.S. Call me.", WRONG),
    ("postscript", {}, "Bye!\nP.S.", WRONG),
    ("postscript", {"marker": "P.P.S"}, "Bye!\nP.S. Call me.\nP.P.S. Soon.", RIGHT),
    ("bullets", {"count": 2}, "Here:\n* one\n  - two\nDone.", RIGHT),
    ("bullets", {"count": 2}, "**Here**\n* one\n* two\n* three", WRONG),
    ("bullets", {"count": 1}, "-5 degrees", WRONG),
    ("highlights", {"at_least": 2}, "It is *black* and **white**.", RIGHT),
    ("highlights", {"at_least": 1}, "2 * 3 * 4 is 24", WRONG),
    ("highlights", {"at_least": 1}, "* one\n* two", WRONG),
    ("sections", {"count": 2, "marker": "PART"}, "PART 1\nBoil.\n**Part 2**: serve.", RIGHT),
    ("sections", {"count": 2, "marker": "PART"}, "PART 1\nBoil.\nPART 3\nServe.", WRONG),
    ("sections", {"count": 2, "marker": "PART"}, "PART 1\nBoil as in part 2.", WRONG),
    ("title", {}, "<<Rain>>\nIt rains.", RIGHT),
    ("title", {}, "<Rain>\nIt rains.", WRONG),
    ("title", {}, "<< >>", WRONG),
    ("two_responses", {}, "Luna\n******\nTiger", RIGHT),
    ("two_responses", {}, "Luna\n***\nTiger", WRONG),
    ("two_responses", {}, "Luna\n******\nluna.", WRONG),
    ("two_responses", {}, "Luna\n******\nTiger\n******\nTom", WRONG),
    ("capital_words", {"at_least": 2}, "BEWARE of the DOG", RIGHT),
    ("capital_words", {"at_least": 2}, "I saw A DOG", WRONG),
    ("capital_words", {"at_most": 1}, "BEWARE of the DOG", WRONG),
    ("lacks", {"characters": ",;"}, "Hello my friend", RIGHT),
    ("lacks", {"characters": ",;"}, "Hello; bye", WRONG),
    ("lacks", {"characters": "e"}, "EVE", WRONG),
    ("quoted", {}, '"Haste makes waste."', RIGHT),
    ("quoted", {}, "“Haste makes waste.”", RIGHT),
    ("quoted", {}, 'As they say: "Haste makes waste."', WRONG),
    ("quoted", {}, '""', WRONG),
]


@pytest.mark.parametrize(("name", "arguments", "answer", "verdict"), VERDICTS)
def test_verdicts(name: str, arguments: dict[str, Any], answer: str, verdict: Verdict) -> None:
    assert check(Check(name, arguments), answer) == verdict
