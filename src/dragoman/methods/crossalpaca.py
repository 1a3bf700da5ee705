"""CrossAlpaca: instructions in a language, plus demonstrations of translating between it and English."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal

from dragoman.corpora.amounts import Amounts
from dragoman.corpora.language import base
from dragoman.corpora.records import Dialogue, Pair, Record, draw
from dragoman.methods import Expected, Forecast, Lesson, Making, MethodOptions, radis
from dragoman.methods.radis import Rationales
from dragoman.prompts.examples import Example
from dragoman.prompts.speak import Speaker
from dragoman.prompts.translation import demonstration
from dragoman.rationales.report import RationaleReport
from dragoman.recipe.fields import Distinct, Fraction


class Options(MethodOptions):
    languages: Annotated[tuple[str, ...], Distinct] = ()
    """Languages that are taught beside English, such as `de`: one, or several in one model; all when empty."""
    amount: Fraction = 1.0
    """Share of the demonstrations (pairs of `data.train`) that is used; a smaller one is part of a larger one."""
    directions: Literal["both", "en-x", "x-en"] = "both"
    """Demonstrations out of English, into English, or both."""
    instructions: Literal["own", "english", "both"] = "own"
    """Which conversations (`data.lessons`) are learnt: those in `languages`, those in English, or both."""
    wording: Literal["varied", "fixed"] = "varied"
    """Whether a demonstration's instruction is one of several, or always the same."""
    rationale: Rationales | None = None
    """Continue each demonstration with the backbone's own rationale, as RaDis does; none when absent."""
    train_on_inputs: bool = False
    """Learn requests as well as answers, as alpaca-lora does. Demonstrations with rationales are learnt without."""


def crossalpaca(records: Sequence[Record], speak: Speaker, options: Options) -> Making:
    """L = -log P(y | x, I) over the answers of conversations and the translations of demonstrations."""
    weight = float(options.train_on_inputs)
    notes: Counter[str] = Counter()
    shown: dict[int, Dialogue] = {}
    examples: dict[int, list[Example]] = {}
    for n, record in enumerate(records):
        if isinstance(record, Pair) and _is_shown(record, options):
            shown[n] = demonstration(record, options.wording == "fixed", speak.seed)
            notes[f"demonstrations {record.direction}"] += 1
        elif isinstance(record, Dialogue) and _is_asked_in(record.language, options):
            examples[n] = [speak.dialogue(record, prompt_weight=weight)]
            notes[f"instructions of {record.origin or 'a file'}"] += 1
    report: RationaleReport | None = None
    if options.rationale is None or not shown:
        examples |= {n: [speak.example(speak.prefix(one), prompt_weight=weight)] for n, one in shown.items()}
    else:
        enriched = yield from radis.radis(list(shown.values()), speak, radis.Options(rationale=options.rationale))
        each = options.rationale.samples_per_pair
        examples |= {n: enriched.examples[at * each : (at + 1) * each] for at, n in enumerate(shown)}
        notes.update(enriched.notes)
        report = enriched.report
    return Lesson([example for n in sorted(examples) for example in examples[n]], notes, report)


def forecast(learnt: Amounts, options: Options, expected: Expected) -> Forecast:
    pairs = learnt.where(lambda kind: kind.pairs and _may_be_shown(kind.source, kind.target, options))
    asked = learnt.where(lambda kind: not kind.pairs and _is_asked_in(kind.target, options))
    shown, inputs = pairs.times(options.amount), options.train_on_inputs
    instructions = Forecast.of(asked.total, inputs=inputs)
    if options.rationale is None or not shown.total.records:
        return Forecast.of(shown.total, inputs=inputs).beside(instructions)
    enriched = radis.forecast(shown, radis.Options(rationale=options.rationale), expected)
    alike = options.model_dump_json(exclude={"amount": True, "instructions": True, "rationale": {"weight": True}})
    return replace(enriched.beside(instructions), alike=alike)


def _is_shown(pair: Pair, options: Options) -> bool:
    """Whether a pair is used as a demonstration."""
    may_be = _may_be_shown(pair.source_language, pair.target_language, options)
    return may_be and draw(pair.key, "demonstration") < options.amount


def _may_be_shown(source: str, target: str, options: Options) -> bool:
    """Whether pairs in this direction can be demonstrations: one side is English, the other in a taught language."""
    source, target = base(source), base(target)
    if "en" not in (source, target):
        return False
    foreign = target if source == "en" else source
    directed = options.directions in ("both", "en-x" if source == "en" else "x-en")
    return directed and _is_taught(foreign, options)


def _is_asked_in(language: str, options: Options) -> bool:
    """Whether conversations in a language are learnt."""
    if base(language) == "en":
        return options.instructions in ("english", "both")
    return options.instructions in ("own", "both") and _is_taught(language, options)


def _is_taught(language: str, options: Options) -> bool:
    return not options.languages or base(language) in {base(other) for other in options.languages}
