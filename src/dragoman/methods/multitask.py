"""Multi-task: the records, mixed with general instruction data. Nothing is generated."""

from collections import Counter
from collections.abc import Sequence

from dragoman.corpora.amounts import Amounts
from dragoman.corpora.records import Dialogue, Record
from dragoman.methods import Expected, Forecast, Lesson, Making, MethodOptions
from dragoman.prompts.speak import Speaker

TITLE, PLACE = "Multi-task", 4
SEES = ("instructions",)


class Options(MethodOptions):
    pass


def multitask(records: Sequence[Record], speak: Speaker, options: Options) -> Making:
    """L = -log P(y | x, I) over the pairs and over all answers of the conversations that are mixed in.

    `data.instructions` says how many there are, and from which corpora. Every assistant turn of a conversation is
    learnt.
    """
    yield from ()
    dialogues = [record for record in records if isinstance(record, Dialogue)]
    notes = Counter(f"conversations of {dialogue.origin or 'a file'}" for dialogue in dialogues)
    examples = [
        speak.dialogue(record) if isinstance(record, Dialogue) else speak.example(speak.prefix(record))
        for record in records
    ]
    return Lesson(examples, notes)


def forecast(learnt: Amounts, options: Options, expected: Expected) -> Forecast:
    return Forecast.of(learnt.total)
