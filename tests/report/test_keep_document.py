"""The document on `keep`, from small scorecards: what is gained, kept and dominated, its aims, and the ground."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import keep as writer
import pytest
from keep_claims import (
    LIKELY,
    MISSED,
    RATE,
    REACHED,
    UNLIKELY,
    Run,
    above,
    aims,
    findings,
    ground,
    order,
    reached,
    share,
    swept,
)
from verdicts import AGREES, DISAGREES, NOISE

from dragoman.errors import DataError
from dragoman.scoring.scorecard.card import About
from dragoman.scoring.scorecard.training import Cost, Replay
from tests.plain_card import Card, scorecard
from tests.report.svg import SVG
from tests.report.verdict_card import result

BACKBONE = ({"de-en": 0.6}, {"sums": 90, "facts": 80})
COST: Cost = {
    "examples": 100,
    "example_tokens": 4000,
    "generated_tokens": 1200,
    "generating_seconds": 3.5,
    "trained_tokens": 5000,
    "training_seconds": 61.0,
    "steps": 10,
}


def about(method: str, prompts: str = "", near: bool = False, **settings: object) -> About:
    """How a row came about; `prompts` are those of its replay, of which sums may be a kind."""
    named = {name.replace("__", "."): value for name, value in settings.items()}
    replay: Replay | None = None
    if prompts:
        kinds = {"": 30} if prompts == "own" else {"sums": 20, "cooking": 10} if near else {"cooking": 30}
        replay = {"prompts": {prompts: kinds}, "near": {"sums": 0}, "overlapping": 0, "share": 0.1}
        replay["near_families"] = ["sums"] if near else []
    return About(method, cost=COST, settings=named, replay=replay)  # type: ignore[arg-type]


def run(
    folder: Path, rows: Mapping[str, tuple[float, int, int, About]], model: str = "lab", rate: str = "0.003"
) -> Run:
    """A run as it lies on disk: row → what of a translation it loses, the sums and facts it passes, its making."""
    results = {"backbone": result(*BACKBONE)}
    results |= {
        name: result({"de-en": lost}, {"sums": sums, "facts": facts}) for name, (lost, sums, facts, _) in rows.items()
    }
    made = {name: how for name, (*_, how) in rows.items()}
    card = scorecard(results, bootstrap=200, about={"backbone": About("backbone"), **made})
    folder.mkdir(parents=True)
    (folder / "scorecard.json").write_text(json.dumps(card))
    (folder / "recipe.yaml").write_text(
        f"name: {folder.name}\nbackbone: {model}\ntraining: {{learning_rate: {rate}}}\n"
    )
    return Run.of(folder)


@pytest.fixture
def frontier(tmp_path: Path) -> Run:
    return run(
        tmp_path / "frontier",
        {
            "vanilla": (0.1, 60, 50, about("vanilla")),
            "radis": (0.3, 80, 70, about("radis")),
            "worse": (0.5, 20, 20, about("vanilla", training__lora__rank=2)),
            "keep": (0.1, 90, 78, about("keep", "requests", near=True)),
        },
    )


def test_what_is_gained_kept_and_paid_stands_in_one_table(frontier: Run) -> None:
    table = writer.table(frontier)
    assert [f"{column.group}: {column.title}" for column in table.columns][2:5] == [
        "kept (RP), %: all",
        "kept (RP), %: near",
        "kept (RP), %: far",
    ]
    cells = {line.name: [cell.value for cell in line.cells] for line in table.lines}
    card: Card = frontier.card
    gained = card["rows"][4]["translation"]["all"]["chrf++"]["delta"]
    assert list(cells) == ["vanilla", "radis", "worse", "keep"]
    assert cells["keep"][0] == gained > 20
    assert cells["keep"][1] == pytest.approx(100)
    assert cells["keep"][2:5] == [pytest.approx(98.75), 100, pytest.approx(97.5)]
    assert cells["keep"][-4:] == [5000, 1200, 3.5, 61]
    assert cells["vanilla"][3:5] == [pytest.approx(100 * 60 / 90), pytest.approx(62.5)]


def test_a_share_of_the_gain_has_the_interval_of_the_difference(frontier: Run) -> None:
    value, (low, high) = share(frontier.card, "radis", "vanilla")
    card: Card = frontier.card
    gains = [card["rows"][place]["translation"]["all"]["chrf++"]["delta"] for place in (2, 1)]
    assert value == pytest.approx(100 * gains[0] / gains[1])
    assert low < value < high < 100
    assert share(frontier.card, "vanilla", "vanilla") == (100, (100, 100))


def test_who_is_above_whom_on_both_axes(frontier: Run) -> None:
    rows = frontier.at_one_rate()
    assert above(frontier.card, "worse", rows) == {"vanilla": True, "radis": True, "keep": True}
    assert above(frontier.card, "vanilla", rows) == {}  # keep translates no better
    assert above(frontier.card, "keep", rows) == {}
    assert "| worse | **vanilla**, **radis**, **keep** |" in "\n".join(writer.dominated(frontier))


def test_the_aims_are_held_against_what_was_measured(frontier: Run) -> None:
    gain, kept, far, over = aims(frontier)
    assert gain.measured.startswith("100.0 (100.0–100.0) %; ±0.0 ")
    assert [one.verdict for one in (gain, kept, far, over)] == [REACHED, LIKELY, LIKELY, REACHED]
    assert kept.measured.startswith("RP 98.8 (")
    assert far.measured.startswith("97.5 (")
    assert over.measured == "none is"


@pytest.mark.parametrize(
    ("value", "interval", "verdict"),
    [(98, (97, 99), REACHED), (98, (90, 99), LIKELY), (96, (90, 99), UNLIKELY), (96, (90, 96.9), MISSED)],
)
def test_an_aim_is_reached_or_missed_and_perhaps_by_chance(
    value: float, interval: tuple[float, float], verdict: str
) -> None:
    assert reached(value, interval, 97) == verdict


def test_where_replay_left_out_what_is_asked_all_families_are_far(tmp_path: Path) -> None:
    rows = {"vanilla": (0.1, 60, 50, about("vanilla")), "keep": (0.1, 80, 78, about("keep", "requests"))}
    _, kept, far, _ = aims(run(tmp_path / "one", rows))
    assert kept.measured == f"RP {far.measured}"
    rows["keep"] = (0.1, 80, 78, about("keep", "own"))
    _, kept, far, _ = aims(run(tmp_path / "own", rows))
    assert far.measured == f"{kept.measured.removeprefix('RP ')}; 30 prompts of unknown kind are not counted as seen"


def test_a_scorecard_that_did_not_tell_families_apart_is_refused(frontier: Run) -> None:
    for row in frontier.card["rows"]:
        row.get("replay", {}).pop("near_families", None)
        row.pop("near")
        row.pop("far")
    with pytest.raises(DataError, match=r"does not say to which; `dragoman run` with its recipe makes it anew"):
        aims(frontier)


def test_a_share_without_an_end_is_never_beyond_chance(frontier: Run) -> None:
    (keep,) = [row for row in frontier.card["rows"] if row["name"] == "keep"]
    keep["retention_interval"] = keep["far"]["interval"] = None
    _, kept, far, _ = aims(frontier)
    assert (kept.measured, kept.verdict) == ("RP 98.8", LIKELY)
    assert (far.measured, far.verdict) == ("97.5", LIKELY)


def test_a_run_without_keep_says_what_it_has(tmp_path: Path) -> None:
    made = run(tmp_path / "one", {"vanilla": (0.1, 60, 50, about("vanilla"))})
    with pytest.raises(DataError, match=r"one has no row keep; it has backbone and vanilla"):
        aims(made)


@pytest.fixture
def hot(tmp_path: Path) -> Run:
    """Both at three times the rate and at a third of it; one of them a row that the other run has as well."""
    rows = {
        "keep": (0.1, 90, 78, about("keep", "requests", training__learning_rate=0.003)),
        "keep-hot": (0.05, 70, 70, about("keep", "requests", training__learning_rate=0.009)),
        "keep-cool": (0.4, 90, 80, about("keep", "requests", training__learning_rate=0.001)),
        "vanilla": (0.1, 60, 50, about("vanilla", training__learning_rate=0.003)),
        "vanilla-hot": (0.05, 30, 30, about("vanilla", training__learning_rate=0.009)),
    }
    return run(tmp_path / "rates", rows)


def test_rows_at_other_rates_are_joined_in_the_order_of_their_rates(frontier: Run, hot: Run) -> None:
    found = {name: [(one.run.name, one.rate) for one in some] for name, some in swept(frontier, [hot]).items()}
    assert found == {
        "keep": [("rates", 0.001), ("frontier", 0.003), ("rates", 0.009)],
        "vanilla": [("frontier", 0.003), ("rates", 0.009)],
    }
    assert swept(frontier, []) == {}
    assert list(swept(hot, [])) == ["keep", "vanilla"]
    assert [row["name"] for row in hot.at_one_rate()] == ["keep", "vanilla"]
    root = ElementTree.fromstring(writer.picture(frontier, [hot]))
    names = {text.text for text in root.iter(f"{SVG}text") if text.get("class", "").startswith("name")}
    assert {"backbone", "radis", "worse", "keep 0.001", "keep 0.003", "keep 0.009", "vanilla 0.009"} <= names
    corners = [line.get("points", "").split() for line in root.iter(f"{SVG}polyline")]
    assert sorted(map(len, corners)) == [2, 3]
    table = writer.at_rates(swept(frontier, [hot]))
    assert [line.split(" |")[0] for line in table.split("\n")[2:5]] == [
        "| keep, 0.001",
        "| keep, 0.003",
        "| keep, 0.009",
    ]


def test_a_wreck_is_named_and_does_not_stretch_the_picture(frontier: Run, tmp_path: Path) -> None:
    rows = {"vanilla": (0.1, 60, 50, about("vanilla")), "keep": (0.1, 90, 78, about("keep", "requests"))}
    rows["keep-hot"] = (0.95, 3, 3, about("keep", "requests", training__learning_rate=0.03))
    rows["seq_kd"] = (0.95, 3, 3, about("seq_kd"))
    made = run(tmp_path / "wrecks", {name: (*it[:3], _with_rate(it[3])) for name, it in rows.items()})
    assert writer.wrecked(made, swept(made, [])) == [
        "Not in the picture, since they translate worse than the backbone: seq_kd, keep at 0.03."
    ]
    drawn = writer.picture(made, [])
    assert "keep 0.003" in drawn
    assert "keep 0.03<" not in drawn
    assert "seq_kd" not in drawn
    assert writer.wrecked(frontier, swept(frontier, [])) == []


def _with_rate(how: About) -> About:
    """In a run of several rates, every row has its own among its settings."""
    return replace(how, settings={RATE: 0.003, **how.settings})


def test_a_sweep_of_another_model_is_of_no_concern(frontier: Run, tmp_path: Path) -> None:
    rows = {"vanilla": (0.1, 60, 50, about("vanilla"))}
    assert swept(frontier, [run(tmp_path / "other", rows, "smollm2", "5e-4")]) == {}


@pytest.fixture
def grounds(tmp_path: Path) -> list[Run]:
    """As the field has it, on one model; the other knows soft labels alone."""
    plain = (0.1, 70, 60, about("vanilla"))
    rows = {
        "vanilla": plain,
        "own-soft": (0.1, 88, 79, about("vanilla", "own", training__segments__replay__labels="soft")),
        "own-hard": (0.1, 75, 66, about("vanilla", "own")),
        "others-soft": (0.1, 87, 80, about("multitask", training__segments__answer__labels="soft")),
        "others-hard": (0.1, 50, 40, about("multitask", training__segments__answer__labels="hard")),
        "radis": (0.1, 80, 80, about("radis")),
    }
    few = {"vanilla": plain, "keep": (0.1, 60, 50, about("keep", "requests"))}
    return [run(tmp_path / "ground", rows), run(tmp_path / "small", few, "smollm2")]


def test_the_ground_has_a_row_for_each_text_and_kind_of_label(grounds: list[Run]) -> None:
    said = writer.the_ground(grounds)
    lines = [line.split(" | ") for line in said[1].split("\n")]
    assert lines[0][2:] == ["the lab: chrF++ gained", "the lab: RP, %", "smollm2: chrF++ gained", "smollm2: RP, % |"]
    assert [(line[0], line[1]) for line in lines[2:]] == [
        ("| the backbone", "100"),
        ("| plain fine-tuning", "91"),
        ("| soft labels, own text", "98"),
        ("| soft labels, other people's text", "98"),
        ("| hard labels, own text", "96"),
        ("| hard labels, other people's text", "86"),
        ("| soft labels, own answers to other people's prompts", "–"),
    ]
    assert lines[4][3].startswith("98.3 (")
    assert lines[4][4:] == ["–", "– |"]
    assert order(ground(grounds[1])) == (
        "plain fine-tuning (76) > soft labels, own answers to other people's prompts (65)"
    )


def test_what_the_field_found_is_held_against_each_model(grounds: list[Run], tmp_path: Path) -> None:
    assert [one.verdict for one in findings(grounds[0])] == [AGREES, AGREES, AGREES, AGREES]
    assert findings(grounds[1]) == []
    otherwise = {
        "vanilla": (0.1, 70, 60, about("vanilla")),
        "own-soft": (0.1, 71, 60, about("vanilla", "own", training__segments__replay__labels="soft")),
        "own-hard": (0.1, 88, 79, about("vanilla", "own")),
        "others-soft": (0.1, 50, 40, about("multitask", training__segments__answer__labels="soft")),
        "others-hard": (0.1, 87, 80, about("multitask", training__segments__answer__labels="hard")),
    }
    found = findings(run(tmp_path / "otherwise", otherwise))
    assert [one.verdict for one in found] == [NOISE, DISAGREES, DISAGREES, DISAGREES]


def test_two_rows_that_learn_the_same_are_refused(tmp_path: Path) -> None:
    same = (0.1, 70, 60, about("vanilla", "own"))
    with pytest.raises(DataError, match=r"twice: one and other both learn hard labels, own text; keep one"):
        ground(run(tmp_path / "twice", {"vanilla": (0.1, 70, 60, about("vanilla")), "one": same, "other": same}))


def test_the_whole_page(frontier: Run, hot: Run, grounds: list[Run], tmp_path: Path, monkeypatch: Any) -> None:
    out = tmp_path / "keep.md"
    out.with_suffix(".remarks.md").write_text("# Keep\n\nWhat came out.\n")
    names = ["--run", frontier.name, "--sweep", hot.name, "--ground", *(one.name for one in grounds)]
    given = [name if name.startswith("--") else str(tmp_path / name) for name in names]
    monkeypatch.setattr("sys.argv", ["keep.py", *given, "--out", str(out)])
    writer.main()
    page = out.read_text()
    assert page.startswith("# Keep\n\nWhat came out.\n\n## Is the ground firm?")
    assert "## The frontier on the lab: frontier\n\n![" in page
    assert re.findall(r"\]\((keep/.*?)\)", page) == ["keep/frontier.svg"]
    drawn = (tmp_path / "keep" / "frontier.svg").read_text()
    assert "prefers-color-scheme: dark" in drawn
    assert "RP is shown apart; near are sums, all others far: facts." in page
    assert "**At other learning rates**" in page
