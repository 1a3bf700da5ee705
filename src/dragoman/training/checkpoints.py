"""Checkpoints: which are whole after a kill, what is published of them, and the room that they take.

The Trainer writes a checkpoint file by file. A list of the files and their sizes, written last and renamed into
place, distinguishes a finished checkpoint from one that was cut off.
"""

import json
import os
import shutil
from collections.abc import Collection
from pathlib import Path

from dragoman.disk import read_json, write_atomic
from dragoman.errors import StoreError, TrainingError

MARK = "complete.json"

# Of each weight that is trained: itself in fp32, and Adam's two moments.
WEIGHT_BYTES, STATE_BYTES = 4, 8

_ADAPTER = ("adapter_config.json", "adapter_model.safetensors")
_SETS = ("target_modules", "exclude_modules", "modules_to_save")  # which PEFT writes in the order of their hashes
_MODEL = ("config.json", "generation_config.json", "*.safetensors", "*.safetensors.index.json", "*.py")


def step_of(checkpoint: Path) -> int:
    """The optimizer step after which a checkpoint was written."""
    return int(checkpoint.name.rpartition("-")[2])


def seal(checkpoint: Path) -> None:
    """Marks a checkpoint as finished."""
    beside = checkpoint / f".{MARK}"
    beside.write_text(json.dumps(_sizes(checkpoint)), encoding="utf-8")
    beside.replace(checkpoint / MARK)


def at(folder: Path, step: int) -> Path:
    """Where the checkpoint after a step is."""
    return folder / f"checkpoint-{step}"


def finished(folder: Path) -> list[Path]:
    """The finished checkpoints."""
    return [path for path in folder.glob("checkpoint-*") if _is_whole(path)]


def newest(folder: Path) -> Path | None:
    """The newest finished checkpoint."""
    return max(finished(folder), key=step_of, default=None)


def publish(checkpoint: Path, trained: Path, backbone: str) -> None:
    """Copies the result out of a finished checkpoint: the adapter, or the model if all weights were trained.

    An adapter names `backbone` as its base model and nothing that depends on the machine, so equal trainings leave
    equal files. Raises TrainingError if the weights are in pieces that are not a model, as FSDP may leave them.
    """
    names = _ADAPTER if (checkpoint / _ADAPTER[0]).is_file() else _MODEL
    found = sorted(path for name in names for path in checkpoint.glob(name))
    if not any(path.suffix == ".safetensors" for path in found):
        raise TrainingError(
            f"{checkpoint} has no safetensors file of what was trained. With FSDP, set its state dict type to "
            "FULL_STATE_DICT in accelerate's configuration, and run again."
        )
    shutil.rmtree(trained, ignore_errors=True)
    trained.mkdir()
    for path in found:
        if path.name == _ADAPTER[0]:
            write_atomic(trained / path.name, _as_everywhere(path, backbone))
        else:
            link(path, trained / path.name)


def _as_everywhere(config: Path, backbone: str) -> str:
    """An adapter's config without what differs between equal runs: the order of sets, and the model's location."""
    said = json.loads(config.read_text(encoding="utf-8"))
    for name in _SETS:
        if isinstance(said.get(name), list):
            said[name].sort()
    return json.dumps({**said, "base_model_name_or_path": backbone}, indent=2, sort_keys=True) + "\n"


def link(source: str | Path, target: str | Path) -> None:
    """Gives a file a second name: a hard link if the disk can do that, else a copy. Finished files never change."""
    try:  # an edge: not every file system has hard links
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def is_model(trained: Path) -> bool:
    """Whether a training left a whole model rather than an adapter."""
    return not (trained / _ADAPTER[0]).is_file() and (trained / "config.json").is_file()


def room(weights: int, kept: int = 0, best: bool = False) -> int:
    """The most bytes that checkpoints take while all of so many weights are trained.

    The old checkpoint is deleted only when the new one is whole, so for a moment there are two, and three if the `best`
    stays beside them; `kept` ones are on disk already and not counted.
    """
    return max(0, 2 + best - kept) * weights * (WEIGHT_BYTES + STATE_BYTES)


def check_room(folder: Path, weights: int, best: bool) -> None:
    """Raises StoreError, with the numbers, if checkpoints of so many weights do not fit on the disk."""
    needed, free = room(weights, kept=len(finished(folder)), best=best), shutil.disk_usage(folder).free
    if free < needed:
        raise StoreError(
            f"Training all {weights:,} weights (lora: null) needs {needed / 1e9:.1f} GB for checkpoints: weights and "
            "Adam's two moments in fp32, twice while the old one is replaced"
            f"{', and those of the best (training.keep)' if best else ''}. {folder} has {free / 1e9:.1f} GB left. "
            "Make room, name another folder with `runs:` in the recipe, or train an adapter."
        )


def clear(folder: Path, kept: Collection[Path]) -> None:
    """Deletes every checkpoint but these: the others were cut off, or are older."""
    for path in folder.glob("checkpoint-*"):
        if path not in kept:
            shutil.rmtree(path)


def _is_whole(checkpoint: Path) -> bool:
    return bool(read_json(checkpoint / MARK) == _sizes(checkpoint))


def _sizes(checkpoint: Path) -> dict[str, int]:
    files = (path for path in checkpoint.rglob("*") if path.is_file() and path.name.lstrip(".") != MARK)
    return {str(path.relative_to(checkpoint)): path.stat().st_size for path in sorted(files)}
