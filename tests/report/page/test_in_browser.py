"""The page in a browser: on a phone, beside seven other rows, in light and in dark."""

from pathlib import Path
from typing import Any

import pytest

from dragoman.report.page.page import Details, page
from tests.plain_card import Card
from tests.report.graded_card import graded_card
from tests.report.graded_card import results as graded_results
from tests.report.page.browser import measure, needs_chromium
from tests.report.study_card import study_card

PHONE, DESK = 390, 1280
LEAST = 11.0  # pixels of a letter that can be read

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def eight(details: Details) -> str:
    """Eight rows, some with long names, with losses and a sweep."""
    card = study_card()
    names = {"sdft_rewrite": "sdft-rewritten-by-the-backbone-itself", "radis-weaker": "radis-of-a-much-weaker-model"}
    for row in card["rows"]:
        row["name"] = names.get(row["name"], row["name"])
    for pair in card["pairs"]:
        pair |= {side: names.get(pair[side], pair[side]) for side in ("row", "other")}
    rows = [row["name"] for row in card["rows"]][1:]
    losses = dict.fromkeys(rows, details.losses["radis"])
    words = {name: ("radis", {"share": share}) for name, share in zip(rows, (0.25, 0.5, 1.0), strict=False)}
    return page(card, Details("eight", losses=losses, options=words))


@pytest.fixture(scope="module")
def graded() -> str:
    """Benchmarks that others judge, with their parts and facts."""
    return page(graded_card(), Details("graded", results=graded_results()))


REGIONS = """
const paper = look(page.body).backgroundColor;
return {page: page.documentElement.scrollWidth, regions: all(".wide").map(region => {
  const first = region.querySelector("tbody th:not([colspan])"), left = first.getBoundingClientRect().left;
  region.scrollLeft = 1e6;
  return {
    wide: region.scrollWidth, room: region.clientWidth, moved: first.getBoundingClientRect().left - left,
    share: first.getBoundingClientRect().width / region.clientWidth, opaque: look(first).backgroundColor == paper,
    label: region.getAttribute("aria-label"), role: region.getAttribute("role"), tab: region.tabIndex,
    shade: look(region).backgroundAttachment,
    cut: all("th, td", region).filter(cell => cell.scrollWidth > cell.clientWidth + 1).map(cell => cell.textContent),
  };
})};"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("which", ["eight", "graded"])
def test_on_a_phone_tables_scroll_sideways_under_a_column_that_stays(
    which: str, dark: bool, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    found: Any = measure(request.getfixturevalue(which), tmp_path, PHONE, REGIONS, dark=dark)
    assert found["page"] <= PHONE
    assert len(found["regions"]) > 6
    assert any(region["wide"] > 2 * region["room"] for region in found["regions"])
    for region in found["regions"]:
        assert region["moved"] == pytest.approx(0, abs=0.5)
        assert region["share"] < 0.45
        assert region["opaque"]
        assert (region["role"], region["tab"]) == ("region", 0)
        assert region["label"]
        assert region["shade"] == "local, scroll"  # the shade at the edge stays, what covers it comes with the end
        assert region["cut"] == []


@pytest.mark.parametrize("which", ["eight", "graded"])
def test_at_a_desk_eight_rows_need_no_scrolling_and_nothing_is_cut(
    which: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    found: Any = measure(request.getfixturevalue(which), tmp_path, DESK, REGIONS)
    assert found["page"] <= DESK
    for region in found["regions"]:
        assert region["wide"] <= region["room"]
        assert region["cut"] == []


TEXTS = """
const shown = all("svg.chart").filter(svg => svg.getBoundingClientRect().width), covered = [], outside = [], sizes = [];
for (const svg of shown) {
  const own = svg.getBoundingClientRect(), scale = own.width / svg.viewBox.baseVal.width;
  const boxes = all("text", svg).map(text => [text.textContent, text.getBoundingClientRect()]);
  all("text", svg).forEach(text => sizes.push(scale * parseFloat(look(text).fontSize)));
  boxes.forEach(([text, box], at) => {
    if (box.left < own.left - 1 || box.right > own.right + 1 || box.bottom > own.bottom + 1) outside.push(text);
    for (const [other, beside] of boxes.slice(at + 1)) {
      const across = Math.min(box.right, beside.right) - Math.max(box.left, beside.left);
      const down = Math.min(box.bottom, beside.bottom) - Math.max(box.top, beside.top);
      if (across > 1 && down > 3) covered.push([text, other]);
    }
  });
}
return {charts: shown.length, least: Math.min(...sizes), covered, outside};"""


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_text_in_charts_can_be_read(width: int, eight: str, card: Card, details: Details, tmp_path: Path) -> None:
    for html in (eight, page(card, details)):
        found: Any = measure(html, tmp_path, width, TEXTS)
        assert found["charts"] > 3
        assert found["least"] >= LEAST
        assert found["covered"] == []
        assert found["outside"] == []


COLOURS = """
const told = {}, add = (name, colour) => (told[name] ??= []).push(colour);
all(".numbers thead th[class]").forEach(head => add(head.textContent, look(head).color));
all(".claims b").forEach(name => add(name.textContent, look(name).color));
all(".on-wide > .chart .name").forEach(name => add(name.textContent, look(name).fill));
all(".pictures h3[class]").forEach(head => {
  add(head.textContent, look(head.querySelector(".dot")).backgroundColor);
  add(head.textContent, look(head.parentElement.querySelector(".curve")).stroke);
});
return told;"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_row_has_one_colour_in_headings_charts_and_losses(eight: str, dark: bool, tmp_path: Path) -> None:
    found: Any = measure(eight, tmp_path, DESK, COLOURS, dark=dark)
    rows = {name: set(colours) for name, colours in found.items() if len(colours) == 5}
    assert len(rows) == 7
    assert all(len(colours) == 1 for colours in rows.values())
    assert len(set.union(*rows.values())) == 7


def test_a_browser_shows_the_page_without_a_script(card: Card, details: Details, tmp_path: Path) -> None:
    seen = "return [all('script').length, all('.point > .marker').length, page.body.textContent];"
    found: Any = measure(page(card, details), tmp_path, DESK, seen)
    scripts, points, text = found
    assert scripts == 0
    assert points == 2 * 3 + 3  # in both planes, and in the key of the narrow one
    assert "(+37.7 chrF++)" in text
