"""What a run would do and what it did, for the person at the screen."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from dragoman.generation.rationales import RationaleReport
from dragoman.pipeline.cost import cost
from dragoman.pipeline.plan import Plan


def print_plan(plan: Plan, console: Console | None = None) -> None:
    """One line a stage: done, or what it will take."""
    console = console or Console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("stage", "state", "work", "time"):
        table.add_column(title, justify="right" if title == "time" else "left")
    left, unknown = 0.0, False
    for step in plan.steps:
        if step.artifact:
            facts = step.artifact.facts
            work = f"[dim]{told(step.stage.kind, facts)}[/]"
            table.add_row(step.stage.title, "[green]done[/]", work, f"[dim]{clock(facts['seconds'])}[/]")
            continue
        needed = cost(plan, step.stage)
        left += needed.seconds or 0
        unknown |= needed.seconds is None
        table.add_row(step.stage.title, "to do", needed.work, "?" if needed.seconds is None else clock(needed.seconds))
    console.print(table)
    todo = sum(step.artifact is None for step in plan.steps)
    if not todo:
        console.print(f"\nAll {len(plan.steps)} stages of {plan.recipe.name} are done.")
        return
    rest = f", about {clock(left)} by what earlier runs took here" if left else ""
    rest += " (stages marked ? were not measured yet)" if unknown else ""
    console.print(f"\n{todo} of {len(plan.steps)} stages are to do{rest}.")
    for model in (plan.backbone, *plan.others.values()):
        if model.folder is None:
            console.print(f"The model {model.name} is not on this machine yet; a run fetches it first.")


def told(kind: str, facts: Mapping[str, Any]) -> str:
    """What came of a stage, in a few words; nothing that was dropped or cut goes unsaid."""
    parts: list[str] = []
    if kind == "data":
        parts = [f"{sum(facts[part].values()):,} {part}" for part in ("train", "test", "questions") if facts[part]]
        parts += [f"left out: {count:,} {reason}" for reason, count in facts["left out"].items()]
    elif kind == "examples":
        parts = [f"{facts['examples']:,} examples", f"{facts['tokens']:,} tokens"]
        parts += [f"{count:,} {what}" for what, count in facts["notes"].items()]
        if facts.get("rationales"):
            parts.append(RationaleReport.from_json(facts["rationales"]).sentence())
    elif kind == "train":
        parts = [f"{facts['steps']:,} steps", f"loss {facts['loss']:.3f}"]
    elif kind == "merge":
        parts = [f"{facts['agreement']:.0%} of greedy tokens as with the adapter"]
    elif kind == "evaluate":
        parts = [f"{facts['rate']['units']:,} answers"]
    return ", ".join(parts)


def clock(seconds: float) -> str:
    """Such as 1:05 for 65 seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
