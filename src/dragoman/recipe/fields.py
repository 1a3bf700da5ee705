"""Field types that recipes share: strict models, and kinds of values with their own checks."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=-]*")
_DIRECTION = re.compile(r"[a-z]{2,3}(_[A-Za-z0-9]+)?-[a-z]{2,3}(_[A-Za-z0-9]+)?")


class Strict(BaseModel):
    """Unknown keys are errors; the text under each field becomes its description."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)


def folder_name(text: str) -> str:
    if not NAME.fullmatch(text):
        raise ValueError(no_folder(text))
    return text


def no_folder(text: str) -> str:
    """The message about a name that no folder can have."""
    return f"'{text}' will name a folder: use letters from a to z, digits and . _ - ="


def _direction(text: str) -> str:
    if not _DIRECTION.fullmatch(text):
        raise ValueError(f"'{text}' is not a direction; write source and target language as in de-en")
    source, target = text.split("-")
    if source == target:
        raise ValueError(f"'{text}' has the same language on both sides")
    return text


def _distinct(words: tuple[str, ...]) -> tuple[str, ...]:
    if twice := next((word for word in words if words.count(word) > 1), None):
        raise ValueError(f"names '{twice}' twice; once is enough")
    return words


def distinct_seeds(seeds: tuple[int, ...]) -> tuple[int, ...]:
    if twice := next((seed for seed in seeds if seeds.count(seed) > 1), None):
        raise ValueError(f"has {twice} twice: that would be the same training again")
    return seeds


Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(ge=1)]
Logprobs = Annotated[int, Field(ge=0, le=20)]
Direction = Annotated[str, AfterValidator(_direction)]
Distinct = AfterValidator(_distinct)
