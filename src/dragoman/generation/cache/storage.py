"""Storage for write-once files: a folder on a local disk, or at an fsspec address."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn, Protocol

from dragoman.disk import write_atomic
from dragoman.errors import StoreError

_TOGETHER = 32  # files asked of a bucket at once: each answer takes long, and all of them hardly longer


class Shelf(Protocol):
    """A place for files of one kind. A disk or bucket that fails raises a StoreError."""

    def names(self) -> list[str]:
        """The names of the files, sorted; empty if the folder does not exist yet."""
        ...

    def read(self, names: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
        """Each file's name and bytes; None for a file that has disappeared."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """Writes a file, with all of its bytes or not at all."""
        ...

    def set_aside(self, name: str, aside: str) -> None:
        """Renames a file; harmless if another process has already done so."""
        ...

    def path(self, name: str) -> str:
        """The file's address, as a person would look it up."""
        ...


def shelf_at(folder: Path | str, child: str) -> Shelf:
    """The folder `child` of a local folder, or of an address such as `s3://bucket/folder`."""
    if isinstance(folder, str) and folder.startswith(("file://", "local://")):
        folder = folder.partition("://")[2]
    if isinstance(folder, str) and ("://" in folder or "::" in folder):
        return BucketShelf(folder, child)
    return LocalShelf(Path(folder) / child)


class LocalShelf:
    """A folder on this machine."""

    def __init__(self, folder: Path):
        self.folder = folder

    def names(self) -> list[str]:
        try:
            return sorted(os.listdir(self.folder))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreError(f"{self.folder} could not be read: {error.strerror}.") from error

    def read(self, names: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
        for name in names:
            yield name, self._bytes(name)

    def write(self, name: str, data: bytes) -> None:
        """Writes to a temporary file, flushes and renames: the name only ever exists with its whole content."""
        try:  # a full disk is the one failure that a person can fix
            write_atomic(self.folder / name, data)
        except OSError as error:
            raise StoreError(
                f"{self.folder} could not be written: {error.strerror}. What was there is whole."
            ) from error

    def set_aside(self, name: str, aside: str) -> None:
        try:
            (self.folder / name).replace(self.folder / aside)
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreError(f"{self.path(name)} is damaged and could not be renamed: {error.strerror}.") from error

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def _bytes(self, name: str) -> bytes | None:
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"{self.path(name)} could not be read: {error.strerror}.") from error


class BucketShelf:
    """A folder at any fsspec address. A bucket shows an object only when it is whole; elsewhere, a half-written file
    is recognised by the checksum that names it.

    Every storage library raises its own errors for a bucket that cannot be reached, hence `except Exception`.
    """

    def __init__(self, address: str, child: str):
        from fsspec.core import url_to_fs

        self._address = address.rstrip("/") if "://" in address.rstrip("/") else address
        protocol = address.partition(":")[0]
        try:
            self._files, self._base = url_to_fs(self._address)
        except ImportError as error:
            needed = str(error) or f"the package for {protocol}:// is missing"
            raise StoreError(f"{address} cannot be opened: {needed} (pip install it).") from error
        except ValueError as error:
            raise StoreError(
                f"{address} cannot be opened: {_closed(error)} Name a local folder, or an address of fsspec such as "
                "s3://bucket/folder or gs://bucket/folder."
            ) from error
        except Exception as error:
            raise StoreError(f"{address} cannot be opened: {_closed(error)}") from error
        self._child = child
        self._folder = f"{self._base.rstrip('/')}/{child}"

    def names(self) -> list[str]:
        try:
            self._files.invalidate_cache(self._folder)  # other machines write there as well
            return sorted(_name(path) for path in self._files.ls(self._folder, detail=False))
        except FileNotFoundError:
            return []
        except Exception as error:
            self._fail(error, "read")

    def read(self, names: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
        for start in range(0, len(names), _TOGETHER):
            some = names[start : start + _TOGETHER]
            try:
                found: dict[str, bytes | Exception] = self._files.cat(
                    [self._at(name) for name in some], on_error="return"
                )
            except Exception as error:
                self._fail(error, "read")
            contents = {_name(path): content for path, content in found.items()}
            for name in some:
                content = contents.get(name, FileNotFoundError(name))
                if isinstance(content, Exception) and not isinstance(content, FileNotFoundError):
                    self._fail(content, "read")
                yield name, None if isinstance(content, Exception) else content

    def write(self, name: str, data: bytes) -> None:
        try:
            try:
                self._files.pipe_file(self._at(name), data)
            except FileNotFoundError:  # some file systems have folders, which must exist first
                self._make_folder()
                self._files.pipe_file(self._at(name), data)
        except Exception as error:
            self._fail(error, "written", " What was there is whole.")

    def set_aside(self, name: str, aside: str) -> None:
        try:
            self._files.mv(self._at(name), self._at(aside))
        except FileNotFoundError:
            return
        except Exception as error:
            self._fail(error, "written")

    def path(self, name: str) -> str:
        return f"{self._address}/{self._child}/{name}"

    def _at(self, name: str) -> str:
        return f"{self._folder}/{name}"

    def _make_folder(self) -> None:
        """Creates the address's folder and the one in it, but nothing above: a misspelt bucket must not be created."""
        for folder in (self._base, self._folder):
            try:
                self._files.mkdir(folder, create_parents=False)
            except FileExistsError:
                continue

    def _fail(self, error: Exception, what: str, more: str = "") -> NoReturn:
        raise StoreError(f"{self._address} could not be {what}: {_closed(error)}{more}") from error


def _name(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def _closed(error: Exception) -> str:
    """An error's message, ended like a sentence."""
    return f"{str(error).strip().rstrip('.') or type(error).__name__}."
