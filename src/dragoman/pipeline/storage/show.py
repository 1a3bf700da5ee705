"""Showing what a store holds, and what pruning would remove, for the person at the screen."""

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dragoman.disk import in_bytes
from dragoman.pipeline.plan import JOBS
from dragoman.pipeline.storage.prune import Pruning
from dragoman.pipeline.storage.usage import Usage, by_kind
from dragoman.screen import console as new_console


def show_usage(found: Usage, going: Pruning, console: Console | None = None) -> None:
    """A line for each run, by kind of stage; then completions, work in progress, and what is damaged."""
    console = console or new_console()
    console.print(Text(f"{found.folder}: {in_bytes(found.size)}"))
    if found.finished:
        console.print(_stages(found))
    if any(len(one.runs) > 1 for one in found.finished):
        console.print(Text("What several runs share is in the line of each, and once in the last.", style="dim"))
    console.print(_others(found))
    for sentence in going.stays:
        console.print(Text(sentence), soft_wrap=True)
    if going.every:
        console.print(Text(f"`dragoman store prune` would free {in_bytes(going.size)}."), soft_wrap=True)


def show_pruning(going: Pruning, console: Console | None = None) -> None:
    """A line for each folder that would go, with the reason; then what stays, and why."""
    console = console or new_console()
    parts = (
        ("no run needs it", going.finished),
        ("nobody goes on with it", going.partial),
        ("damaged", going.damaged),
        ("cached completions", going.completions),
    )
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right")
    for why, some in parts:
        for one in some:
            table.add_row(Text(in_bytes(one.size)), Text(one.name, overflow="fold"), Text(why))
    if going.every:
        console.print(table)
    for sentence in going.stays:
        console.print(Text(sentence), soft_wrap=True)


def _stages(found: Usage) -> Table:
    whole = by_kind(found.finished)
    kinds = [kind for kind in JOBS if kind in whole] + sorted(kind for kind in whole if kind not in JOBS)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("run", overflow="fold")
    for title in (*kinds, "all"):
        table.add_column(title, justify="right")

    def line(name: str, sizes: Mapping[str, int], style: str = "") -> None:
        shown = [in_bytes(sizes[kind]) if kind in sizes else "" for kind in kinds]
        table.add_row(*(Text(text, style=style) for text in (name, *shown, in_bytes(sum(sizes.values())))))

    for need in found.needs:
        line(need.run, found.of(need.run))
    if left := found.of(None):
        line("(no run)", left, "yellow")
    line("together", whole, "bold")
    return table


def _others(found: Usage) -> Table:
    table = Table.grid(padding=(0, 2))
    for title in ("name", "size", "what"):
        table.add_column(justify="right" if title == "size" else "left")
    table.add_row("completions", in_bytes(found.completions.size), "answers of models, cached")
    for one in found.partial:
        whose = f"of {', '.join(one.runs)}, to go on with" if one.runs else "nobody goes on with it"
        state = "being worked on" if one.at_work else whose
        table.add_row("in progress", in_bytes(one.size), Text(f"{one.name} ({state})", overflow="fold"))
    for one in found.damaged:
        table.add_row("damaged", in_bytes(one.size), Text(f"{one.name} (set aside)", overflow="fold"))
    table.add_row("other", in_bytes(found.rest), "remembered checksums, locks")
    return table
