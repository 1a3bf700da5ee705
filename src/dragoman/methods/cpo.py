"""CPO (Xu et al., 2024): of two translations the chosen one is to be likelier than the rejected one."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import model_validator

from dragoman.corpora.amounts import Amounts
from dragoman.corpora.records import Learnt, Preference
from dragoman.methods import Expected, Forecast, Lesson, Making, MethodOptions
from dragoman.prompts.speak import Speaker
from dragoman.recipe.training import PreferenceLoss, laid_over

TITLE = "CPO"
SEES, ONLY = ("preferences",), True

TRAINING = {"preference": PreferenceLoss().model_dump(exclude_defaults=True)}
"""Settings of training that it brings; what the row says is laid over them."""


class Options(MethodOptions):
    @model_validator(mode="before")
    @classmethod
    def _prefers(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        own = given.get("training")
        return {**given, "training": laid_over(TRAINING, {} if own is None else own)}


def cpo(records: Sequence[Learnt], speak: Speaker, options: Options) -> Making:
    """L = mean of -log σ(β (log P(chosen) - log P(rejected))) + λ · mean of -log P(chosen) over its tokens. Pairs and
    conversations are left alone.
    """
    yield from ()
    return Lesson([speak.preferred(one) for one in records if isinstance(one, Preference)])


def forecast(learnt: Amounts, options: Options, expected: Expected) -> Forecast:
    """One example of each preference, with its request twice; both answers are trained."""
    return Forecast.of(learnt.total)
