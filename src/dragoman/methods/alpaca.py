"""Alpaca, CrossAlpaca's baseline: instruction tuning on conversations in chosen languages, and on nothing else."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

from dragoman.corpora.amounts import Amounts
from dragoman.corpora.language import base
from dragoman.corpora.records import Dialogue, Record
from dragoman.methods import Expected, Forecast, Lesson, Making, MethodOptions
from dragoman.prompts.speak import Speaker
from dragoman.recipe.fields import Distinct

BASELINE = "language"


class Options(MethodOptions):
    languages: Annotated[tuple[str, ...], Distinct] = ()
    """Languages of the conversations (`data.lessons`) that are learnt, such as `de`; all when empty."""
    train_on_inputs: bool = False
    """Learn requests as well as answers, as alpaca-lora does."""


def alpaca(records: Sequence[Record], speak: Speaker, options: Options) -> Making:
    """L = -log P(y | x, I) over the answers of the conversations in the languages. Pairs are ignored."""
    yield from ()
    chosen = [record for record in records if isinstance(record, Dialogue) and _is_wanted(record.language, options)]
    weight = float(options.train_on_inputs)
    examples = [speak.dialogue(dialogue, prompt_weight=weight) for dialogue in chosen]
    return Lesson(examples, Counter(f"instructions of {dialogue.origin or 'a file'}" for dialogue in chosen))


def forecast(learnt: Amounts, options: Options, expected: Expected) -> Forecast:
    chosen = learnt.where(lambda kind: not kind.pairs and _is_wanted(kind.target, options))
    return Forecast.of(chosen.total, inputs=options.train_on_inputs)


def _is_wanted(language: str, options: Options) -> bool:
    wanted = {base(other) for other in options.languages}
    return not wanted or base(language) in wanted
