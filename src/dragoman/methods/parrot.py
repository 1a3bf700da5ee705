"""ParroT (Jiao et al., 2023): translations, and what people said of translations, told in hints of the request."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from dragoman.corpora.amounts import Amounts, Volume
from dragoman.corpora.records import (
    Dialogue,
    Learnt,
    Pair,
    Rated,
    RatedTranslation,
    TranslationError,
    content_key,
    draw,
)
from dragoman.methods import Expected, Forecast, Lesson, Making, MethodOptions
from dragoman.prompts.examples import Example
from dragoman.prompts.speak import Speaker
from dragoman.prompts.translation import Instruction
from dragoman.recipe.fields import Distinct, Fraction
from dragoman.recipe.judging import Hinted, Instructions

TITLE = "ParroT"
SEES = ("ratings",)
OPEN, CLOSE = "<v>", "</v>"
SEVERITY, CATEGORY = "[SEV]", "[ERR]"
EVEN = 0.5
NEAR = 1e-9  # a tenth, added up
CONTRASTED = 0.75  # contrastive examples for each judgement, roughly
Part = Literal["translation", "contrastive", "error-guided"]

CONTRASTIVE = Instructions(
    texts=(
        "Translate the following text from {source} to {target}.###The better translation is",
        "Put this text into {target}.###It is better to say",
        "Give the {target} translation of this {source} text.###Of two translations the better one is",
        "How is this said in {target}?###Rather than the second, one would say the first:",
        "Write the following in {target}.###The preferred translation is",
    )
)
ERROR_GUIDED = Hinted(
    texts=(
        "Translate the following text from {source} to {target}.###The translation has [SEV] [ERR] errors",
        "Put this text into {target}.###With [SEV] [ERR] errors it is",
        "Give the {target} translation of this {source} text.###A translation with [SEV] [ERR] errors is",
        "How is this said in {target}?###Somebody who makes [SEV] [ERR] errors says",
        "Write the following in {target}.###Write it with [SEV] [ERR] errors",
    )
)


class Options(MethodOptions):
    parts: Annotated[tuple[Part, ...], Field(min_length=1), Distinct] = ("translation", "contrastive", "error-guided")
    """Which kinds of example it learns; pairs and conversations are the first."""
    contrastive: Instructions = CONTRASTIVE
    """What a user says for a better translation beside a worse one, each with its hint after `###`, as a list or
    `{file: instruct_t2t.txt}`; five of our own when absent."""
    error_guided: Hinted = ERROR_GUIDED
    """The same for a translation with an error. `[SEV]` and `[ERR]` are its severity and category; `no` stands for both
    where there is no error."""
    contrastive_amount: Fraction = 1.0
    """Share of the contrastive examples that is learnt, drawn by the seed; a smaller one is part of a larger one."""
    error_guided_amount: Fraction = 1.0
    """The same of the error-guided ones, of which MQM tables give several for each translation."""
    margin: Annotated[float, Field(ge=0)] = 1.0
    """How much worse than the best a translation must be to be learnt beside it, in points of MQM; 25 are all that
    COMET's scores can differ by."""

    context: Annotated[int, Field(ge=0)] = 0
    """Learn a pair together with up to so many that stand before it in its file, drawn for each; ParroT has 3. They are
    of the same document, where documents are known."""


def parrot(records: Sequence[Learnt], speak: Speaker, options: Options) -> Making:
    """L = -log P(y | x, I, h) over translations, pairs of a better and a worse one, and translations with errors."""
    yield from ()
    plain, notes = speak.without_hints(), Counter[str]()
    found: list[Example] = []
    before: dict[str, list[Pair]] = {}
    for record in records:
        if isinstance(record, Rated):
            for part, made, amount in (
                ("contrastive", _contrastive, options.contrastive_amount),
                ("error-guided", _error_guided, options.error_guided_amount),
            ):
                if part in options.parts:
                    all_of_it = made(record, speak, options)
                    some = [one for one in all_of_it if draw(one.key, "amount", speak.seed) < amount]
                    found += some
                    notes[f"{part} examples"] += len(some)
        elif isinstance(record, Pair) and "translation" in options.parts:
            there = before.setdefault(record.direction, [])
            same = [one for one in there if one.document == record.document]
            found.append(_translation(record, same, plain, options))
            there[:] = [*same, record][-options.context :] if options.context else []
        elif isinstance(record, Dialogue) and "translation" in options.parts:
            found.append(plain.example(plain.prefix(record)))
    context = speak.context
    fitting = [one for one in found if context is None or len(one.ids) <= context]
    notes[f"left out: longer than {context} tokens"] += len(found) - len(fitting)
    return Lesson(fitting, +notes)


def forecast(learnt: Amounts, options: Options, expected: Expected) -> Forecast:
    """Contrastive examples have two translations each; how many there will be is a guess."""
    rated = learnt.where(lambda kind: kind.rated).total
    plain = learnt.where(lambda kind: not kind.rated).total
    more = learnt.where(lambda kind: kind.pairs and not kind.rated).total.answered * options.context / 2
    plain = Volume(plain.records, plain.asked + more, plain.answered + more)
    found = Forecast.of(plain if "translation" in options.parts else Volume())
    if "error-guided" in options.parts:
        found = found.beside(Forecast.of(rated.of(options.error_guided_amount * rated.records)))
    if "contrastive" in options.parts:
        some = rated.of(CONTRASTED * options.contrastive_amount * rated.records)
        found = found.beside(Forecast.of(Volume(some.records, some.asked, 2 * some.answered)))
    return found


def _translation(pair: Pair, before: Sequence[Pair], speak: Speaker, options: Options) -> Example:
    """A pair with some of those before it, all in one line or a line each; alone, where that is too long to be seen."""
    count = min(len(before), int(draw(pair.key, "context", speak.seed) * (options.context + 1)))
    between = "\n" if draw(pair.key, "between", speak.seed) < EVEN else " "
    together = (*before[len(before) - count :], pair)
    source, target = between.join(one.source for one in together), between.join(one.target for one in together)
    joined = replace(pair, source=source, target=target)
    known = speak.counting([joined], speak.rows.get(pair.key, 0))
    example = known.example(known.prefix(joined))
    too_long = speak.context is not None and len(example.ids) > speak.context
    return speak.example(speak.prefix(pair)) if too_long and count else example


def _contrastive(rated: Rated, speak: Speaker, options: Options) -> Iterator[Example]:
    """The best translation against each that is worse by the margin and differs in its text."""
    best = max(rated.translations, key=lambda one: one.score)
    for other in rated.translations:
        if other.text != best.text and best.score - other.score > options.margin - NEAR:
            answer = f"<p>{best.text}</p> rather than <p>{other.text}</p>"
            yield _example(rated, answer, options.contrastive, speak)


def _error_guided(rated: Rated, speak: Speaker, options: Options) -> Iterator[Example]:
    """Each translation once for each of its errors; or once, if it has none."""
    for one in rated.translations:
        for error in one.errors or (None,):
            yield _example(rated, marked(one, error), options.error_guided, speak, error)


def marked(translation: RatedTranslation, error: TranslationError | None) -> str:
    """A translation with the place of an error between ` <v>` and `</v> `; as it is, where there is no place."""
    text = translation.text
    if error is None or error.start is None or error.end is None:
        return text
    before, there, after = text[: error.start], text[error.start : error.end], text[error.end :]
    return f"{before.removesuffix(' ')} {OPEN}{there}{CLOSE} {after.removeprefix(' ')}"


def hint(pattern: str, error: TranslationError | None) -> str:
    """A pattern with the severity and category of an error, in lower case; the severity alone where that is all."""
    severity = error.severity.lower() if error else "no"
    if error and error.category:
        return pattern.replace(SEVERITY, severity).replace(CATEGORY, error.category.lower())
    alone = pattern.replace(f"{SEVERITY} ", "") if CATEGORY in pattern else pattern
    return alone.replace(CATEGORY, severity).replace(SEVERITY, severity)


def _example(
    rated: Rated, answer: str, said: Instructions, speak: Speaker, error: TranslationError | None = None
) -> Example:
    key = content_key(rated.key, answer, *((error.category, error.severity) if error else ()))
    chosen = Instruction.of(said.texts[int(draw(key, "instruction", speak.seed) * len(said.texts))], said.MARKS)
    chosen = replace(chosen, hint=hint(chosen.hint, error)) if isinstance(said, Hinted) else chosen
    source, target = map(speak.called, (rated.source_language, rated.target_language))
    turn = chosen.turn(source, target, rated.source)
    return speak.example(speak.instructed(key, turn.text, turn.input, answer))
