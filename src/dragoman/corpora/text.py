"""Text as it lies on disk: plain, compressed (`.gz`), or a member of a zip archive; and files that are something else.

Lines end at a line feed and nowhere else. Crawled text has U+2028, U+0085 and form feeds inside its
lines; a reader that breaks lines there shifts every pair after it by one.
"""

import gzip
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from html import unescape
from pathlib import Path
from typing import IO, cast

from dragoman.errors import DataError

BEGINNING = 4096  # bytes that tell what a file is
RATIO = 3  # of text to the same text in a .gz


def called(path: Path, member: str = "") -> str:
    """What messages call a file, or a member of an archive."""
    return f"{path}, in it {member}" if member else str(path)


def ending(name: str) -> str:
    """How a file name ends, without `.gz`, in lower case: `.tsv` for `a.tsv.gz`."""
    return Path(name.lower().removesuffix(".gz")).suffix


@contextmanager
def opened(path: Path, member: str = "") -> Iterator[IO[bytes]]:
    """The bytes of a file, or of a member of a zip archive, unpacked where the name ends in `.gz`.

    `DataError` where there is no such file, where it is broken, encrypted, or something else than text: a web page
    that was saved in its place, an archive under another name, a pointer of Git LFS.
    """
    name = called(path, member)
    if not path.is_file():
        if str(path) == "-" or (path.exists() and not path.is_dir()):
            raise DataError(
                f"{path} is no file but a pipe or a device. Save what comes from it in a file, and name that."
            )
        raise DataError(f"there is no file {path}" + (": it is a folder" if path.is_dir() else ""))
    try:
        with ExitStack() as stack:
            raw = _raw(stack, path, member, name)
            if (member or path.name).lower().endswith(".gz"):
                _refuse(_start(raw), name, packed=True)
                raw = cast("IO[bytes]", stack.enter_context(gzip.GzipFile(fileobj=raw)))
            _refuse(_start(raw), name)
            yield raw
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
        raise DataError(f"{name}: broken, or cut off while it was copied ({error}). Get it anew.") from error


def _raw(stack: ExitStack, path: Path, member: str, name: str) -> IO[bytes]:
    if not member:
        return stack.enter_context(path.open("rb"))
    archive = stack.enter_context(zipfile.ZipFile(path))
    try:
        return stack.enter_context(archive.open(member))
    except (NotImplementedError, RuntimeError) as error:  # zipfile: a method of packing, or a password
        raise DataError(
            f"{name}: it can't be unpacked here ({error}). Unpack it first, and name what was in it."
        ) from error


def _start(file: IO[bytes]) -> bytes:
    start = file.read(BEGINNING)
    file.seek(0)
    return start


def _refuse(start: bytes, name: str, packed: bool = False) -> None:
    found = kind(start)
    if found and not (packed and found == GZIP):
        raise DataError(
            f"{name}: it holds {found}, not the text that should be there. {ADVICE.get(found, PAGE_ADVICE)}"
        )
    if packed and start and not found:
        raise DataError(f"{name}: not compressed, though its name ends in .gz. Take that off its name.")


ZIP, GZIP, POINTER = "a zip archive", "gzip data", "a pointer of Git LFS"
ADVICE = {
    ZIP: "Let its name end in .zip.",
    GZIP: "Let its name end in .gz.",
    POINTER: "The file itself is to be fetched with `git lfs pull`, or downloaded from where the repository keeps it.",
}
PAGE_ADVICE = "Download the file itself (on GitHub: “Raw”), not the page about it."


def kind(start: bytes) -> str:
    """What a file is that should be text, by its first bytes; empty where nothing speaks against text."""
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return ZIP
    if start.startswith(b"\x1f\x8b"):
        return GZIP
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
    with opened(path, member) as file:  # only in binary does Python break lines at line feeds alone
        for number, raw in enumerate(file, start=1):
            try:
                line = raw.decode()
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{called(path, member)}, line {number}: not valid UTF-8 (byte 0x{raw[error.start]:02x}, "
                    f"{error.start + 1} bytes into the line). Convert the file to UTF-8 first, for example with iconv."
                ) from error
            yield number, line.removeprefix("\ufeff" if number == 1 else "").removesuffix("\n").removesuffix("\r")


def unpacked_size(path: Path) -> int:
    """Bytes of what is in a file; of a `.gz` an estimate, because it does not say for large ones."""
    size = path.stat().st_size
    if ending(path.name) == ".zip":
        try:
            with zipfile.ZipFile(path) as archive:
                return sum(member.file_size for member in archive.infolist())
        except zipfile.BadZipFile:
            return size  # whoever reads it says what is wrong
    return size * RATIO if path.name.lower().endswith(".gz") else size
