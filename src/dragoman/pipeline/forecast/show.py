"""Showing a plan: what a run would do and what it did, for the person at the screen."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dragoman import suites
from dragoman.disk import in_bytes
from dragoman.pipeline.forecast import busy
from dragoman.pipeline.forecast.calibration import Calibration
from dragoman.pipeline.forecast.cost import Cost, Reckoning
from dragoman.pipeline.forecast.disk import free, room
from dragoman.pipeline.forecast.estimate import gib
from dragoman.pipeline.forecast.geometry import geometry_of, machines
from dragoman.pipeline.forecast.trial import Trial
from dragoman.pipeline.plan import JOBS, Plan
from dragoman.pipeline.stages.stage import finish_of
from dragoman.recipe.engines import Hardware
from dragoman.screen import console as new_console


def print_plan(
    plan: Plan,
    console: Console | None = None,
    hardware: Hardware | None = None,
    calibrate: Callable[[Trial], Calibration | None] | None = None,
    remarks: Sequence[str] = (),
) -> None:
    """One line per stage: done, or its cost. `hardware` replaces what the recipe names. `calibrate` tries out this
    machine where nothing was measured and no other is named. `remarks` are told below, where something is to do.

    Measured and estimated costs are distinguished, and the assumptions of estimates are printed below the table.
    """
    console = console or new_console()
    reckoning = Reckoning(plan, hardware)
    if calibrate and (trial := reckoning.trial()):
        reckoning.calibration = calibrate(trial)
    table = Table(box=None, pad_edge=False, header_style="bold")
    columns = ("stage", "state", "work", *(("memory",) if reckoning.gpu else ()), "time")
    for title in columns:
        table.add_column(title, justify="right" if title in ("memory", "time") else "left")
    costs: dict[str, Cost] = {}
    for step in plan.steps:
        if step.artifact:
            work = ", ".join(JOBS[step.stage.kind].told(step.artifact))
            time = clock(finish_of(step.artifact)["seconds"])
            said = [Text("done", style="green"), Text(work, style="dim"), Text(time, style="dim")]
        else:
            needed = costs[step.stage.title] = reckoning.cost(step.stage)
            said = [Text("to do"), Text(needed.work), Text(_time(needed))]
        if reckoning.gpu:
            said.insert(2, _memory(costs.get(step.stage.title)))
        table.add_row(Text(step.stage.title), *said)
    console.print(table)
    if not costs:
        console.print(Text(f"\nAll {len(plan.steps)} stages of {plan.recipe.name} are done."))
        return
    console.print(f"\n{len(costs)} of {len(plan.steps)} stages are to do{_rest(costs, reckoning.calibration)}.")
    below = (
        *remarks,
        *_room(plan),
        *_faults(reckoning, costs),
        *_assumptions(reckoning, costs),
        *_busy(reckoning, costs),
        *_notes(reckoning),
        *_absent(plan, reckoning),
    )
    for line in below:
        console.print(line, soft_wrap=True)


def _time(cost: Cost) -> str:
    if cost.seconds is None:
        return "?"
    return clock(cost.seconds) if cost.measured else f"≈ {rough(cost.seconds)}"


def _memory(cost: Cost | None) -> Text:
    if cost is None or cost.estimate is None or not cost.estimate.memory:
        return Text()
    return Text(gib(cost.estimate.memory), style="red" if cost.estimate.advice else "")


def _rest(costs: Mapping[str, Cost], calibration: Calibration | None) -> str:
    """The total cost, measured and estimated separately."""
    measured = sum(cost.seconds or 0 for cost in costs.values() if cost.measured)
    estimated = sum(cost.seconds or 0 for cost in costs.values() if not cost.measured)
    parts = [f"about {clock(measured)} by what earlier runs took here"] * bool(measured)
    how = "by estimate (≈)"
    if calibration:
        when = "just now" if calibration.just_now else "before"
        how = f"on this machine (≈, calibrated {when}; half or double is possible)"
    parts += [f"about {rough(estimated)} {how}"] * bool(estimated)
    unknown = any(cost.seconds is None for cost in costs.values())
    said = ", " * bool(parts) + " and ".join(parts)
    why = "are not estimated" if estimated or calibration else "were not measured yet"
    return said + f"; stages marked ? {why}" * unknown


def _faults(reckoning: Reckoning, costs: Mapping[str, Cost]) -> list[Text]:
    """What does not fit on the accelerator, and what to change; stages with the same fault share a line."""
    stages: dict[tuple[str, float], list[str]] = {}
    for title, cost in costs.items():
        if cost.estimate and cost.estimate.advice:
            stages.setdefault((cost.estimate.advice, cost.estimate.memory), []).append(title)
    room = gib(reckoning.gpu.memory) if reckoning.gpu else ""
    return [
        Text.assemble(
            (f"{', '.join(titles)}: needs {gib(memory)} on an accelerator that has {room}.", "red"), f" {advice}"
        )
        for (advice, memory), titles in stages.items()
    ]


def _room(plan: Plan) -> list[Text]:
    """The disk room that is needed and the room that there is, if the backbone is here."""
    if plan.backbone.folder is None:
        return []
    data = next(step.artifact for step in plan.steps if step.stage.kind == "data")
    takes = room(plan.recipe, plan.backbone, [step.stage for step in plan.steps if not step.artifact], data)
    if not takes.total:
        return []
    left = free(plan.store.folder)
    style = "red" if left < takes.total else "dim"
    return [Text(f"On disk about {in_bytes(takes.total)} ({takes}); {in_bytes(left)} are free.", style=style)]


def _assumptions(reckoning: Reckoning, costs: Mapping[str, Cost]) -> list[Text]:
    """The assumptions behind the estimates, in a few lines."""
    gpu, hardware, assumed = reckoning.gpu, reckoning.hardware, machines()["assumed"]
    settings = reckoning.recipe.generation
    if not gpu or not hardware or not any(cost.estimate for cost in costs.values()):
        return []
    used = max(cost.estimate.accelerators for cost in costs.values() if cost.estimate)
    idle = "" if used >= hardware.count else ", generation more of them with generation.vllm.data_parallel"
    counted = "by the backbone's tokenizer" if reckoning.vocabulary.tokenizer else "by the bytes of the texts"
    sentences = (
        f"≈ is an estimate for {hardware.count} x {gpu.name} (each {gib(gpu.memory)}, {gpu.flops / 1e12:,.0f} "
        f"TFLOP/s, {gpu.bandwidth / 1e9:,.0f} GB/s): {assumed['training']:.0%} of the arithmetic in training, "
        f"{assumed['generating']:.0%} of arithmetic and bandwidth in generation (vLLM, at most "
        f"{settings.vllm.sequences} sequences at once). A training takes one accelerator{idle}.",
        f"Tokens are counted {counted}; assumed are {assumed['rationale']} tokens a rationale and, for a "
        f"backbone's own answer, {assumed['explained']} lengths of the reference, where earlier runs do not tell. "
        "Loading, merging and saving are left out. Memory is what is needed at least; vLLM takes "
        f"{settings.vllm.memory:.0%} of it all, for a larger cache.",
    )
    return [Text(line, style="dim") for line in sentences]


def _busy(reckoning: Reckoning, costs: Mapping[str, Cost]) -> list[Text]:
    """Whether other work is in the way of times on this machine."""
    if reckoning.gpu or all(cost.seconds is None for cost in costs.values()):
        return []
    told = busy.told(busy.busy())
    return [Text(told, style="yellow")] if told else []


def _notes(reckoning: Reckoning) -> list[str]:
    """What of the user's own question files will be left out; once the data stage is done, its line says it."""
    if reckoning.data:
        return []
    told = suites.notes(reckoning.recipe)
    return [f"{name}: {many:,} {what}." for name, notes in told.items() for what, many in notes.items()]


def _absent(plan: Plan, reckoning: Reckoning) -> list[str]:
    """What a run fetches first, and what can't be estimated until then."""
    lines = []
    if plan.missing:
        lines.append(f"Not on this machine yet, a run fetches: corpora {', '.join(plan.missing)}.")
    differences = {one.model for one in reckoning.recipe.compare if one.added_to}
    for model in dict.fromkeys(plan.cast.every):
        if model.folder is None:
            here = "is an adapter; a run merges it into its base first"
            if model.name in differences:
                here = "is a difference; a run adds it to its base first"
            absent = "is not on this machine yet; a run fetches it first"
            lines.append(f"The model {model.name} {here if Path(model.name).is_dir() else absent}.")
        if reckoning.gpu and geometry_of(model.name, model.folder) is None:
            lines.append(f"How large {model.name} is, and so what it takes, is not known until it is here.")
    return lines


def rough(seconds: float) -> str:
    """For instance 9.3 h, 12 min or 40 s: an estimate has no more digits."""
    if seconds >= 3600:
        return f"{seconds / 3600:,.1f} h"
    return f"{seconds / 60:,.0f} min" if seconds >= 60 else f"{seconds:,.0f} s"


def clock(seconds: float) -> str:
    """For instance 1:05 for 65 seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
