"""Seq-KD: beside each reference, the backbone's own answer to the same request is trained too."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from dragoman.corpora.amounts import Amounts
from dragoman.corpora.records import Record
from dragoman.generation.ask import Ask, Asking, Sampling
from dragoman.methods import Expected, Forecast, Lesson, Making, MethodOptions
from dragoman.prompts.speak import Speaker
from dragoman.rationales.faults import is_empty
from dragoman.recipe.fields import Positive

EXAMPLES = 2  # of each record, so a batch is twice as large and the number of steps stays the same
TITLE, PLACE = "Seq-KD", 2
REGULARISER = "own"


class Options(MethodOptions):
    max_tokens: Positive = 256
    """Longest own answer; one that is cut off here is counted, and its end is not trained."""
    temperature: Annotated[float, Field(ge=0)] = 0.0
    """0 is greedy."""
    seed: int = 0
    """Seed of sampled answers."""


def seq_kd(records: Sequence[Record], speak: Speaker, options: Options) -> Making:
    """L(x, y; θ) + L(x, y′; θ) (equation 5): the reference y, and the backbone's own answer y′ to the same prompt.

    They are two separate examples, `KEY` and `KEY#own`. An empty own answer is left out and counted; then only the
    reference is trained.
    """
    prefixes = [speak.prefix(record) for record in records]
    sampling = Sampling(options.max_tokens, speak.stop, options.temperature, seed=options.seed)
    answers = yield Ask("backbone", [prefix.prompt for prefix in prefixes], sampling, "own answers")

    lesson = Lesson([], Counter())
    for record, prefix, answer in zip(records, prefixes, answers, strict=True):
        lesson.examples.append(speak.example(prefix))
        if answer.finish == "failed":
            lesson.notes["own answers left out: failed"] += 1
        elif is_empty(answer.text):
            lesson.notes["own answers left out: empty"] += 1
        else:
            lesson.examples.append(speak.own(f"{prefix.key}#own", prefix.prompt, answer))
            lesson.notes["own answers"] += 1
            lesson.notes["own answers cut off at the limit"] += answer.finish == "length"
            lesson.notes["own answers that are the reference"] += answer.text.strip() == speak.texts(record)[1]
    return lesson


def forecast(learnt: Amounts, options: Options, expected: Expected) -> Forecast:
    base = learnt.total
    answered = base.records * expected.own_answer(base, options.max_tokens)
    trained = base.answered + answered
    return Forecast(
        EXAMPLES * base.records,
        2 * base.asked + trained,
        trained,
        Asking(base.records, base.asked, answered),
        "own answers",
        longer=trained / (2 * base.answered) if base.answered else 1.0,
        alike=options.model_dump_json(),
    )
