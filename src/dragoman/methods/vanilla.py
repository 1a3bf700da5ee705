"""Plain fine-tuning on the references: the baseline that forgets."""

from collections.abc import Sequence

from dragoman.corpora.amounts import Amounts
from dragoman.corpora.records import Record
from dragoman.methods import Expected, Forecast, Lesson, Making, MethodOptions
from dragoman.prompts.speak import Speaker

TITLE, PLACE, BASELINE = "Vanilla-FT", 1, "abilities"


class Options(MethodOptions):
    pass


def vanilla(records: Sequence[Record], speak: Speaker, options: Options) -> Making:
    """L = -log P(y | x, I): the first term of RaDis' equation 4, alone."""
    yield from ()
    return Lesson([speak.example(speak.prefix(record)) for record in records])


def forecast(learnt: Amounts, options: Options, expected: Expected) -> Forecast:
    return Forecast.of(learnt.total)
