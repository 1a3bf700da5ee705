"""Zip archives with parallel text: listing their members, and choosing the ones that are meant.

OPUS publishes a corpus as one zip for two languages, with the members NAME.de-en.de and NAME.de-en.en, line by line
translations of each other, and NAME.de-en.ids, which lists the documents that the lines come from. The names have the
languages in alphabetical order, whichever direction they are used in.
"""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dragoman.corpora.formats.text import ending, held, unzipped
from dragoman.errors import DataError

TABLES = (".tsv", ".tmx", ".jsonl", ".json")
SHOWN = 5
BESIDE = ("readme", "license", "licence", "citation", ".ds_store")  # what lies beside the text in many archives


@dataclass(frozen=True, slots=True)
class Aligned:
    """The two members of an archive that are aligned line by line; `ids` lists documents, if there is such a member."""

    source: str
    target: str
    ids: str = ""


def members(path: Path) -> list[str]:
    """The files in an archive, without those that are never part of a corpus; `DataError` if it can't be read, or is
    empty.
    """
    with unzipped(path) as archive:
        found = [member for member in archive.infolist() if not member.is_dir() and not _beside(member.filename)]
    if not found:
        raise DataError(f"{path}: an empty archive; there is no file with text in it")
    if locked := next((member.filename for member in found if member.flag_bits & 1), None):
        raise DataError(
            f"{path}: {locked} in it is encrypted. Unpack it with its password first, and name what was in it."
        )
    return [member.filename for member in found]


def _beside(name: str) -> bool:
    path = PurePosixPath(name)
    return path.parts[0] == "__MACOSX" or path.name.lower().startswith(BESIDE)


def choose(path: Path, languages: tuple[str, str]) -> Aligned | str:
    """The members of an archive with these languages: two aligned ones, or the name of its only table.

    `DataError` lists what is there instead, or the candidates if there are too many.
    """
    names = members(path)
    held = set(names)
    source, target = languages
    stems = [name.removesuffix(f".{source}") for name in names if name.endswith(f".{source}")]
    found = [stem for stem in stems if f"{stem}.{target}" in held]
    if len(found) == 1:
        (stem,) = found
        ids = f"{stem}.ids"
        return Aligned(f"{stem}.{source}", f"{stem}.{target}", ids if ids in held else "")
    tables = [name for name in names if ending(name) in TABLES]
    if found:
        raise DataError(
            f"{path}: more than one text of {source} and {target} is in it ({_listed(found)}). "
            "Unpack it, and name the one that is meant under `source` and `target`."
        )
    if len(tables) == 1:
        return tables[0]
    raise DataError(
        f"{path}: no text of {source} and {target} is in it. It holds {_told(path, names)}. Needed are two files that "
        f"end in .{source} and .{target}, as in OPUS's archives (Moses format), or one table ({', '.join(TABLES)})."
    )


def only(path: Path, endings: tuple[str, ...]) -> str:
    """The only member of an archive with one of these endings. `DataError` lists what is there instead, or the
    candidates.
    """
    names = members(path)
    found = [name for name in names if ending(name) in endings]
    if len(found) == 1:
        return found[0]
    wanted = " or ".join(endings)
    if found:
        raise DataError(
            f"{path}: more than one {wanted} file is in it ({_listed(found)}). Unpack it, and name the one meant."
        )
    raise DataError(f"{path}: no {wanted} file is in it. It holds {_told(path, names)}.")


def _told(path: Path, names: list[str]) -> str:
    """The names of the members, each with what it is if that is not text."""
    told = []
    for name in names[:SHOWN]:
        what = held(path, name)
        told.append(f"{name}, {what}" if what else name)
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return "; ".join(told) + more


def _listed(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (" …" if len(names) > SHOWN else "")
