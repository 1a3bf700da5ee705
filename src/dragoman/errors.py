"""Errors that a user can cause: each tells the person what is wrong, where, and what to do.

Every such error is a `DragomanError`. Each child is also the standard exception that fits it, so that library code
may catch `ValueError` or `RuntimeError` without knowing us.
"""

from collections.abc import Sequence
from pathlib import Path


class DragomanError(Exception):
    """Base of all errors that end a command with a sentence instead of a traceback."""


class RecipeError(DragomanError, ValueError):
    """A recipe with faults; the message lists all of them with file and line."""


class DataError(DragomanError, ValueError):
    """A corpus file that cannot be read as what it claims to be."""


class TemplateError(DragomanError, ValueError):
    """A chat template that is missing, or that changes the assistant's text."""


class StoreError(DragomanError, RuntimeError):
    """An artifact that is damaged or from a newer version, or a disk without room."""


class EngineError(DragomanError, RuntimeError):
    """A model that cannot be loaded, or an engine that cannot do what was asked."""


class EngineEnded(EngineError):
    """An engine's process died; another process may well be able to answer."""


class TrainingError(DragomanError, RuntimeError):
    """Training or merging that cannot start, or whose result must not be published."""


class Diverged(TrainingError):
    """A training whose loss is no number any more, or rose so far that it was given up."""


def refuse(faults: Sequence[str], *, complete: bool = True) -> None:
    """Raises a `DataError` with the first twenty faults, one a line, if there are any.

    With `complete`, these are all faults, and the message counts those that it leaves out.
    """
    if faults:
        left_out = len(faults) - 20
        more = [f"… and {left_out:,} more" if complete else "… and more"] if left_out > 0 else []
        raise DataError("\n".join([*faults[:20], *more]))


def from_here(path: str | Path) -> str:
    """To be said after a path at which nothing was found, in brackets: where it counts from, if it is relative.

    One rule for command lines and recipes: from the folder where dragoman is run. Only a recipe's `extends` counts
    from the recipe.
    """
    return "" if Path(path).expanduser().is_absolute() else f" (paths count from the folder you are in: {Path.cwd()})"


def listed(names: Sequence[str], most: int = 3) -> str:
    """The first names in a sentence, and how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
