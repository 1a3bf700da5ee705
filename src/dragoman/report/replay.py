"""Replay in a scorecard: what rows learnt beside their task, and what was kept near to it and far from it."""

from typing import Literal

from dragoman.report.phrases import listed, plain
from dragoman.scoring.scorecard.schema import Part, Row, Scorecard
from dragoman.scoring.scorecard.training import Replay

PartName = Literal["near", "far"]
TITLES: dict[PartName, str] = {"near": "near to replay", "far": "far from replay"}


def parts(card: Scorecard) -> dict[PartName, str]:
    """The parts that RP is shown of apart, and their titles; none where replay is near to no family."""
    return {part: title for part, title in TITLES.items() if any(part_of(row, part) for row in card["rows"])}


def part_of(row: Row, part: PartName) -> Part | None:
    """RP of the families near to replay, or far from it; None where they are not told apart."""
    return row.get(part)


def remarks(card: Scorecard) -> list[str]:
    """Which rows learnt general prompts beside their task, and whether evaluation asks such ones."""
    taking = [row for row in card["rows"] if "replay" in row]
    if not taking:
        return []
    names, replay = [row["name"] for row in taking], taking[0]["replay"]  # all take the same prompts
    sources = [f"{sum(kinds.values()):,} of {name}" for name, kinds in replay["prompts"].items()]
    kinds = {kind for some in replay["prompts"].values() for kind in some if kind}
    far, near = sorted(kinds - replay["near"].keys()), sorted(kinds & replay["near"].keys())
    left_out = sorted(kind for kind, count in replay["near"].items() if count)
    who = "the backbone's own answers, or those of the row that they come after,"
    who = who if any("after" in row for row in taking) else "the backbone's own answers"
    told = f"{listed(names)} learnt general prompts with {who} beside the task: {listed(sources)}"
    found = [f"{told}, of the kinds {listed(far)}, which evaluation does not ask." if far else f"{told}."]
    if left_out:
        found.append(f"Of kinds that evaluation asks ({listed(left_out)}) none was among them.")
    if near:
        found.append(
            f"Evaluation asks the kinds {listed(near)} too: what was kept there was practised, and says little of what "
            "nobody practised."
        )
    return [" ".join([*found, *_apart(card), *_unknown(replay)])]


def _apart(card: Scorecard) -> list[str]:
    """Which families are near to replay, and which far from it, if any are near."""
    named = {
        part: listed([plain(name) for name in found["families"]])
        for part in parts(card)
        if (found := part_of(card["rows"][0], part))
    }
    if "near" not in named:
        return []
    far = f"all others far: {named['far']}" if "far" in named else "none is far"
    return [f"So RP is shown apart; near are {named['near']}, {far}."]


def is_near(replay: Replay) -> bool:
    """Whether it holds prompts of a kind that evaluation asks."""
    return any(kinds.keys() & replay["near"].keys() for kinds in replay["prompts"].values())


def unknown(replay: Replay) -> dict[str, int]:
    """Source → how many of its prompts are of no kind that is known."""
    return {name: kinds[""] for name, kinds in replay["prompts"].items() if kinds.get("")}


def _unknown(replay: Replay) -> list[str]:
    """That nobody knows to which families prompts without a kind are near."""
    sources = listed([f"{count:,} of {name}" for name, count in unknown(replay).items()])
    return (
        [f"Of what kind {sources} are is not known: any family may have been practised with them."] if sources else []
    )
