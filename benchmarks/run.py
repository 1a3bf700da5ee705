"""All benchmarks in one go, as ratios in one run: what `make bench` calls.

Prints a Markdown page and, with `--out`, writes it (docs/benchmarks.md). Machines differ and are
noisy; the ratios were measured side by side and tell more than the rates.
"""

import argparse
import os
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import again
import geometry

import generation
import training

LIBRARIES = ("dragoman", "torch", "transformers", "peft", "trl")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="write the page here")
    geometry.add_argument(parser)
    chosen = parser.parse_args()
    shape, out = chosen.geometry, chosen.out
    text = page(training.measure(shape), generation.measure(shape), again.measure())
    print(text)
    if out:
        out.write_text(text, encoding="utf-8")


def page(trained: dict[str, Any], generated: dict[str, Any], repeated: dict[str, Any]) -> str:
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
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return f"{cpu}, {os.cpu_count()} cores{accelerator}, Python {platform.python_version()}, {versions}"


if __name__ == "__main__":
    main()
