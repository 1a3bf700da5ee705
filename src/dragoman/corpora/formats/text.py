"""Text files, plain, compressed or in a zip archive; and recognising files that are not text.

Lines end only at a line feed. Crawled text has U+2028, U+0085 and form feeds inside its lines; a reader that breaks
lines there shifts every pair after it by one.

Files come from outside, so the memory that they can take has limits: the length of a line, the size of a file that is
read as a whole, and how much a small archive may unpack to.
"""

import bz2
import gzip
import io
import lzma
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from html import unescape
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from dragoman.errors import DataError, from_here

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BEGINNING = 4096  # bytes by which a file's type is recognised
RATIO = 3  # text to compressed text
LONGEST = 1 << 24  # bytes of a line
WHOLE = 1 << 31  # bytes of a file that has to be in memory as a whole
UNPACKED, SWOLLEN = 1 << 26, 100  # bytes that any archive may unpack to, and how many times its own size a larger one
PIECE = 1 << 18
PACKED = (".gz", ".bz2", ".xz", ".zst")
"""Endings of compressed files."""


def called(path: Path, member: str = "") -> str:
    """The name of a file, or of a member of an archive, in messages."""
    return f"{path}, in it {member}" if member else str(path)


def ending(name: str) -> str:
    """The ending of a file name, without that of its compression, in lower case: `.tsv` for `a.tsv.gz`."""
    path = Path(name.lower())
    return Path(path.stem).suffix if path.suffix in PACKED else path.suffix


@contextmanager
def opened(path: Path, member: str = "", text: bool = True) -> Iterator[IO[bytes]]:
    """The bytes of a file, or of a member of a zip archive, decompressed if the name says that it is compressed.

    `DataError` if the file is missing, broken or encrypted, or should be `text` and is not: a web page saved in its
    place, an archive under another name, a Git LFS pointer. Also, while reading, if it unpacks to far more than text
    does.
    """
    name = called(path, member)
    if not path.is_file():
        if str(path) == "-" or (path.exists() and not path.is_dir()):
            raise DataError(
                f"{path} is no file but a pipe or a device. Save what comes from it in a file, and name that."
            )
        raise DataError(f"there is no file {path}" + (": it is a folder" if path.is_dir() else from_here(path)))
    with ExitStack() as stack:
        with _sound(name):
            raw, size = _raw(stack, path, member, name)
            packed = Path(member or path.name).suffix.lower().replace(".tgz", ".gz")
            if packed in PACKED:
                _refuse(_start(raw), name, packed)
                raw = stack.enter_context(_unpacked(raw, packed))
            if packed in PACKED or member:
                raw = cast("IO[bytes]", io.BufferedReader(_Unpacking(raw, size, name), PIECE))
            if text:
                _refuse(_beginning(raw), name)
        yield raw


def _unpacked(raw: IO[bytes], packed: str) -> IO[bytes]:
    """The stream in a compressed file."""
    if packed == ".zst":
        from pyarrow import CompressedInputStream

        return cast("IO[bytes]", CompressedInputStream(raw, "zstd"))
    opener = {".gz": gzip.GzipFile, ".bz2": bz2.BZ2File, ".xz": lzma.LZMAFile}[packed]
    return cast("IO[bytes]", opener(fileobj=raw) if opener is gzip.GzipFile else opener(raw))


@contextmanager
def unzipped(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip archive. `DataError` if it is broken or something else."""
    if not path.is_file():
        raise DataError(f"there is no file {path}" + (": it is a folder" if path.is_dir() else from_here(path)))
    with ExitStack() as stack:
        with _sound(str(path)):
            try:
                archive = stack.enter_context(zipfile.ZipFile(path))
            except zipfile.BadZipFile as error:
                with path.open("rb") as file:
                    start = file.read(BEGINNING)
                what = kind(start) if not start.startswith(b"PK") else ""
                raise DataError(
                    f"{path}: no zip archive, whatever its name says; it holds {what}."
                    if what
                    else f"{path}: no zip archive, or a broken one ({error}). Get it anew."
                ) from error
        yield archive


FAULTS = (
    *(EOFError, OSError, ValueError, LookupError, RuntimeError, struct.error),
    *(zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile, zipfile.LargeZipFile),
)
"""The exceptions that Python's readers raise for broken compressed files."""


@contextmanager
def _sound(name: str) -> Iterator[None]:
    """Turns the libraries' many errors about a compressed file into a `DataError`."""
    try:
        yield
    except DataError:
        raise
    except (NotImplementedError, RuntimeError) as error:  # from zipfile: an unknown compression method, or a password
        raise DataError(
            f"{name}: it can't be unpacked here ({error}). Unpack it first, and name what was in it."
        ) from error
    except FAULTS as error:
        if isinstance(error, OSError) and error.filename is not None:
            raise  # a fault of the disk, not of the file's contents
        raise DataError(f"{name}: broken, or cut off while it was copied ({error}). Get it anew.") from error


def _raw(stack: ExitStack, path: Path, member: str, name: str) -> tuple[IO[bytes], int]:
    """A file or member opened as bytes, and its size before decompression."""
    if not member:
        return stack.enter_context(path.open("rb")), path.stat().st_size
    archive = stack.enter_context(unzipped(path))
    return stack.enter_context(archive.open(member)), archive.getinfo(member).compress_size


class _Unpacking(io.RawIOBase):
    """A decompressed stream that stops at more output than text can amount to."""

    def __init__(self, packed: IO[bytes], size: int, name: str):
        self._packed, self._name = packed, name
        self._left = max(UNPACKED, SWOLLEN * size)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer)
        with _sound(self._name):
            data = self._packed.read(len(view))
        self._left -= len(data)
        if self._left < 0:
            raise DataError(
                f"{self._name}: it unpacks to more than {SWOLLEN} times its size, as no text does, and such a file can "
                "fill the memory. If it is meant so, unpack it first, and name what was in it."
            )
        view[: len(data)] = data
        return len(data)


def whole(path: Path, member: str = "", text: bool = True) -> bytes:
    """All of a file, read as by `opened`."""
    name, pieces, size = called(path, member), [], 0
    with opened(path, member, text) as file:
        while piece := file.read(PIECE):
            pieces.append(piece)
            size += len(piece)
            if size > WHOLE:
                raise DataError(f"{name}: over {WHOLE >> 30} GiB, and it has to be read as a whole. Cut it into parts.")
    return b"".join(pieces)


def decoded(data: bytes, name: str) -> str:
    """UTF-8 as text, without a byte order mark. `DataError` with the line if it is not UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise DataError(
            f"{name}, line {line}: not valid UTF-8 (byte 0x{error.object[error.start]:02x}). {CONVERT}"
        ) from error


CONVERT = "Convert the file to UTF-8 first, for example with iconv."


def held(path: Path, member: str) -> str:
    """What a member of an archive is, if not text; empty if it may be text."""
    with unzipped(path) as archive, _sound(called(path, member)), archive.open(member) as file:
        return kind(file.read(BEGINNING))


def _start(file: IO[bytes]) -> bytes:
    start = file.read(BEGINNING)
    file.seek(0)
    return start


def _beginning(file: IO[bytes]) -> bytes:
    """The first bytes of a stream, which stay to be read."""
    return file.peek(BEGINNING)[:BEGINNING] if isinstance(file, io.BufferedReader) else _start(file)


def _refuse(start: bytes, name: str, packed: str = "") -> None:
    found = kind(start)
    if found and not (packed and found == COMPRESSED[packed]):
        raise DataError(
            f"{name}: it holds {found}, not the text that should be there. {ADVICE.get(found, PAGE_ADVICE)}"
        )
    if packed and start and not found:
        raise DataError(f"{name}: not compressed, though its name ends in {packed}. Take that off its name.")


ZIP, GZIP, POINTER = "a zip archive", "gzip data", "a pointer of Git LFS"
COMPRESSED = {".gz": GZIP, ".bz2": "bzip2 data", ".xz": "xz data", ".zst": "zstandard data"}
"""Ending → what such a file holds."""
SIGNS = {".gz": rb"\x1f\x8b", ".bz2": rb"BZh[1-9]1AY&SY", ".xz": rb"\xfd7zXZ\x00", ".zst": rb"\x28\xb5\x2f\xfd"}
"""Ending → how such a file begins."""
ADVICE = {
    ZIP: "Let its name end in .zip.",
    **{found: f"Let its name end in {packed}." for packed, found in COMPRESSED.items()},
    POINTER: "The file itself is to be fetched with `git lfs pull`, or downloaded from where the repository keeps it.",
}
PAGE_ADVICE = "Download the file itself (on GitHub: “Raw”), not the page about it."


def kind(start: bytes) -> str:
    """What a supposed text file really is, by its first bytes; empty if it may be text."""
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return ZIP
    if packed := next((packed for packed, sign in SIGNS.items() if re.match(sign, start)), ""):
        return COMPRESSED[packed]
    if start.startswith(b"version https://git-lfs.github.com/spec/"):
        return POINTER
    head = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    page = re.match(rb"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(!doctype\s+)?html\b", head, re.IGNORECASE | re.DOTALL)
    if not page or not (page[3] or re.search(rb"<(head|title|meta|body)\b", head, re.IGNORECASE)):
        return ""
    title = re.search(rb"<title[^>]*>([^<]+)", start, re.IGNORECASE)
    named = " ".join(unescape(title[1].decode(errors="replace")).split())[:80] if title else ""
    return f"a web page (“{named}”)" if named else "a web page"


def lines(path: Path, member: str = "") -> Iterator[tuple[int, str]]:
    """The lines of a UTF-8 file with their numbers, without line end (and without a byte order mark)."""
    with opened(path, member) as file:
        yield from numbered(file, called(path, member))


def numbered(file: IO[bytes], name: str) -> Iterator[tuple[int, str]]:
    """The lines of an open file or pipe, as `lines` gives them."""
    # Only in binary does Python break lines at line feeds alone.
    for number, raw in enumerate(iter(partial(file.readline, LONGEST + 1), b""), start=1):
        if len(raw) > LONGEST and not raw.endswith(b"\n"):
            raise DataError(
                f"{name}, line {number}: longer than {LONGEST >> 20} MiB, which no line of text is. Is it a text file, "
                "with one text a line?"
            )
        try:
            line = raw.decode()
        except UnicodeDecodeError as error:
            raise DataError(
                f"{name}, line {number}: not valid UTF-8 (byte 0x{raw[error.start]:02x}, {error.start + 1} bytes into "
                f"the line). {CONVERT}"
            ) from error
        yield number, line.removeprefix("\ufeff" if number == 1 else "").removesuffix("\n").removesuffix("\r")


def unpacked_size(path: Path) -> int:
    """The number of bytes in a file after decompression; for compressed ones an estimate, since they do not tell."""
    size = path.stat().st_size
    if ending(path.name) == ".zip":
        try:
            with unzipped(path) as archive:
                return sum(member.file_size for member in archive.infolist())
        except DataError:
            return size  # whoever reads it says what is wrong
    return size * RATIO if path.suffix.lower() in PACKED else size
