"""Which checkpoints can be trusted after a kill.

The Trainer writes a checkpoint file by file. A list of the files and their sizes, written last and
renamed into place, tells a finished checkpoint from one that was cut off.
"""

import json
import shutil
from pathlib import Path

MARK = "complete.json"


def step_of(checkpoint: Path) -> int:
    """The optimizer step after which a checkpoint was written."""
    return int(checkpoint.name.rpartition("-")[2])


def seal(checkpoint: Path) -> None:
    """Marks a checkpoint as finished."""
    beside = checkpoint / f".{MARK}"
    beside.write_text(json.dumps(_sizes(checkpoint)), encoding="utf-8")
    beside.replace(checkpoint / MARK)


def newest(folder: Path) -> Path | None:
    """The newest finished checkpoint."""
    return max((path for path in folder.glob("checkpoint-*") if _is_whole(path)), key=step_of, default=None)


def publish(checkpoint: Path, adapter: Path) -> None:
    """Copies the adapter out of a finished checkpoint."""
    shutil.rmtree(adapter, ignore_errors=True)
    adapter.mkdir()
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        shutil.copyfile(checkpoint / name, adapter / name)


def clear(folder: Path, kept: Path | None) -> None:
    """Takes away every checkpoint but one: they were cut off, or are older."""
    for path in folder.glob("checkpoint-*"):
        if path != kept:
            shutil.rmtree(path)


def _is_whole(checkpoint: Path) -> bool:
    mark = checkpoint / MARK
    return mark.is_file() and json.loads(mark.read_text(encoding="utf-8")) == _sizes(checkpoint)


def _sizes(checkpoint: Path) -> dict[str, int]:
    files = (path for path in checkpoint.rglob("*") if path.is_file() and path.name.lstrip(".") != MARK)
    return {str(path.relative_to(checkpoint)): path.stat().st_size for path in sorted(files)}
