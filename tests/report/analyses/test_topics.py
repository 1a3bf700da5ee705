"""The table of categories: in the terminal, as Markdown, as a picture."""

import re
import xml.etree.ElementTree as ET
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from dragoman.analysis.rationales import CATEGORIES, Sampled, Verdict, tabulate
from dragoman.report.analyses.topics import markdown, picture, sentences, show


@pytest.fixture
def found() -> Any:
    said = ["Note | <b>this</b>.", "The noun [red] is *feminine*.", " ", "Hm."]
    sampled = [
        Sampled(str(place), ("de-en", "en-de")[place % 2], "Quelle", "request", "answer", text)
        for place, text in enumerate(said)
    ]
    verdicts = [Verdict(frozenset({"words"})), Verdict(frozenset({"words", "grammar"})), None, Verdict(None, "what?")]
    facts = {"recipe": "small", "row": "radis", "backbone": "lab", "writer": None, "count": 2, "seed": 0}
    return {**tabulate(sampled, verdicts), **facts, "judge": {"by": "model", "model": "a-judge"}}


def test_nothing_is_left_unsaid(found: Any) -> None:
    said = " ".join(sentences(found))
    assert "4 rationales were sampled, at most 2 a direction, seed 0; 2 were classified by a-judge." in said
    assert "1 are nothing but white space" in said
    assert "1 of the judge's 3 answers could not be read" in said
    assert "'what?'" in said
    assert "1.50 categories on average (1 with 1, 1 with 2)" in said
    found["count"] = 25
    assert "fewer rationales than were to be sampled: de-en 2, en-de 2" in " ".join(sentences(found))


def test_terminal(found: Any) -> None:
    paper = StringIO()
    show(found, Console(file=paper, width=120))
    printed = paper.getvalue()
    for category in CATEGORIES:
        assert category.title in printed
    assert "The noun [red] is *feminine*." in printed
    assert re.search(r"grammar +explains grammar.* 50 ", printed)
    assert re.search(r"^ +word or phrase translation +100 +100", printed, re.MULTILINE)
    assert "partly lost" in printed


def test_markdown_escapes_what_models_say(found: Any) -> None:
    text = markdown(found)
    assert "| grammar | explains grammar" in text
    assert "| 50 | 9–91 | The noun \\[red\\] is \\*feminine\\*. |" in text
    assert "Note \\| \\<b\\>this\\</b\\>." in text
    assert "| word or phrase translation | 100 (21–100) | 100 (21–100) |" in text
    assert "- style and register: ours" in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in rows} == {6, 4}


def test_picture_has_a_bar_for_each_category(found: Any) -> None:
    drawn = picture(found)
    assert drawn is not None
    root = ET.fromstring(drawn)
    space = "{http://www.w3.org/2000/svg}"
    bars = [float(bar.get("width", "")) for bar in root.iter(f"{space}rect")]
    assert len(bars) == 8
    assert bars[0] == 2 * bars[2] > 0  # words 100 %, grammar 50 %
    assert bars[4] == 0
    assert len(list(root.iter(f"{space}circle"))) == 16  # a dot for each direction
    whiskers = [line for line in root.iter(f"{space}line") if "whisker" in (line.get("class") or "")]
    assert float(whiskers[2].get("x1", "")) < 200 + bars[2] < float(whiskers[2].get("x2", ""))


def test_nothing_to_draw_without_verdicts(found: Any) -> None:
    assert picture(found | {"judged": 0}) is None
