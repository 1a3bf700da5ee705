"""Drift in a scorecard: on which texts it was measured, and what to know of it."""

from dragoman.scoring.divergence import TextDrift
from dragoman.scoring.scorecard.schema import Row, Scorecard
from dragoman.suites.drift.suite import KINDS

HEADING = "Drift from the backbone"
UNIT = "nats a token, lower is closer"
DIGITS = 3


def kinds(card: Scorecard) -> dict[str, str]:
    """The kinds of text that drift was measured on, and their titles."""
    known = {kind for row in card["rows"] if "drift" in row for kind in row["drift"]["kinds"]}
    return {kind: title for kind, title in KINDS.items() if kind in known}


def drift_on(row: Row, kind: str) -> TextDrift | None:
    """How far a row has moved on one kind of text; None if that was not measured."""
    return row["drift"]["kinds"].get(kind) if "drift" in row else None


def remarks(card: Scorecard) -> list[str]:
    """What drift is, and which rows have none, and why."""
    if not kinds(card):
        return []
    along = {"general": "the backbone's own answers", "translation": "the references"}
    where = " and ".join(f"on {title} along {along[kind]}" for kind, title in kinds(card).items())
    found = [
        f"Drift is how far a model's next-token distributions are from the backbone's, as mean KL(backbone || model) "
        f"{where}: 0 is the backbone itself, lower is better, and it is no part of RP."
    ]
    lacking = {row["name"]: row["drift"]["lacking"] for row in card["rows"] if "drift" in row}
    return found + [f"{name} has no drift: {why}." for name, why in lacking.items() if why]
