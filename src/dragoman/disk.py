"""Files on disk: written whole or not at all, and identified by their checksums."""

import hashlib
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from dragoman.errors import StoreError
from dragoman.json_values import Json, JsonObject

SEAL = "checksum"  # the key under which a mapping holds the checksum of its other entries
TEMPORARY = ".writing-"
UNSAVED = 4_000_000_000  # bytes read after which the memo is written: the most that a kill makes us read again

Mark = tuple[int, int, int]  # size, time of change and inode: a file that looks the same


class Digests:
    """Remembers the sha256 of files by path, size and modification time, so that large weights are read only once.

    A memory does not notice a failing disk. So `read` always reads the file itself, and within `doubted` so does
    `of`; what this process has read is not read again. The memo is written by `save`, and after some gigabytes.
    """

    def __init__(self, memo: Path):
        self._memo = memo
        self._old: dict[str, tuple[Mark, str]] | None = None  # the memo's contents, once read
        self._here: dict[str, tuple[Mark, str]] = {}  # what this process has read
        self._unsaved = 0
        self._doubting = False

    def of(self, path: Path) -> str:
        """The digest of a file, from memory if size and modification time are unchanged.

        Within `doubted`, a StoreError if its contents differ from what is remembered.
        """
        name, mark = _mark(path)
        if known := self._same(self._here, name, mark):
            return known
        known = self._same(self._remembered(), name, mark)
        if known and not self._doubting:
            return known
        found = sha256(path)
        if known and found != known:
            raise StoreError(other_contents(path, found, known))
        self._note(name, mark, found)
        return found

    def read(self, path: Path) -> str:
        """The digest of a file's contents, whatever is remembered."""
        name, mark = _mark(path)
        found = self._same(self._here, name, mark)
        if found is None:
            found = sha256(path)
            self._note(name, mark, found)
        return found

    def note(self, path: Path, digest: str) -> None:
        """Remembers a digest that was computed elsewhere."""
        self._note(*_mark(path), digest)

    @contextmanager
    def doubted(self) -> Iterator[None]:
        """Within the block, remembered files are read all the same."""
        before, self._doubting = self._doubting, True
        try:
            yield
        finally:
            self._doubting = before

    def remembered(self) -> dict[Path, str]:
        """The digests of files that have not changed since they were read."""
        found: dict[Path, str] = {}
        for name, (mark, digest) in {**self._remembered(), **self._here}.items():
            with suppress(OSError):  # the file has most likely been deleted
                if _mark(Path(name))[1] == mark:
                    found[Path(name)] = digest
        return found

    def save(self) -> None:
        """Writes the memo. If it cannot be written, files are read again next time; nothing else is lost."""
        if self._unsaved:
            known = {**_read_memo(self._memo), **self._here}  # another process may have written it meanwhile
            entries = {name: [*mark, sha] for name, (mark, sha) in known.items()}
            with suppress(OSError):
                write_atomic(self._memo, json.dumps(sealed(entries)))
            self._unsaved = 0

    def _remembered(self) -> dict[str, tuple[Mark, str]]:
        if self._old is None:
            self._old = _read_memo(self._memo)
        return self._old

    def _same(self, known: Mapping[str, tuple[Mark, str]], name: str, mark: Mark) -> str | None:
        found = known.get(name)
        return found[1] if found and found[0] == mark else None

    def _note(self, name: str, mark: Mark, digest: str) -> None:
        self._here[name] = mark, digest
        self._unsaved += 1 + mark[0]
        if self._unsaved > UNSAVED:
            self.save()


def other_contents(path: Path, found: str, known: str) -> str:
    """The message about a file whose contents are not those that are remembered."""
    return (
        f"{path} is not what it was: its size and its time of change are the same, and its contents are not (sha256 "
        f"{found}, and {known} when it was read before). If nobody changed it, its disk did: restore it, and run "
        "again. If it was changed on purpose, `touch` it: it then counts as another file."
    )


def _mark(path: Path) -> tuple[str, Mark]:
    state = path.stat()
    return os.path.realpath(path), (state.st_size, state.st_mtime_ns, state.st_ino)


def _read_memo(path: Path) -> dict[str, tuple[Mark, str]]:
    """The entries of a memo; empty if it is damaged, and without invalid entries."""
    found = read_json(path)
    known: dict[str, tuple[Mark, str]] = {}
    for name, entry in found.items() if isinstance(found, dict) and unbroken(found) else ():
        match entry:
            case [int(size), int(time), int(inode), str(digest)] if bool not in map(type, entry):
                known[name] = (size, time, inode), digest
    return known


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def in_bytes(size: float) -> str:
    """A size for people, as in 7.3 MB."""
    for unit, letters in ((1e9, "GB"), (1e6, "MB")):
        if size >= unit:
            return f"{size / unit:.1f} {letters}"
    return f"{size / 1e3:.0f} kB"


def beside(path: Path) -> Path:
    """A name in the same folder that nobody else takes; process ids may be the same in two containers."""
    return path.with_name(TEMPORARY + secrets.token_hex(8))


def write_atomic(path: Path, content: str | bytes) -> None:
    """Writes to a temporary file, flushes, renames: a reader sees the old content or the new, never half.

    Half a character, which an answer may have, is escaped: in JSON, reading it back restores it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = beside(path)
    try:
        with temporary.open("xb") as file:
            file.write(content.encode(errors="backslashreplace") if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def open_as_usual(folder: Path) -> None:
    """Gives every file below a folder the mode that the umask gives to new ones; safetensors leaves 0600."""
    new = beside(folder / "any")
    new.touch()
    mode = new.stat().st_mode & 0o777
    new.unlink()
    for path in folder.rglob("*"):
        if path.is_file() and path.stat().st_mode & 0o777 != mode:
            with suppress(PermissionError):  # another person's, who went before
                path.chmod(mode)


def sealed(said: Mapping[str, object]) -> JsonObject:
    """A mapping with a checksum of itself in it, as JSON gives it back."""
    plain: JsonObject = json.loads(json.dumps(dict(said)))
    return {**plain, SEAL: _seal(plain)}


def unbroken(said: Mapping[str, object]) -> bool:
    """Whether the checksum in it fits; true if there is none."""
    try:
        return SEAL not in said or said[SEAL] == _seal(said)
    except RecursionError:
        return False


def _seal(said: Mapping[str, object]) -> str:
    rest = {name: value for name, value in said.items() if name != SEAL}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def read_json(path: Path) -> Json:
    """The contents of a JSON file; None if it is missing or invalid."""
    try:
        value: Json = json.loads(path.read_text(encoding="utf-8"))
        return value
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError, ValueError, RecursionError):
        return None  # ValueError: no JSON, no UTF-8, or a number of thousands of digits
