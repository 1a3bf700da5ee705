"""RaDis: each reference, continued by the backbone's own rationale; both are trained."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dragoman.corpora.amounts import Amounts
from dragoman.corpora.records import Pair, Record, draw
from dragoman.generation.ask import Ask, Asking, Completion, Ids, Sampling
from dragoman.methods import Expected, Forecast, Lesson, Making, MethodOptions
from dragoman.prompts.speak import Prefix, Speaker, Written
from dragoman.rationales.faults import FAULTS, Rationale, ends_at_once, judge
from dragoman.rationales.report import RationaleReport
from dragoman.recipe.fields import Fraction, Logprobs, Positive, Strict

TITLE, PLACE = "RaDis", 5
RATIONALES, REGULARISER = True, "rationale"
PUBLISHED_COST = "The paper reports 20 GPU hours on A100 for RaDis: 4 of generation and 16 of training."

ALONE = "asked for the translation alone"
PROBED = 64  # prefixes of a chunk on which the share of immediate endings is measured


class Rationales(Strict):
    """How rationales are drawn."""

    max_tokens: Positive = 512
    """Longest rationale; one that is cut off here is counted, and its end is not trained."""
    temperature: Annotated[float, Field(ge=0)] = 0.0
    """0 is greedy, as in the paper."""
    top_p: Fraction = 1.0
    """Share of the probability that sampling may draw from."""
    seed: int = 0
    """Seed of sampled rationales."""
    model: str | None = None
    """Another model that writes the rationales: a directory, or a name on the hub. The backbone when absent."""
    samples_per_pair: Positive = 1
    """Rationales of each record, with the seeds `seed`, `seed + 1`, … Each makes an example, reference included."""
    keep_logprobs: Logprobs = 0
    """Log-probabilities of so many most likely tokens are kept with each token, for stored labels."""
    weight: Annotated[float, Field(ge=0)] = 1.0
    """Weight of a rationale's tokens in the loss; the reference's is 1."""

    @model_validator(mode="after")
    def _samples_differ(self) -> Self:
        if self.samples_per_pair > 1 and self.temperature == 0:
            raise ValueError(
                f"asks for {self.samples_per_pair} samples of each pair, and without a temperature they would all be "
                "the same; set temperature (0.7, say), or samples_per_pair: 1"
            )
        return self


class Filters(Strict):
    """Which rationales are taken out: their examples stay, and end after the reference. Every fault is counted."""

    empty: bool = False
    """Nothing but white space: the model stopped at once."""
    cut: bool = False
    """Ended by `max_tokens`."""
    repeating: bool = False
    """Going round in circles: the same tokens over and over."""
    wrong_language: bool = False
    """Mostly in a language that is neither English nor one of the pair's. Conversations are not judged by it."""
    repeats_reference: bool = False
    """The reference again and nothing else."""
    contradicts_reference: bool = False
    """A second translation that is not the reference, also where it is as good. Conversations have none."""
    duplicate: bool = False
    """Word by word what was said of another reference before, as far back as the chunk of 1,024 records goes."""


class Options(MethodOptions):
    rationale: Rationales = Rationales()
    """How rationales are drawn."""
    elicit: Literal["ban_end", "natural"] = "ban_end"
    """`ban_end`: the model may not stop right after the reference. `natural`: it may; no rationale then."""
    rationale_fraction: Fraction = 1.0
    """Share of the examples that carry a rationale; the others are plain references."""
    alone: Fraction = 0.0
    """Share of the pairs whose request wants the translation alone, and which carry no rationale."""
    boundary: Literal["exact", "heal"] = "heal"
    """`heal`: the model writes the reference's last token anew, where the vocabulary joins it with line breaks."""
    filters: Filters = Filters()
    """Which rationales are taken out; none by default, as in the paper."""
    refresh: bool = False
    """Write the rationales anew after each epoch, with what the model has become by then."""

    @model_validator(mode="after")
    def _refreshes_its_own(self) -> Self:
        if self.refresh and self.rationale.model is not None:
            raise ValueError(
                f"refreshes rationales with the model in training, but {self.rationale.model} writes them; "
                "leave out refresh, or rationale.model"
            )
        return self


def radis(records: Sequence[Record], speak: Speaker, options: Options) -> Making:
    """r ~ P(y, x, I; θ) (equation 1); L = -log P(y | x, I) - log P(r | y, x, I) (equations 2 and 4)."""
    model = options.rationale.model or "backbone"
    writer = speak.of(model)  # speaks to the model that writes the rationales
    joins = writer.renderer.joins_line_breaks or speak.renderer.joins_line_breaks
    healed = options.boundary == "heal" and joins
    alone = {
        n for n, record in enumerate(records) if isinstance(record, Pair) and draw(record.key, "alone") < options.alone
    }
    prefixes = [speak.prefix(record, alone=n in alone) for n, record in enumerate(records)]
    enriched = [
        n
        for n, prefix in enumerate(prefixes)
        if n not in alone and draw(prefix.key, "rationale") < options.rationale_fraction
    ]
    asked = {n: prefixes[n] if writer is speak else writer.prefix(records[n]) for n in enriched}

    def after(reference: Prefix, completion: Completion) -> Rationale:
        return Rationale.of(completion, writer.decode(reference.reference[-1:]) if healed else None)

    probed = sorted(asked.values(), key=lambda prefix: draw(prefix.key, "probe"))[:PROBED]
    freely = Sampling(len(writer.renderer.end) + healed, writer.stop, heal=healed)
    first = yield Ask(model, [prefix.ids for prefix in probed], freely, "would the model stop at once?")
    stopping = sum(ends_at_once(after(*both)) for both in zip(probed, first, strict=True))

    drawn: dict[int, list[Completion]] = {n: [] for n in enriched}
    for sample in range(options.rationale.samples_per_pair):
        sampling = _sampling(options, writer, sample, healed)
        completions = yield Ask(model, [prefix.ids for prefix in asked.values()], sampling, "rationales")
        for n, completion in zip(enriched, completions, strict=True):
            drawn[n].append(completion)

    samples = [(n, completion) for n in enriched for completion in drawn[n]]
    rationales = [after(asked[n], completion) for n, completion in samples]
    faults = judge([records[n] for n, _ in samples], rationales)
    wanted = options.filters.model_dump()
    filters = {fault for fault in FAULTS if wanted.get(fault)}
    report = RationaleReport.of(rationales, faults, filters)

    own = writer is speak or writer.renderer.fingerprint == speak.renderer.fingerprint  # one vocabulary
    written: dict[int, list[Written | None]] = {n: [] for n in enriched}
    altered = 0
    for (n, completion), rationale, found in zip(samples, rationales, faults, strict=True):
        if not found.isdisjoint({"failed", "empty", *filters}):
            written[n].append(None)
        elif healed and _alters(asked[n].reference, completion, writer):
            altered += 1
            written[n].append(None)
        elif own:
            written[n].append(completion if writer is speak else replace(completion, logprobs=None))
        else:
            ended = rationale.finish == "stop"
            written[n].append(speak.adopt(prefixes[n], rationale.text, ended, healed=healed))
    examples = [
        speak.example(prefix, one, healed=healed, weight=options.rationale.weight, sample=sample)
        for n, prefix in enumerate(prefixes)
        for sample, one in enumerate(written.get(n, [None]))
    ]
    report = replace(report, used=report.used - altered, taken_out=report.taken_out + altered)
    counted = {"rationales left out: they alter the last word of the reference": altered, ALONE: len(alone)}
    notes = Counter({what: count for what, count in counted.items() if count})
    return Lesson(examples, notes, replace(report, probed=len(first), stopping=stopping))


def forecast(learnt: Amounts, options: Options, expected: Expected) -> Forecast:
    """Rationales for a share of the records, one or several for each. Probes are not counted."""
    base, wanted = learnt.total, options.rationale
    pairs, others = learnt.where(lambda kind: kind.pairs), learnt.where(lambda kind: not kind.pairs)
    left = (pairs.times(1 - options.alone) + others).total
    chosen = left.of(round(left.records * options.rationale_fraction))
    asked = chosen.records * wanted.samples_per_pair
    length = expected.rationale_of(wanted.max_tokens)
    examples = base.of(base.records - chosen.records + asked)
    trained = examples.answered + asked * length
    prompts = wanted.samples_per_pair * (chosen.asked + chosen.answered)
    return Forecast(
        examples.records,
        examples.asked + trained,
        trained,
        Asking(asked, prompts, asked * length),
        "rationales",
        longer=1 + chosen.records * length / base.answered if base.answered else 1.0,
        alike=options.model_dump_json(
            exclude={"rationale_fraction": True, "alone": True, "filters": True, "rationale": {"weight": True}}
        ),
    )


def _alters(reference: Ids, completion: Completion, writer: Speaker) -> bool:
    """Whether the replacement for the reference's last token adds more than white space: `years` for `y`."""
    last = completion.body[:1]
    same = last in ((), reference[-1:])
    return not same and writer.decode(reference[:-1] + last).rstrip() != writer.decode(reference).rstrip()


def _sampling(options: Options, writer: Speaker, sample: int, healed: bool) -> Sampling:
    """How to draw the rationales of one round of samples."""
    wanted = options.rationale
    banned, tokens = writer.renderer.going_on if options.elicit == "ban_end" else ((), 1)
    return Sampling(
        max_tokens=wanted.max_tokens,
        stop=writer.stop,
        temperature=wanted.temperature,
        top_p=wanted.top_p,
        seed=wanted.seed + sample,
        ban_first=banned,
        logprobs=wanted.keep_logprobs,
        heal=healed,
        ban_tokens=tokens,
    )
