"""Paths that users name: checking that files and folders exist."""

from pathlib import Path

from dragoman.errors import DataError, from_here


def below(places: Path | list[Path]) -> list[Path]:
    """All files in some places."""
    if isinstance(places, list):
        return [path for place in places for path in below(place)]
    return [places] if places.is_file() else sorted(path for path in places.rglob("*") if path.is_file())


def there(path: Path, what: str) -> Path:
    """The path if it exists, otherwise a `DataError`. `what` names the field or suite."""
    if not path.exists():
        raise DataError(f"{what}: there is no file or folder {path}{from_here(path)}")
    return path


def existing(path: Path) -> Path:
    """The path if it is an existing file, otherwise a `DataError`."""
    if not path.is_file():
        raise DataError(f"there is no file {path}{from_here(path)}")
    return path
