"""Keep: the references, and beside them what the backbone says to general prompts; four fifths of what came of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import model_validator

from dragoman.corpora.amounts import Amounts
from dragoman.corpora.records import Record
from dragoman.methods import Expected, Forecast, Lesson, Making, MethodOptions
from dragoman.prompts.speak import Speaker
from dragoman.recipe.training import Replay, laid_over

TITLE, PLACE = "Keep", 6

TRAINING = {"replay": Replay().model_dump(), "segments": {"replay": {"labels": "soft"}}}
"""Settings of training that it brings; what the row says is laid over them."""
STRENGTH = 0.8
"""At which it takes what was trained."""


class Options(MethodOptions):
    @model_validator(mode="before")
    @classmethod
    def _replays(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        own = given.get("training")
        return {"scale": STRENGTH, **given, "training": laid_over(TRAINING, {} if own is None else own)}


def keep(records: Sequence[Record], speak: Speaker, options: Options) -> Making:
    """L = mean of -log P(y | x, I) + c · mean of KL(backbone || θ), the second over the answers of `data.replay`."""
    yield from ()
    return Lesson([speak.example(speak.prefix(record)) for record in records])


def forecast(learnt: Amounts, options: Options, expected: Expected) -> Forecast:
    return Forecast.of(learnt.total)
