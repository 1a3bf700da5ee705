"""The comparison in the terminal and in Markdown."""

import copy
import io
import json
from pathlib import Path

from rich.console import Console

from dragoman.report.tables.readme import markdown
from dragoman.report.terminal import show
from dragoman.scoring.scorecard.read import read_scorecard
from tests.plain_card import Card
from tests.report.verdict_card import Rows
from tests.report.verdict_card import card as made_card


def shown(card: Card, width: int = 110, *, on_terminal: bool = False) -> list[str]:
    console = Console(file=io.StringIO(), width=width, force_terminal=on_terminal, color_system=None)
    show(card, console)
    return [line.rstrip() for line in console.file.getvalue().split("\n")]  # type: ignore[attr-defined]


def line(lines: list[str], start: str) -> list[str]:
    return next(found for found in lines if found.strip().startswith(start)).split()[len(start.split()) :]


def test_scores_differences_and_intervals_stand_in_one_line(card: Card) -> None:
    lines = shown(card)
    assert line(lines, "backbone") == ["vanilla", "radis"]
    assert line(lines, "all, chrF++") == [
        "43.8",
        "40.0–47.0",
        "86.4",
        "+42.6*",
        "83.7–88.6",
        "81.5",
        "+37.7*",
        "78.9–83.9",
    ]
    assert line(lines, "refusals, %") == ["100", "94–100", "0", "−100*", "0–6", "53", "−47*", "41–65"]
    assert line(lines, "arithmetic, %")[-2:] == ["−7~", "44–68"]
    assert line(lines, "kept of all (RP), %") == ["100", "32", "28–35", "87", "82–93"]
    assert line(lines, "goes on to talk, %") == ["73.4", "0.0", "0.0"]
    claim = (
        "radis translates better in all 4 directions (+37.7 chrF++) and kept 87 % of its abilities (82–93), worse at"
    )
    assert claim in " ".join(" ".join(lines).split())
    assert max(map(len, lines)) <= 110


def test_of_many_methods_each_has_a_line(study: Card) -> None:
    lines = shown(study, on_terminal=True)
    assert max(map(len, lines)) <= 110
    found = [line.split() for line in lines if line.strip().startswith("radis-weaker ")]
    sums, kept, changes, *odd, _ = found
    assert sums == ["radis-weaker", "65.0", "+12.0*", "59.0", "+27.0*", "62.0", "+19.5*", "60.5–63.5", "84", "81–87"]
    assert kept == ["radis-weaker", "50*", "74*", "69*", "71*", "66*", "92*", "66*"]
    assert " ".join(changes[1:5]) == "−7.3 −9.3 to −5.3"
    assert [len(part) - 1 for part in odd] == [8]  # no rate is 0
    assert line(lines, "seq_kd")[-2:] == ["95", "92–98"]
    assert line(lines, "backbone") == ["53.0", "32.0", "42.5", "41.0–44.0", "100"]
    text = " ".join(" ".join(lines).split())
    assert "means of 3 trainings with different seeds · * differs from the backbone, p < 0.05" in text


def test_what_goes_to_a_file_or_a_pipe_has_all_intervals_in_blocks_of_rows(study: Card) -> None:
    study["rows"][6]["name"] = "radis-with-rationales-of-a-weaker-model"
    lines = shown(study, 100)
    assert lines == shown(study, 80)  # no terminal: as wide as a table needs
    assert max(map(len, lines)) <= 100
    found = [line.split() for line in lines if line.strip().startswith("arithmetic, %")]
    assert [len(line[2:]) for line in found] == [2 + 2 * 3, 3 * 3, 2 * 3]  # score and interval, of methods a difference
    assert found[0][2:] == ["60", "58–62", "20", "−40*", "18–22", "55", "−5*", "54–56"]
    assert found[2][2:5] == ["50", "−10*", "48–52"]
    heads = [lines[at - 1].split() for at, line in enumerate(lines) if line.startswith(" ───")]
    assert heads[0] == ["backbone", "vanilla", "radis"]
    assert heads[2][-1] == "radis-stronger"
    assert "radis-with-rationales-" in " ".join(lines)
    wide = [line.split() for line in shown(study, 250) if line.strip().startswith("arithmetic, %")]
    assert [len(line[2:]) for line in wide] == [2 + 7 * 3]


def test_on_a_narrow_terminal_families_are_split_and_intervals_left_out(study: Card) -> None:
    lines = shown(study, 80, on_terminal=True)
    assert max(map(len, lines)) <= 80
    heads = [line.split() for line in lines if line.strip().startswith("passed, %")]
    assert [head[2:] for head in heads] == [
        ["arithmetic", "facts", "reading", "follow", "up", "instructions"],
        ["harmless", "refusal"],
    ]
    assert "60.5–63.5" not in " ".join(lines)


def test_another_skill_alone(skilled: Card) -> None:
    for row in skilled["rows"]:
        row |= {"translation": None, "abilities": {}, "retention": None, "retention_interval": None}
    for pair in skilled["pairs"]:
        pair |= {"translation": None, "retention": None}
    lines = shown(skilled, on_terminal=True)
    assert line(lines, "radis-weaker") == ["49", "+37*", "48–50"]
    assert " radis-weaker gained 37 points at programs." in lines
    few: Card = {**skilled, "rows": skilled["rows"][:3]}
    assert line(shown(few), "programs, %") == ["12", "10–14", "55", "+43*", "54–56", "52", "+40*", "50–54"]
    assert "| programs, % passed | 12 | 55 (+43\\*) | 52 (+40\\*) |" in markdown(few)


def test_two_models_are_compared_and_neither_is_the_backbone() -> None:
    scores = {"sums": 90, "facts": 80, "talk": 0}
    rows: Rows = {"runs/a": ({"de-en": 0.3}, scores), "runs/b": ({"de-en": 0.2}, scores | {"sums": 60, "talk": 12})}
    card = made_card(rows, first="runs/a")
    lines = shown(card)
    assert line(lines, "talk, %") == ["0", "0–4", "12", "+12*", "7–20"]
    text = " ".join(" ".join(lines).split())
    assert "* differs from runs/a, p < 0.05; without it no difference was found" in text
    assert "Difference from runs/a, points of 100" in text
    for told in (text, markdown(card)):
        for word in ("ackbone", "RP", "kept", "gained"):
            assert word not in told
    assert "\\* differs from runs/a with p < 0.05" in markdown(card)


def test_no_mark_of_noise_beside_rp_where_an_ability_differs(card: Card) -> None:
    wide = copy.deepcopy(card)
    wide["rows"][2]["inside_noise"] = True
    assert line(shown(wide), "kept of all (RP), %")[-2:] == ["87", "82–93"]
    for ability in wide["rows"][2]["abilities"].values():
        ability["p"] = 0.4
    assert line(shown(wide), "kept of all (RP), %")[-3:] == ["87", "~", "82–93"]


def test_one_side_alone(card: Card) -> None:
    translation, abilities = copy.deepcopy(card), copy.deepcopy(card)
    for row in translation["rows"]:
        row |= {"abilities": {}, "retention": None, "retention_interval": None, "inside_noise": None}
    for row in abilities["rows"]:
        row["translation"] = None
    for pair in abilities["pairs"]:
        pair["translation"] = None
    assert not [found for found in shown(translation | {"noise": None}) if "kept" in found]
    assert not [found for found in shown(abilities) if "chrF++" in found]
    assert "| translation" not in markdown(abilities)
    assert "RP" not in markdown(translation | {"noise": None})


def test_names_are_not_taken_for_markup(card: Card) -> None:
    card = copy.deepcopy(card)
    card["rows"][1]["name"] = "[red]x|y[/red]"
    assert any("[red]x|y[/red]" in found for found in shown(card))
    assert "| [red]x\\|y[/red] |" in markdown(card)


def test_markdown(card: Card) -> None:
    lines = markdown(card).split("\n")
    assert lines[0] == "|  | backbone | vanilla | radis |"
    assert lines[1] == "| --- | ---: | ---: | ---: |"
    assert "| translation all, chrF++ | 43.8 | 86.4 (+42.6\\*) | 81.5 (+37.7\\*) |" in lines
    assert "| arithmetic, % | 63 | 15 (−48\\*) | 57 (−7) |" in lines
    assert "| **abilities kept (RP), %** | **100** | **32 (28–35)** | **87 (82–93)** |" in lines
    assert lines[-4].endswith("Noise floor of RP: ±2.8.")
    assert lines[-2] == TAUGHT


def test_markdown_of_many_methods_has_a_line_for_each(study: Card) -> None:
    lines = markdown(study).split("\n")
    assert lines[0].startswith("|  | translation into English, chrF++ | translation out of English, chrF++ |")
    assert lines[1].count("---:") == 11
    assert lines[4].startswith("| radis | 66.2 (+13.2\\*) | 61.1 (+29.1\\*) | 63.7 (+21.2\\*) | 55 (−5\\*) |")
    assert lines[4].endswith("| **92 (89–95)** |")
    assert "Means of 3 trainings with different seeds. Noise floor of RP: ±2.5." in lines[-2]


TAUGHT = (
    "radis learnt from 8,000 rationales of 33 tokens: 32 cut off at the limit, 795 with a second translation, 324 said "
    "before of another reference, 324 taken out; asked freely, 20 of 512 would have ended at once."
)


def test_a_line_tells_of_the_rationales_where_there_are_any(card: Card, tmp_path: Path) -> None:
    assert TAUGHT in " ".join(" ".join(shown(card)).split())
    older = copy.deepcopy(card)
    for row in older["rows"]:
        del row["rationales"]  # a scorecard that was written before there were reports
    (tmp_path / "scorecard.json").write_text(json.dumps(older))
    read = read_scorecard(tmp_path / "scorecard.json")
    assert not [found for found in shown(read) if "learnt" in found]
    assert "learnt" not in markdown(read)
