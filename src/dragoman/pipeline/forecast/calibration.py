"""The calibration of a machine for forecasts: tried out once (`trial.py`), and remembered beside downloaded corpora.

It is no part of any stage, and its files can be deleted at any time.
"""

import json
import math
import os
import platform
import socket
from collections.abc import Callable
from dataclasses import asdict, dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from dragoman.corpora.catalog import cache_folder
from dragoman.disk import write_atomic
from dragoman.errors import DragomanError
from dragoman.generation.ask import Asking
from dragoman.pipeline.forecast.busy import cores
from dragoman.pipeline.forecast.estimate import Estimate, training_flops
from dragoman.pipeline.forecast.geometry import Geometry
from dragoman.pipeline.forecast.trial import Speeds, Trial
from dragoman.recipe.training import WITHOUT_EFFECT, Training

MERGED = 2.0  # times the start of a training
LONGEST = 3.0  # mean lengths of an answer that the longest of a batch has
IGNORED = {
    "training": WITHOUT_EFFECT
    | {"epochs", "max_steps", "learning_rate", "min_learning_rate", "schedule", "warmup", "weight_decay", "adam_betas"}
    | {"seed", "keep", "curriculum", "preference"},
    "generation": {"shard", "cache", "tolerate", "vllm", "openai", "ray"},
}
"""Settings that do not change how fast a step is."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """How fast this machine was, `just_now` or some other time, with a model of one geometry."""

    speeds: Speeds
    geometry: Geometry
    itself: bool
    """Whether the backbone itself was tried."""
    just_now: bool

    def training(self, settings: Training, amounts: tuple[float, float, float]) -> Estimate:
        """Seconds for a training of so many examples, tokens and trained tokens."""
        operations = training_flops(self.geometry, settings, *amounts)
        return Estimate(self.speeds.training_start + operations / self.speeds.operations, 0.0, 0)

    def merging(self) -> Estimate:
        """Seconds for a merge, which loads the model as it was trained and as it becomes, and saves it."""
        return Estimate(MERGED * self.speeds.training_start, 0.0, 0)

    def generation(self, geometry: Geometry, work: Asking) -> Estimate | None:
        """Seconds for the answers of a model of this geometry, which may be another than the backbone's."""
        found = self.speeds
        if found.asking_start is None:
            return None
        larger = (geometry.blocks + geometry.head_parameters) / (self.geometry.blocks + self.geometry.head_parameters)
        steps = math.ceil(work.prompts / found.together) * LONGEST * work.answered / max(1.0, work.prompts)
        seconds = work.asked * found.reading + steps * found.step + work.answered * found.writing
        return Estimate(larger * (found.asking_start + seconds), 0.0, 0)


def calibrated(
    trial: Trial, run: Callable[[Trial], Speeds], *, again: bool = False, say: Callable[[str], None]
) -> Calibration | None:
    """What is remembered of this trial here, or what running it tells. None, with a sentence, if it fails."""
    path = _path(trial)
    if not again and (known := _remembered(path)):
        return Calibration(known, trial.geometry, trial.itself, False)
    say("Trying out this machine: a few steps of training and generation, once …")
    try:
        found = run(trial)
    except DragomanError as fault:
        say(f"This machine could not be tried out, so times are not estimated: {fault}")
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, json.dumps(asdict(found), indent=1) + "\n")
    return Calibration(found, trial.geometry, trial.itself, True)


def _remembered(path: Path) -> Speeds | None:
    """None where nothing is remembered, or something that an earlier version wrote."""
    try:
        return Speeds(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _path(trial: Trial) -> Path:
    """One file for each machine, shape and way of working. Lengths count by their power of two."""
    told = {
        "machine": [socket.gethostname(), platform.machine(), cores(), os.environ.get("OMP_NUM_THREADS")],
        "devices": [os.environ.get("CUDA_VISIBLE_DEVICES"), Path("/dev/nvidia0").exists()],
        "versions": [version("torch"), version("transformers")],
        "geometry": asdict(trial.geometry),
        "itself": trial.itself,
        "training": trial.training.model_dump(mode="json", exclude=IGNORED["training"]),
        "generation": trial.generation.model_dump(mode="json", exclude=IGNORED["generation"]),
        "lengths": [size.bit_length() for size in (trial.length, trial.asked, trial.answered)],
    }
    name = sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]
    return cache_folder() / "calibrations" / f"{name}.json"
