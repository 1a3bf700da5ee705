"""The page: complete, self-contained, and safe whatever a model writes."""

import copy
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from dragoman.report.page.page import Details, page, picture, write_report
from tests.plain_card import Card

VOID = {"meta", "br", "hr", "link", "img", "input"}


class Reader(HTMLParser):
    """Texts, tags and attributes, and whether every element is closed in its turn."""

    def __init__(self, html: str):
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture(scope="module")
def html(card: Card, details: Details) -> str:
    return page(card, details)


def test_every_part_is_there_and_well_formed(html: str) -> None:
    read = Reader(html)
    assert read.open == []
    text = " ".join(" ".join(read.texts).split())
    for part in (
        "2 ways to teach, side by side.",
        "vanilla translates better in all 4 directions (+42.6 chrF++) and kept 32 % of its abilities (28–35), worse",
        "radis translates better in all 4 directions (+37.7 chrF++) and kept 87 % of its abilities (82–93), worse at",
        "differences are from the backbone",
        "Abilities kept in brackets: difference from Vanilla-FT",
        "Translation out of English in brackets: difference from the backbone",
        "Skill gained, abilities kept",
        "The numbers",
        "Learning",
        "Translations, side by side",
        "What was taught",
        "left out: longer than 1,024 tokens: 7",
        "asked for 8,000",
        "% 20 of 512 asked freely",
        "said before",
        "Answers, forgotten and kept",
        "How it was made",
        "chrf++|nrefs:1|bs:200|seed:12345|case:mixed|eff:yes|nc:6|nw:2|space:no|version:",
        "lab, 3.9 M parameters",
        "name: demo backbone: lab",
    ):
        assert part in text
    # the plane, once more for a phone, two courses of losses, lengths, a bar for each ability
    assert read.tags.count("svg") == 2 + 2 + 1 + 2 * 9


def test_what_models_write_stays_text(html: str, card: Card, details: Details) -> None:
    attack = "<script>alert('1')</script>"
    assert attack not in html
    read = Reader(html)
    assert "script" not in read.tags
    assert sum(attack in text for text in read.texts) > 20
    assert not [name for name, _ in read.attributes if name.startswith("on")]
    hostile = copy.deepcopy(card)
    hostile["rows"][2]["name"] = '"><script>x</script>'
    drawn = page(hostile, Details('</title><script>"'))
    assert "<script" not in drawn
    assert "<script" not in str(picture(hostile))
    assert Reader(drawn).open == []


def test_characters_that_no_page_can_have(tmp_path: Path, card: Card) -> None:
    """Half an emoji, control characters and the like, in what models write and in the names of rows."""
    evil = "\ud83d\x00\x1b[2J\x85\u202e\uffff"
    row = f"radis{evil}"
    examples = {row: [[("reference", "Ja."), ("rationale", f"{evil} & so on")]]}
    hostile = copy.deepcopy(card)
    hostile["rows"][2]["name"] = row
    write_report(tmp_path, hostile, Details(evil, examples=examples, facts={evil: evil}, recipe=evil))
    told = "\\ud83d\\x00\\x1b[2J\\x85\\u202e\\uffff"
    shown = (tmp_path / "report.html").read_bytes().decode()
    assert f"{told} &amp; so on" in shown
    assert Reader(shown).open == []
    for path in (path for path in tmp_path.rglob("*") if path.is_file()):
        text = path.read_bytes().decode()
        if path.suffix == ".json":
            assert json.loads(text)
            continue
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\uffff]", text), path.name
        if path.suffix == ".svg":
            assert told in text
            ElementTree.fromstring(text)
    assert json.loads((tmp_path / "scorecard.json").read_text())["rows"][2]["name"] == row


def test_nothing_is_loaded_from_anywhere(html: str) -> None:
    read = Reader(html)
    assert {"link", "img", "iframe", "object"}.isdisjoint(read.tags)
    assert not [value for name, value in read.attributes if name in {"src", "href", "action", "data"}]
    assert set(re.findall(r"https?://[^\s\"<]+", html)) == {"http://www.w3.org/2000/svg"}
    assert "url(" not in html
    assert "@import" not in html


def test_the_same_results_give_the_same_page(html: str, card: Card, details: Details) -> None:
    assert page(card, details) == html


def test_every_row_is_shown_for_the_sentences_and_questions_drawn(html: str, details: Details) -> None:
    texts = Reader(html).texts
    assert sum(text.strip() == "reference" for text in texts) == 8 + 3  # two a direction; three examples' segments
    assert "the whole answer" in texts
    passed, failed = texts.count("✓"), texts.count("✗")
    assert passed >= 9 * 3  # the questions that all rows kept, but for refusals, and the backbone's others
    assert failed >= 9  # one forgotten of each ability


def test_a_page_without_details_and_one_without_abilities(card: Card) -> None:
    plain = page(card, Details("bare"))
    assert "Learning" not in plain
    assert "Translations, side by side" not in plain
    translation = copy.deepcopy(card)
    for row in translation["rows"]:
        row |= {"abilities": {}, "retention": None, "retention_interval": None, "inside_noise": None}
    translation["noise"] = None
    assert picture(translation) is None
    drawn = Reader(page(translation, Details("translation alone")))
    assert drawn.open == []
    assert "Abilities " not in drawn.texts
    alone = copy.deepcopy(card)
    alone["rows"] = alone["rows"][:1]
    assert "How the backbone does." in page(alone, Details("alone"))
    alone["backbone"] = alone["rows"][0]["name"] = "ALMA-7B"
    text = " ".join(" ".join(Reader(page(alone, Details("alone"))).texts).split())
    assert "How ALMA-7B does." in text
    assert "backbone" not in text.partition("Signatures of the scores")[0]


def test_one_row_beside_the_backbone_is_no_plural(card: Card) -> None:
    alone = copy.deepcopy(card)
    alone["rows"] = alone["rows"][:2]
    html = page(alone, Details("x"))
    assert "<h1>A way to teach, beside the backbone.</h1>" in html
    assert "1 ways" not in html


def test_an_ability_that_the_backbone_lacks_is_shown_without_a_bar(card: Card) -> None:
    card = copy.deepcopy(card)
    for row in card["rows"]:
        row["abilities"]["explaining"] |= {"retention": None, "retention_interval": None}
        row["retention_without"] = ["explaining"]
    card["rows"][0]["abilities"]["explaining"]["score"] = 0
    html = page(card, Details("x"))
    assert html.count("% kept</title>") == 2 * 8 + 2 * 3  # bars, and the points of both planes
    assert "The backbone scores 0 at explaining" in html


def test_a_report_is_files_to_look_at(tmp_path: Path, card: Card, details: Details, html: str) -> None:
    write_report(tmp_path / "report", card, details)
    paths = [path for path in (tmp_path / "report").rglob("*") if path.is_file()]
    files = {str(path.relative_to(tmp_path / "report")): path.read_text(encoding="utf-8") for path in paths}
    assert sorted(files) == [
        "picture.svg",
        "report.html",
        "scorecard.json",
        "table.md",
        "tables/abilities.md",
        "tables/abilities.tex",
        "tables/figure1.svg",
        "tables/tables.json",
        "tables/translation.md",
        "tables/translation.tex",
    ]
    assert files["tables/figure1.svg"] == files["picture.svg"]
    assert json.loads(files["scorecard.json"]) == card
    assert files["report.html"] == html
    root = ElementTree.fromstring(files["picture.svg"])
    style = root.find("{http://www.w3.org/2000/svg}style")
    assert style is not None
    assert "prefers-color-scheme: dark" in (style.text or "")


def test_eight_rows_of_three_trainings_fit_on_a_page(study: Card, results: dict, details: Details) -> None:
    """With answers of two thousand tokens and five thousand steps."""
    long = copy.deepcopy(results)
    for result in long.values():
        for item in [*result.abilities.items, *result.translation.items]:
            object.__setattr__(item, "answer", item.answer + " word" * 2000)
    names = [row["name"] for row in study["rows"]]
    steps = [{"step": step, "loss/reference": 1 / step, "loss/rationale": 0.2} for step in range(1, 5001)]
    many = Details(
        "study",
        results={name: long["backbone" if name == "backbone" else "radis"] for name in names},
        losses=dict.fromkeys(names[1:], steps),
        examples=dict.fromkeys(names[1:], [[("own", "word " * 2000)]] * 3),
    )
    html = page(study, many)
    assert len(html) < 3_000_000
    read = Reader(html)
    assert read.open == []
    text = " ".join(" ".join(read.texts).split())
    for part in (
        "7 ways to teach, side by side.",
        "seq_kd translates better in all 4 directions (+4.8 chrF++) and kept 95 % of its abilities (92–98), worse at",
        "Translation out of English",
        "Abilities kept",
        "Sources of the rationales",
        "radis-stronger (lab-large)",
        "What each method cost",
        "scores means of 3 trainings with different seeds",
        "small dots are single trainings",
        "… (8,000 more letters)",
    ):
        assert part in text
    assert html.count('<td class="best"><span>92.0</span>') == 2  # refusals, Seq-KD; harmless, rationales of the weaker
    assert read.attributes.count(("class", "seed row-2")) == 2 * 3


def test_the_validation_loss_stands_beside_the_training_loss(card: Card, details: Details) -> None:
    measured = [(0, 3.1), (60, 1.9), (120, 1.2), (240, 1.37)]
    lines = [*details.losses["vanilla"], *({"step": step, "validation_loss": loss} for step, loss in measured)]
    html = page(card, replace(details, losses={**details.losses, "vanilla": lines}))
    assert html.count('<circle class="measured row-1"') == 4
    assert ">validation 1.37</text>" in html  # as it was at the end, and no mean
    assert "at step 0 it is the backbone’s own" in html
    assert "validation" not in page(card, details)


def test_drift_while_training_stands_below_the_losses(card: Card, details: Details) -> None:
    moved = [{"step": 60 * at, "drift/general": 0.01 * at, "drift/translation": 0.02 * at} for at in range(4)]
    lines = [*details.losses["vanilla"], *moved]
    html = page(card, replace(details, losses={**details.losses, "vanilla": lines}))
    assert html.count('<circle class="measured row-1"') == 8
    assert ">general 0.030</text>" in html
    assert ">translation 0.060</text>" in html
    assert "in nats a token, on general prompts that were held out of replay" in html
    assert "held out of replay" not in page(card, details)


def test_what_is_odd_about_the_translation_alone_of_a_row_that_explains(card: Card, details: Details) -> None:
    text = " ".join(" ".join(Reader(page(card, details)).texts).split())
    assert text.count("translation alone 0.0") == 2  # of radis; the others were not taught to go on
    assert "translation alone" not in page(card, Details("bare"))


def test_tokens_beyond_the_translations_stand_with_what_is_odd(card: Card) -> None:
    assert "tokens beyond" not in page(card, Details("x"))
    talking = copy.deepcopy(card)
    told = talking["rows"][2]["translation"]
    signed = {"interval": [70.1, 73.2], "signature": "beyond|"}
    told["beyond"] = {"count": 36 * told["rates"]["chatter"]["n"], "n": 9999, "rate": 71.6, **signed}
    text = " ".join(" ".join(Reader(page(talking, Details("x"))).texts).split())
    assert "tokens beyond the translation % of all – – 71.6 70.1–73.2 · 36.0 an answer" in text


def test_another_skill_on_the_page(skilled: Card) -> None:
    for row in skilled["rows"]:
        row["translation"] = None
    text = " ".join(" ".join(Reader(page(skilled, Details("code"))).texts).split())
    assert "Another skill % passed programs 12" in text
    assert "To the right: better at what was taught." in text
    assert "radis gained 40 points at programs and kept 92 % of its abilities" in text
    assert "Odd translations" not in text
