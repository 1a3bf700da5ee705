"""Runs a shipped recipe on a model of random weights, and looks at what it left."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import yaml
from transformers import AutoTokenizer

from dragoman.prompts.examples import ExampleTable


class Part(NamedTuple):
    """A segment of an example."""

    name: str
    ids: list[int]
    weights: set[float]


@dataclass(frozen=True)
class Ran:
    """What a run of a recipe left."""

    runs: Path
    settings: dict[str, Any]  # the recipe as it was run
    tokenizer: Any

    @property
    def folder(self) -> Path:
        return self.runs / str(self.settings["name"])

    @property
    def methods(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """Row → method and options."""
        named = [next(iter(entry.items())) for entry in self.settings["methods"]]
        return {options.get("label") or name: (name, options) for name, options in named}

    @property
    def card(self) -> dict[str, Any]:
        card: dict[str, Any] = json.loads((self.folder / "scorecard.json").read_text())
        return card

    def artifact(self, title: str) -> Path:
        (found,) = (
            path for path in self.runs.glob(f".store/artifacts/{title}-*") if path.name[len(title) + 1 :].isalnum()
        )
        return found

    def facts(self, title: str) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads((self.artifact(title) / "manifest.json").read_text())["facts"]
        return facts

    def lines(self, name: str) -> list[dict[str, Any]]:
        """The records of a file of the data."""
        return [json.loads(line) for line in (self.artifact("data") / name).read_text(encoding="utf-8").splitlines()]

    def examples(self, row: str) -> Iterator[tuple[str, list[Part]]]:
        """Key and segments of each example."""
        table = ExampleTable(self.artifact(f"examples-{row}") / "examples")
        for key, example in zip(table.keys, table, strict=True):
            cuts = [0, *(np.flatnonzero(np.diff(example.segments)) + 1).tolist(), len(example.ids)]
            parts = [
                Part(
                    table.names[int(example.segments[start])],
                    example.ids[start:end].tolist(),
                    set(example.weights[start:end].tolist()),
                )
                for start, end in pairwise(cuts)
            ]
            yield key, parts


def backbone(folder: Path, tokenizer: Path, model: Any) -> Path:
    """A folder with a model of random weights in bf16, beside the files of a real tokenizer."""
    shutil.copytree(tokenizer, folder)
    with torch.no_grad():
        model.lm_head.weight[2] *= 3  # so that some answers end, and some are cut off
    model.to(torch.bfloat16).save_pretrained(folder)
    return folder


def run(recipe: Path, overrides: Sequence[str], runs: Path, tokenizer: Path, environment: Mapping[str, str]) -> Ran:
    """The recipe, run once by the command line."""
    settled = {"OMP_NUM_THREADS": "2", **os.environ, "DRAGOMAN_CACHE": str(runs.parent / "cache"), **environment}
    command = [str(Path(sys.executable).with_name("dragoman")), "run", str(recipe), f"runs={runs}", *overrides]
    done = subprocess.run(command, capture_output=True, text=True, env=settled, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr
    name = yaml.safe_load(recipe.read_text(encoding="utf-8"))["name"]
    settings = yaml.safe_load((runs / name / "recipe.yaml").read_text(encoding="utf-8"))
    return Ran(runs, settings, AutoTokenizer.from_pretrained(tokenizer))
