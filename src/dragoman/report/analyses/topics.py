"""The topics of rationales, shown: a table in the terminal, as Markdown, and as a picture (RaDis, Table 4)."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dragoman.analysis.results import Share, TopicsResult
from dragoman.report.figures.bars import Bar, bars
from dragoman.report.figures.charts import style_sheet
from dragoman.report.phrases import number, spread
from dragoman.scoring.scorecard.schema import ends

WIDE = 100  # columns; a file or a pipe has no width of its own


def show(found: TopicsResult, console: Console) -> None:
    """Prints the table: each category with its main content, its share, and an example; then the directions."""
    if not console.is_terminal:
        console.width = max(console.width, WIDE)
    console.print(terminal(found))


def terminal(found: TopicsResult) -> Group:
    table = Table(box=SIMPLE_HEAD, header_style="bold", show_lines=False, padding=(0, 1, 1, 1))
    table.add_column("category", min_width=14)
    table.add_column("main content", ratio=3)
    table.add_column("share, %", justify="right", no_wrap=True)
    table.add_column("example", ratio=4)
    for category in found["categories"]:
        example = category["examples"][0] if category["examples"] else None
        share = Text(number(category["share"], 0), style="bold")
        share.append(f"\n{spread(category['interval'], 0)}", style="dim")
        shown = Text(_short(example["rationale"])) if example else Text("–")
        if example:
            shown.append(f"  ({example['direction']})", style="dim")
        table.add_row(Text(category["title"]), Text(category["content"], style="dim"), share, shown)
    parts: list[RenderableType] = [table, _by_direction(found)]
    parts += [Padding(Text(sentence), (0, 1)) for sentence in sentences(found)]
    parts.append(Padding(Text(found["note"], style="dim"), (0, 1)))
    return Group(*parts)


def _by_direction(found: TopicsResult) -> Table:
    table = Table(box=SIMPLE_HEAD, header_style="bold", title="share in each direction, %", title_justify="left")
    table.add_column("category", no_wrap=True)
    for direction in found["directions"]:
        table.add_column(direction, justify="right", no_wrap=True)
    for category in found["categories"]:
        shares = (number(category["directions"][direction]["share"], 0) for direction in found["directions"])
        table.add_row(Text(category["title"]), *shares)
    judged = (f"{counts['judged']}" for counts in found["directions"].values())
    table.add_row(Text("rationales", style="dim"), *(Text(count, style="dim") for count in judged))
    return table


def markdown(found: TopicsResult) -> str:
    """The same as Markdown, with all examples."""
    lines = [f"# What the rationales of {found['row']} talk about ({found['recipe']})", "", *_paragraphs(found)]
    lines += ["| category | main content | share, % | 95 % interval | example |", "|---|---|--:|---|---|"]
    for category in found["categories"]:
        example = category["examples"][0]["rationale"] if category["examples"] else "–"
        cells = (category["title"], category["content"], number(category["share"], 0), spread(category["interval"], 0))
        lines.append(_line([*cells, _short(example)]))
    directions = list(found["directions"])
    lines += ["", "## By direction", "", "Shares in percent, with 95 % intervals.", ""]
    lines += [_line(["category", *directions]), "|---|" + "--:|" * len(directions)]
    for category in found["categories"]:
        lines.append(_line([category["title"], *(_cell(category["directions"][name]) for name in directions)]))
    lines.append(_line(["rationales", *(f"{found['directions'][name]['judged']}" for name in directions)]))
    lines += ["", "## Examples"]
    for category in found["categories"]:
        if category["examples"]:
            lines += ["", f"**{category['title']}**", ""]
        for one in category["examples"]:
            said = _plain(f"{one['source']} → {one['reference']}")
            lines.append(f"- {one['direction']}: {said}  \n  *{_plain(one['rationale'])}*")
    lines += ["", "## Where the categories are from", "", found["note"], ""]
    lines += [f"- {category['title']}: {category['origin']}" for category in found["categories"]]
    return "\n".join(lines) + "\n"


def picture(found: TopicsResult) -> str | None:
    """A bar for each category, with a dot for each direction; None if nothing could be judged."""
    if not found["judged"]:
        return None
    rows = [
        Bar(
            category["title"],
            share,
            ends(interval),
            [(name, part["share"]) for name, part in category["directions"].items() if part["share"] is not None],
        )
        for category in found["categories"]
        if (share := category["share"]) is not None and (interval := category["interval"])
    ]
    title = f"What {found['judged']} rationales of {found['row']} talk about ({found['recipe']})"
    return bars(rows, title, "line: 95 % interval; dots: single directions", style_sheet())


def sentences(found: TopicsResult) -> list[str]:
    """How many rationales were sampled, judged and left out, by whom, and how many categories they have."""
    judge = found["judge"]
    by = "by rule" if judge["by"] == "rule" else f"by {judge['model']}"
    wrote = found["writer"] or f"the backbone, {found['backbone']}"
    said = [
        f"{found['sampled']:,} rationales were sampled, at most {found['count']} a direction, seed {found['seed']}; "
        f"{found['judged']:,} were classified {by}. They were written by {wrote}."
    ]
    if judge["by"] == "rule":
        said.append("The rule knows the lab's remarks; what it can't place is “other”.")
    if found["blank"]:
        said.append(f"{found['blank']:,} are nothing but white space, and are no part of the shares.")
    if found["unparsed"]:
        said.append(
            f"{found['unparsed']:,} of the judge's {found['unparsed'] + found['judged']:,} answers could not be read, "
            f"and are no part of the shares. The first: {found['unparsed_answers'][0]!r}"
        )
    few = [
        f"{name} {part['sampled']}" for name, part in found["directions"].items() if part["sampled"] < found["count"]
    ]
    if few:
        said.append(f"Directions with fewer rationales than were to be sampled: {', '.join(few)}.")
    if found["labels_per_rationale"] is not None:
        sizes = ", ".join(f"{count:,} with {size}" for size, count in found["how_many_labels"].items())
        said.append(f"A rationale is of {found['labels_per_rationale']:.2f} categories on average ({sizes}).")
    return said


def _paragraphs(found: TopicsResult) -> list[str]:
    return [line for sentence in sentences(found) for line in (_plain(sentence), "")]


def _cell(part: Share) -> str:
    return "–" if part["share"] is None else f"{number(part['share'], 0)} ({spread(part['interval'], 0)})"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_plain(cell) for cell in cells) + " |"


def _plain(text: str) -> str:
    """A model's text with Markdown's special characters escaped."""
    return "".join(f"\\{sign}" if sign in "|*_<>`[]#\\" else sign for sign in text)


def _short(text: str, longest: int = 110) -> str:
    return text if len(text) <= longest else f"{text[:longest].rpartition(' ')[0]} …"
