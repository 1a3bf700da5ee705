"""The comparison in the terminal and in Markdown."""

import copy
import io

from rich.console import Console

from dragoman.report.tables import markdown, show


def shown(card: dict, width: int = 110) -> list[str]:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    show(card, console)
    return [line.rstrip() for line in console.file.getvalue().split("\n")]  # type: ignore[attr-defined]


def line(lines: list[str], start: str) -> list[str]:
    return next(found for found in lines if found.strip().startswith(start)).split()[len(start.split()) :]


def test_scores_differences_and_intervals_stand_in_one_line(card: dict) -> None:
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
    assert " radis gained 37.7 chrF++ and kept 87 % of its abilities." in lines
    assert max(map(len, lines)) <= 110


def test_many_methods_are_set_in_several_tables(card: dict) -> None:
    card = copy.deepcopy(card)
    card["rows"] += [{**card["rows"][1], "name": f"method-{i}"} for i in range(3)]
    lines = shown(card, 120)
    headers = [found.split() for found in lines if found.strip().startswith("backbone")]
    assert headers == [["backbone", "vanilla", "radis", "method-0"], ["backbone", "method-1", "method-2"]]
    assert max(map(len, lines)) <= 120


def test_one_side_alone(card: dict) -> None:
    translation, abilities = copy.deepcopy(card), copy.deepcopy(card)
    for row in translation["rows"]:
        row |= {"abilities": {}, "retention": None, "retention_interval": None, "inside_noise": None}
    for row in abilities["rows"]:
        row["translation"] = None
    assert not [found for found in shown({**translation, "noise": None}) if "kept" in found]
    assert not [found for found in shown(abilities) if "chrF++" in found]
    assert "| translation" not in markdown(abilities)
    assert "RP" not in markdown({**translation, "noise": None})


def test_names_are_not_taken_for_markup(card: dict) -> None:
    card = copy.deepcopy(card)
    card["rows"][1]["name"] = "[red]x|y[/red]"
    assert any("[red]x|y[/red]" in found for found in shown(card))
    assert "| [red]x\\|y[/red] |" in markdown(card)


def test_markdown(card: dict) -> None:
    lines = markdown(card).split("\n")
    assert lines[0] == "|  | backbone | vanilla | radis |"
    assert lines[1] == "| --- | ---: | ---: | ---: |"
    assert "| translation all, chrF++ | 43.8 | 86.4 (+42.6\\*) | 81.5 (+37.7\\*) |" in lines
    assert "| arithmetic, % | 63 | 15 (−48\\*) | 57 (−7) |" in lines
    assert "| **abilities kept (RP), %** | **100** | **32 (28–35)** | **87 (82–93)** |" in lines
    assert lines[-4].endswith("Noise floor of RP: ±2.8.")
    assert lines[-2] == TAUGHT


TAUGHT = (
    "radis learnt from 8,000 rationales of 33 tokens: 32 cut off at the limit, 795 with a second translation, 324 said "
    "before of another reference, 324 taken out; asked freely, 20 of 512 would have ended at once."
)


def test_a_line_tells_of_the_rationales_where_there_are_any(card: dict) -> None:
    assert TAUGHT in " ".join(" ".join(shown(card)).split())
    older = copy.deepcopy(card)
    for row in older["rows"]:
        del row["rationales"]  # a scorecard that was written before there were reports
    assert not [found for found in shown(older) if "learnt" in found]
    assert "learnt" not in markdown(older)
