"""The gradient analysis, shown layer by layer: in the terminal, as Markdown, and as a picture like RaDis' Figure 4."""

from collections.abc import Sequence

from markupsafe import Markup
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dragoman.analysis.results import Cosine, ExampleCosines, GradientsResult, RowGradients
from dragoman.report.figures.charts import Frame, apart, style_sheet, svg, tag, ticks
from dragoman.report.figures.markers import colour_of, marker
from dragoman.report.phrases import MINUS

WIDE = 100
LINE = 18.0  # height of a line of text in the picture
ACROSS = 2  # rows side by side in one table; more get a table below
ALL = "all layers"
LEGEND = "Cosine of the mean gradients; each: mean of every example's own cosine; < 0: share of examples below 0."


def show(result: GradientsResult, console: Console) -> None:
    """Prints the table, and a summary of the layers' signs."""
    if not console.is_terminal:
        console.width = max(console.width, WIDE)  # a file or a pipe has no width of its own
    rows = list(result["rows"])
    for start in range(0, len(rows), ACROSS):
        console.print(_beside(result, rows[start : start + ACROSS]))
    console.print(Text(LEGEND, style="dim"), soft_wrap=True)
    for sentence in (*sentences(result), making(result)):
        console.print(Text(sentence), soft_wrap=True)


def _beside(result: GradientsResult, rows: Sequence[str]) -> Table:
    """A table of some rows side by side, one layer per line."""
    table = Table(box=SIMPLE_HEAD, header_style="bold")
    table.add_column("layer", no_wrap=True)
    for row in rows:
        table.add_column(Text(row), no_wrap=True, justify="right")
        table.add_column(Text("each"), no_wrap=True, justify="right", style="dim")
        table.add_column(Text("< 0"), no_wrap=True, justify="right", style="dim")
    for name in _parts(result):
        cells: list[Text] = []
        for row in rows:
            part = result["rows"][row]["parts"][name]
            cells += [_coloured(part["mean"]), Text(cosine(part["each"])), Text(_share(part["each"]["negative"]))]
        table.add_row(Text(_titled(name), style="bold" if name == ALL else ""), *cells)
    return table


def sentences(result: GradientsResult) -> list[str]:
    """For each row, in how many layers its two terms pull together, and in how many against each other."""
    return [_sentence(row, facts) for row, facts in result["rows"].items()]


def _sentence(row: str, facts: RowGradients) -> str:
    signs, same = facts["signs"]["mean"], facts["identical"]
    each = facts["signs"]["each"]
    said = (
        f"{row}: the gradients of the translation and of the regulariser ({facts['regulariser']}) agree in "
        f"{signs['positive']} of {signs['layers']} layers ({signs['surely positive']} beyond doubt) and oppose each "
        f"other in {signs['negative']} ({signs['surely negative']} beyond doubt); by the mean of each example's own "
        f"cosine {each['positive']} and {each['negative']}."
    )
    return said + (f" In {same:,} of {facts['examples']:,} examples both terms are the same text." if same else "")


def making(result: GradientsResult) -> str:
    """How the numbers were made."""
    drawn = ", ".join(f"{direction} {count}" for direction, count in result["directions"].items())
    weights = "all weights" if result["weights"] == "full" else "the adapter"
    projected = (
        f"projected to {result['dimension']:,} numbers a layer (seed {result['seed']}), which puts a cosine off by "
        f"about {result['error']:.3f}"
        if result["dimension"]
        else "not projected"
    )
    ends = "" if result["ends"] else " The end of a turn counts to neither term."
    return (
        f"Gradients of {weights} at {result['at']}, {projected}, in {result['precision']}; examples: {drawn}. "
        f"Intervals are of 95 %.{ends}"
    )


def markdown(result: GradientsResult) -> str:
    """The same as a Markdown document: all layers together, then each direction."""
    rows = result["rows"]
    lines = [
        f"# Gradients: {result['recipe']}",
        "",
        "Cosine between the gradient of the translation loss and that of the regularising term, of the mean gradients "
        "(with its interval) and, as the mean, of each example by itself.",
        "",
        *_table(
            ["layer", *(f"{row}: {what}" for row in rows for what in ("mean gradients", "each example", "below 0"))],
            [
                [
                    _titled(name),
                    *(
                        cell
                        for facts in rows.values()
                        for part in [facts["parts"][name]]
                        for cell in (
                            cosine(part["mean"], interval=True),
                            cosine(part["each"], interval=True),
                            _share(part["each"]["negative"]),
                        )
                    ),
                ]
                for name in _parts(result)
            ],
        ),
        "",
        *(f"- {sentence}" for sentence in (*sentences(result), making(result))),
        "",
        "## By direction",
        "",
    ]
    columns = [(row, direction) for row in rows for direction in result["directions"]]
    found = [
        [
            _titled(name),
            *(cosine(rows[row]["parts"][name]["directions"][direction]["mean"]) for row, direction in columns),
        ]
        for name in _parts(result)
    ]
    lines += _table(["layer", *(f"{row}, {direction}" for row, direction in columns)], found)
    return "\n".join(lines) + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |"
        for line in (head, ["---", *["---:"] * (len(head) - 1)], *rows)
    ]


def picture(result: GradientsResult) -> str:
    """The cosine of the mean gradients over the layers, with intervals and a line at 0."""
    rows = result["rows"]
    told = -(-len(rows) // ACROSS)  # lines of counts below
    width, height = 760.0, 384.0 + LINE * told
    layers = [name for name in _parts(result) if name.isdigit()]
    series = {row: [facts["parts"][name]["mean"] for name in layers] for row, facts in rows.items()}
    ends = [
        value
        for points in series.values()
        for point in points
        if point["cosine"] is not None
        for value in (point["interval"] or [point["cosine"]])
    ]
    reach = 1.1 * max([0.02, *map(abs, ends)])
    longest = max((len(row) for row in rows), default=0)
    frame = Frame(
        58, 40, width - 24 - 8 * longest, height - 54 - LINE * told, (-0.6, len(layers) - 0.4), (-reach, reach)
    )
    drawn = [tag("style", style_sheet())]
    for value in ticks(*frame.y, 6):
        y = frame.at_y(value)
        drawn.append(tag("line", class_="grid", x1=frame.left, x2=frame.right, y1=y, y2=y))
        written = f"{value:g}".replace("-", MINUS)
        drawn.append(tag("text", written, class_="tick", x=frame.left - 8, y=y + 4, text_anchor="end"))
    zero = frame.at_y(0)
    drawn.append(tag("line", class_="axis", x1=frame.left, x2=frame.right, y1=zero, y2=zero))
    every = -(-len(layers) // 16)
    for place in range(0, len(layers), every):
        x = frame.at_x(place)
        drawn.append(tag("text", layers[place], class_="tick", x=x, y=frame.bottom + 16, text_anchor="middle"))
    drawn.append(tag("text", "layer", class_="label", x=frame.right, y=frame.bottom + 32, text_anchor="end"))
    drawn.append(tag("text", "cosine of the two gradients", class_="label", x=frame.left, y=frame.top - 14))
    lasts = []
    for colour, points in enumerate(series.values(), start=1):
        aside = (colour - (len(series) + 1) / 2) * 0.16
        drawn += _series(frame, layers, points, aside, colour)
        known = [point["cosine"] for point in points if point["cosine"] is not None]
        lasts.append(frame.at_y(known[-1]) if known else zero)
    for colour, (row, y) in enumerate(zip(rows, apart(lasts, 17.0), strict=True), start=1):
        drawn.append(tag("text", row, class_=f"name row-{colour_of(colour)}", x=frame.right + 10, y=y + 4))
    for number, (row, facts) in enumerate(rows.items()):
        signs = facts["signs"]["mean"]
        counted = f"{row}: {signs['positive']} of {signs['layers']} above 0, {signs['negative']} below"
        x, y = frame.left + number % ACROSS * 340, height + 2 - LINE * (told - number // ACROSS)
        drawn.append(tag("text", counted, class_="tick", x=x, y=y))
    return svg(width, height, f"Agreement of gradients by layer, {result['recipe']}", drawn)


def _series(frame: Frame, layers: Sequence[str], points: Sequence[Cosine], aside: float, colour: int) -> list[Markup]:
    """A line through the layers, with a point and its whisker at each."""
    drawn, corners = [], []
    for place, (layer, point) in enumerate(zip(layers, points, strict=True)):
        if point["cosine"] is None:
            continue
        x, y = frame.at_x(place + aside), frame.at_y(point["cosine"])
        corners.append(f"{x:.1f},{y:.1f}")
        parts = [tag("title", f"layer {layer}: {cosine(point, interval=True)}")]
        if point["interval"]:
            low, high = (frame.at_y(end) for end in point["interval"])
            parts.append(tag("line", x1=x, x2=x, y1=low, y2=high))
        drawn.append(tag("g", *parts, marker(colour_of(colour), x, y, 4), class_=f"point row-{colour_of(colour)}"))
    return [tag("polyline", class_=f"curve row-{colour_of(colour)}", points=" ".join(corners)), *drawn]


def cosine(found: Cosine | ExampleCosines, *, interval: bool = False) -> str:
    """Such as `+0.123` or `+0.123 (+0.101 to +0.145)`; a dash if there is none."""
    if found["cosine"] is None:
        return "–"
    bounds = found["interval"]
    return f"{found['cosine']:+.3f}" + (f" ({bounds[0]:+.3f} to {bounds[1]:+.3f})" if interval and bounds else "")


def _coloured(found: Cosine) -> Text:
    """Green or red if the sign is beyond doubt."""
    bounds = found["interval"]
    colour = "" if bounds is None or bounds[0] <= 0 <= bounds[1] else "green" if bounds[0] > 0 else "red"
    half = f" ± {(bounds[1] - bounds[0]) / 2:.3f}" if bounds else ""
    return Text(cosine(found) + half, style=colour)


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def _parts(result: GradientsResult) -> list[str]:
    """The parts of the model in order, with all layers together last."""
    named = next(iter(result["rows"].values()))["parts"]
    return [*(name for name in named if name != ALL), *(name for name in named if name == ALL)]


def _titled(name: str) -> str:
    return {"rest": "other (last norm)"}.get(name, name)
