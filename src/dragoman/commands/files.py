"""Parallel text named on a command line, and its languages."""

from pathlib import Path
from typing import TYPE_CHECKING

from dragoman.corpora.formats.text import ending
from dragoman.errors import DataError
from dragoman.prompts.languages import language_name

if TYPE_CHECKING:
    from dragoman.corpora.formats.parallel import ParallelText


def parallel_text(source: Path | None, target: Path | None, table: Path | None, direction: str) -> "ParallelText":
    """Two files or one table; names such as a.de and a.en tell the direction. DataError if it is not clear."""
    from dragoman.corpora.formats.parallel import ParallelText  # its readers take a third of the time of --help

    if (table is None) == (source is None) or (source is None) != (target is None):
        raise DataError("which text? Name --source and --target, or one --table")
    direction = direction or _guessed(source, target)
    languages(direction)
    return ParallelText(direction, source, target, table)


def languages(direction: str) -> tuple[str, str]:
    """The two languages of a direction such as `de-en`. DataError if it is not one."""
    codes = direction.split("-")
    if len(codes) != 2 or codes[0] == codes[1]:
        raise DataError(f"--direction {direction}: write source and target language, as in de-en")
    for code in codes:
        language_name(code)
    return codes[0], codes[1]


def _guessed(source: Path | None, target: Path | None) -> str:
    """`de-en` for files that end in .de and .en."""
    codes = [ending(path.name).lstrip(".") for path in (source, target) if path is not None]
    if len(codes) != 2:
        raise DataError("which languages are these? Say so, as in --direction de-en")
    for code in codes:
        try:
            language_name(code)
        except DataError:
            raise DataError(
                f"which languages are these? '.{code}' names none; say so, as in --direction de-en"
            ) from None
    return "-".join(codes)
