"""What a check says of an answer, and how texts are compared: what all checks share."""

import re
import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """A check's result: whether the answer is right, and whether there was an answer to judge at all."""

    passed: bool
    extracted: bool = True
    part: float | None = None
    """How much of it is right, from 0 to 1, if the check gives partial credit; otherwise all or nothing."""

    @property
    def credit(self) -> float:
        return float(self.passed) if self.part is None else self.part


NOTHING = Verdict(passed=False, extracted=False)
MOST = 10**9
"""As good as no upper bound."""


def normalised(text: str) -> str:
    """Text as it is compared: one Unicode form, no case, single blanks, no quotes or full stop around it."""
    text = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return " ".join(text.split()).strip(" .,;:!?\"'“”„«»`*")


def unfenced(text: str) -> str:
    """The text without blanks around it, and without the code fence around it if it stands in one."""
    return re.sub(r"^```\w*[ \t]*\n|\n?```$", "", text.strip()).strip()


def within(count: int, exactly: int, at_least: int, at_most: int) -> bool:
    """Whether a count is `exactly` so many, if that isn't negative; otherwise whether it is within the bounds."""
    return count == exactly if exactly >= 0 else at_least <= count <= at_most
