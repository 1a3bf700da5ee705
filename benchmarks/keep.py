"""Writes docs/results/keep.md, with its pictures, from the finished runs that ask what `keep` costs and holds.

    dragoman run recipes/lab/ground.yaml
    dragoman run recipes/lab/frontier.yaml
    dragoman run recipes/lab/frontier-more.yaml
    dragoman run recipes/smollm2/keep.yaml
    python benchmarks/keep.py

Tables, pictures and verdicts are made from the scorecards. Each --run has a section; rows of a --sweep, of the same
model at other learning rates, are added to its picture; runs of --ground, one a model, are the rows that replay is
understood by. What is said about them stands in docs/results/keep.remarks.md and is taken in as it is.
"""

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from keep_claims import (
    PUBLISHED,
    RATE,
    RETENTION,
    TRANSLATION,
    Found,
    Run,
    above,
    aims,
    far,
    findings,
    gained,
    ground,
    interval_of,
    named,
    order,
    share,
    swept,
    within,
)
from verdicts import Claim, listed

from dragoman.report import drift, replay
from dragoman.report.compare import floor
from dragoman.report.figures.charts import style_sheet
from dragoman.report.figures.figure1 import Point, plane
from dragoman.report.figures.markers import colour_of
from dragoman.report.phrases import number, setting, signed
from dragoman.report.replay import PartName
from dragoman.report.tables.captions import caption_of
from dragoman.report.tables.table import Cell, Column, Measure, Number, Table, filled, line
from dragoman.report.tables.table_formats import markdown
from dragoman.scoring.scorecard.schema import Row, ends
from dragoman.terminal import visible


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    finished = there("lab-frontier", "lab-frontier-more", "smollm2-keep")
    parser.add_argument("--run", type=Path, nargs="+", default=finished)
    parser.add_argument("--sweep", type=Path, nargs="+", default=[])
    parser.add_argument("--ground", type=Path, nargs="+", default=there("lab-ground", "smollm2-ground"))
    parser.add_argument("--out", type=Path, default=Path("docs/results/keep.md"))
    arguments = parser.parse_args()
    if not arguments.run:
        parser.error("no run is finished; run the recipes above, or name others with --run")
    runs, sweeps, grounds = (
        [Run.of(folder) for folder in folders] for folders in (arguments.run, arguments.sweep, arguments.ground)
    )
    folder = arguments.out.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    for run in runs:
        (folder / f"{run.name}.svg").write_text(visible(picture(run, sweeps)) + "\n", encoding="utf-8")
    remarks = arguments.out.with_suffix(".remarks.md").read_text(encoding="utf-8")
    arguments.out.write_text(document(remarks, runs, sweeps, grounds, folder.name), encoding="utf-8")
    print(arguments.out)


def there(*names: str) -> list[Path]:
    """Those of the runs that are finished."""
    return [path for name in names if ((path := Path("runs") / name) / "scorecard.json").is_file()]


def document(remarks: str, runs: Sequence[Run], sweeps: Sequence[Run], grounds: Sequence[Run], folder: str) -> str:
    parts = [remarks.strip()]
    if grounds:
        parts += ["## Is the ground firm?", *the_ground(grounds)]
    for run in runs:
        parts += [f"## The frontier on {run.on}: {run.name}", *the_frontier(run, sweeps, folder)]
    return "\n\n".join(part.strip() for part in parts) + "\n"


# The ground


def the_ground(runs: Sequence[Run]) -> list[str]:
    """The rows that replay is understood by, a column for each model."""
    found = {run.on: ground(run) for run in runs}
    heads = ["", "published: general, % of the base"]
    heads += [f"{model}: {what}" for model in found for what in ("chrF++ gained", "RP, %")]
    lines = [["the backbone", "100", *["–", "100"] * len(found)]]
    for kind in dict.fromkeys([*PUBLISHED, *(kind for rows in found.values() for kind in rows)]):
        cells = [cell for rows in found.values() for cell in _judged(rows.get(kind))]
        lines.append([named(kind), number(PUBLISHED.get(kind), 0), *cells])
    parts = [
        "What replay is said to do (arXiv 2605.26097: a model of 1B parameters learns Verilog), and what it does here. "
        "Of its own text a model draws the prompts as well: they have no kind, so nobody knows which families they "
        "practise. In brackets: 95 % intervals.",
        _markdown(heads, lines),
        "In order of what they keep:",
        "\n".join(f"- {model}: {order(rows)}" for model, rows in found.items()),
    ]
    return parts + [_numbered(claims, run.on, "the field says") for run in runs if (claims := findings(run))]


def _numbered(claims: Sequence[Claim], on: str, said: str) -> str:
    return listed(claims, [str(place + 1) for place in range(len(claims))], on, said)


def _judged(row: Row | None) -> list[str]:
    """What a row gained and kept."""
    if row is None:
        return ["–", "–"]
    return [_gain(row), within(row["retention"], interval_of(row["retention_interval"]))]


def _gain(row: Row) -> str:
    score = gained(row)
    if score is None or score["delta_interval"] is None:
        return "–"
    low, high = score["delta_interval"]
    return f"{signed(score['delta'])} ({signed(low)} to {signed(high)})"


def _markdown(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = [heads, ["---", *["--:"] * (len(heads) - 1)], *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


# The frontier


def the_frontier(run: Run, sweeps: Sequence[Run], folder: str) -> list[str]:
    """One run: what its rows gain, keep and cost, who is above whom, and whether `keep` reaches its aims."""
    rates = swept(run, sweeps)
    parts = [
        f"![What every row gains against what it keeps]({folder}/{run.name}.svg)",
        *wrecked(run, rates),
        _numbered(aims(run), run.on, "the aim for keep"),
        "An aim is reached or missed by the number itself, *within chance* where its interval holds the aim.",
        *replay.remarks(run.card),
        markdown(table(run)),
        *dominated(run),
    ]
    if rates:
        parts += ["**At other learning rates**", at_rates(rates)]
    return parts


def table(run: Run) -> Table:
    """What every row gains, keeps and costs."""
    card, vanilla = run.card, run.named("vanilla")["name"]
    rows = run.at_one_rate()
    named_parts = replay.parts(card)
    measures = [
        Measure(Column("chrF++", "gained"), TRANSLATION, _gained, against=vanilla),
        Measure(Column("all", "kept (RP), %"), RETENTION, _kept, against=vanilla),
        *(Measure(Column(part, "kept (RP), %"), (part,), partial(_part, part)) for part in named_parts),
    ]
    judged = filled(card, rows, [row["name"] for row in rows], measures)
    columns = [measures[0].column, Column("of vanilla’s, %", "gained"), *(one.column for one in measures[1:])]
    columns += [Column("general prompts", "drift"), Column("trained", "tokens"), Column("generated", "tokens")]
    columns += [Column("generation", "seconds"), Column("training", "seconds")]
    lines = tuple(
        line(row, found.title, [found.cells[0], _share(run, row, vanilla), *found.cells[1:], *_moved(row), *_cost(row)])
        for row, found in zip(rows, judged, strict=True)
    )
    caption = (
        f"Gained: less the backbone’s, over all directions. Of {vanilla}’s: the share of its gain, with the interval "
        f"of the paired difference. Drift: mean KL(backbone || row), {drift.UNIT}. Replay’s answers are generated once "
        f"for all rows and count in each. {caption_of(card, measures, judged, vanilla)}"
    )
    return Table("frontier", "Gained, kept, and the cost", caption, tuple(columns), lines)


def _gained(row: Row) -> Number | None:
    score = gained(row)
    if score is None:
        return None
    return Number(score["delta"], score["delta_interval"], score["n"], signature=score["signature"])


def _kept(row: Row) -> Number | None:
    return Number(row["retention"], row["retention_interval"], seeds=row["retention_seeds"])


def _part(part: PartName, row: Row) -> Number | None:
    found = replay.part_of(row, part)
    return Number(found["retention"], found["interval"], seeds=found["seeds"]) if found else None


def _share(run: Run, row: Row, vanilla: str) -> Cell:
    value, interval = share(run.card, row["name"], vanilla)
    return Cell(value, 1, None if row["name"] == vanilla else interval)


def _moved(row: Row) -> list[Cell]:
    found = drift.drift_on(row, "general")
    return [Cell(found["forward"]["mean"], drift.DIGITS, ends(found["forward"]["interval"])) if found else Cell(None)]


def _cost(row: Row) -> list[Cell]:
    cost = row["cost"]
    if cost is None:
        return [Cell(None)] * 4
    tokens, seconds = (
        (cost["trained_tokens"], cost["generated_tokens"]),
        (cost["generating_seconds"], cost["training_seconds"]),
    )
    return [Cell(value, 0) for value in (*tokens, *seconds)]


def dominated(run: Run) -> list[str]:
    """Which rows gain more and keep more than another."""
    rows = run.at_one_rate()
    over = {row["name"]: above(run.card, row["name"], rows) for row in rows}
    told = [
        [name, ", ".join(f"**{other}**" if sure else other for other, sure in found.items())]
        for name, found in over.items()
        if found
    ]
    if not told:
        return ["No row gains more and keeps more than another."]
    return [
        "Rows that others are above, on both axes; bold where both differences are beyond chance.",
        _markdown(["row", "gain more and keep more"], told),
    ]


def at_rates(rates: Mapping[str, Sequence[Found]]) -> str:
    """The same rows at several learning rates."""
    lines = []
    for name, some in rates.items():
        for one in some:
            held = far(one.run, one.row)
            kept = within(one.row["retention"], interval_of(one.row["retention_interval"]))
            lines.append([f"{name}, {rate(one)}", _gain(one.row), kept, within(*held) if held else "–"])
    return _markdown(["", "chrF++ gained", "RP, %", "of families far from replay, %"], lines)


def rate(found: Found) -> str:
    return setting(RATE, found.rate)


def picture(run: Run, sweeps: Sequence[Run]) -> str:
    """What rows gain against what they keep; a line leads through a row at several learning rates."""
    places = {row["name"]: colour_of(place) for place, row in enumerate(run.card["rows"])}
    rates = swept(run, sweeps)
    alone = [row for row in (run.card["rows"][0], *run.at_one_rate()) if row["name"] not in rates]
    joined = [
        [_point(one.row, f"{name} {rate(one)}", places[name]) for one in some if not is_wrecked(one.row)]
        for name, some in rates.items()
    ]
    lines = [[point for point in some if point] for some in joined]
    points = [_point(row, row["name"], places[row["name"]]) for row in alone if not is_wrecked(row)]
    shown = [point for point in points if point] + [point for some in lines for point in some]
    return plane(
        shown, floor(run.card), "gain, chrF++", "abilities kept", style_sheet(), joined=[some for some in lines if some]
    )


def is_wrecked(row: Row) -> bool:
    """Whether a row translates worse than the backbone, which would take up the whole picture."""
    score = gained(row)
    return bool(score and score["delta_interval"] and score["delta_interval"][1] < 0)


def wrecked(run: Run, rates: Mapping[str, Sequence[Found]]) -> list[str]:
    """The rows that the picture leaves out."""
    told = [row["name"] for row in run.at_one_rate() if is_wrecked(row) and row["name"] not in rates]
    told += [f"{name} at {rate(one)}" for name, some in rates.items() for one in some if is_wrecked(one.row)]
    return [f"Not in the picture, since they translate worse than the backbone: {', '.join(told)}."] if told else []


def _point(row: Row, name: str, colour: int) -> Point | None:
    """A row at what it gained and kept; the backbone gained nothing."""
    score, kept = gained(row), row["retention"]
    if score is None or kept is None:
        return None
    gain = score["delta"] or 0.0
    return Point(
        name=name,
        x=gain,
        x_interval=ends(score["delta_interval"] or [gain, gain]),
        y=kept,
        y_interval=ends(row["retention_interval"] or [kept, kept]),
        colour=colour,
    )


if __name__ == "__main__":
    main()
