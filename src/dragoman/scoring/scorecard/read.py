"""Scorecards on disk, those of earlier versions included."""

import json
from functools import cache
from pathlib import Path
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from dragoman.errors import DataError, StoreError
from dragoman.scoring.scorecard.schema import SCHEMA, Scorecard

AGAIN = "`dragoman run` with its recipe makes it anew"
_Entry = dict[str, object]


def read_scorecard(path: Path) -> Scorecard:
    """The scorecard in a file.

    Fields that scorecards of earlier versions lack are added, as they are where nothing was measured. DataError if
    the file holds no scorecard, or lacks other parts of one; StoreError if it is one of another form.
    """
    try:  # it may come from outside
        card = json.loads(path.read_text(encoding="utf-8"))
        form = int(card["schema"])
        if form == SCHEMA:
            _complete(card)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(f"{path} holds no scorecard; {AGAIN}") from error
    if form != SCHEMA:
        age = "an earlier" if form < SCHEMA else "a newer"
        raise StoreError(f"{path} is a scorecard of {age} version (schema {form}, not {SCHEMA}); {AGAIN}")
    if fault := _fault(card):
        raise DataError(f"{path} holds no whole scorecard: {fault}; {AGAIN}")
    return cast(Scorecard, card)


def _fault(card: Any) -> str:
    """The first part that a scorecard lacks, or that is of another kind; what it has beside its parts is no fault."""
    try:
        _form().validate_python(card)
    except ValidationError as error:
        found = (one for one in error.errors(include_url=False) if one["type"] != "extra_forbidden")
        return next((f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in found), "")
    return ""


@cache
def _form() -> TypeAdapter[Scorecard]:
    return TypeAdapter(Scorecard)


def _complete(card: Any) -> None:
    """Adds what a scorecard of an earlier version lacks."""
    for row in card["rows"]:
        _add(row, method=row["name"], writer=None, seeds=[], translation=None, abilities={}, skills={}, retention=None)
        _add(row, retention_seeds=[], retention_interval=None, retention_signature=None, retention_without=[])
        _add(row, inside_noise=None, trace=None, rationales=None, settings={}, hints=[], cost=None)
        for kind, side in (("abilities", "general"), ("skills", "skill")):
            for ability in row[kind].values():
                _add(ability, passed=None, interval=None, side=side, unit="%", kept=kind == "abilities", seeds=[])
                _add(ability, sd=None, delta=None, delta_interval=None, p=None, retention=None)
                _add(ability, retention_interval=None, inside_noise=None, not_extracted=0, cut_off=0)
                _add(ability, notes={}, facts={}, f1=None, subjects={}, subject_mean=None)
    _add(card, pairs=[], noise=None)
    for pair in card["pairs"]:
        _add(pair, translation=None, into_english=None, out_of_english=None, directions={}, metrics={})
        _add(pair, retention=None, families={}, skills={})
    if card["noise"]:
        _add(card["noise"], left_out=0)


def _add(entry: _Entry, **fields: object) -> None:
    """The fields that an entry does not have yet."""
    for name, value in fields.items():
        entry.setdefault(name, value)
