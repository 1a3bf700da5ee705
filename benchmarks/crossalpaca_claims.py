"""The claims of the CrossAlpaca paper, each held against a scorecard by a rule that stands here.

The paper judges each model in its own language and compares averages over languages; so do these rules. A claim is
judged for each benchmark on the mean over the foreign languages, and counts where its p value is below 0.05 (bootstrap
over questions and seeds; `verdicts.contrast` says how means and slopes come by theirs). What the paper does not claim
is measured and gets no verdict.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from crossalpaca_paper import ALPACA, CROSS, below_english, gain
from verdicts import AGREES, DISAGREES, NOISE, Claim, all_of, contrast, points, row, sign

from dragoman.report.compare import SIGNIFICANT, Difference
from dragoman.report.families import benchmarks, score
from dragoman.report.phrases import number, signed
from dragoman.scoring.scorecard.schema import Scorecard

QA = ("qa", "xquad", "mlqa")  # benchmarks on reading; all others are of many tasks
BETWEEN = (0.25, 0.5, 0.75)
KEPT = 2.0  # points: a loss that is surely smaller is none
NO_VERDICT = "no claim"


def number_of(card: Scorecard, name: str, family: str, measure: str) -> tuple[float, Sequence[float]]:
    """The score of a row in a family, or its F1, with the interval."""
    found = score(row(card, name), family)
    assert found is not None, f"{name} was not asked {family}"
    value, interval = found["score"], found["interval"]
    if measure == "f1":
        assert found["f1"] is not None, f"{family} has no F1"
        value, interval = found["f1"]["score"], found["f1"]["interval"]
    assert value is not None, f"nothing of {family} was judged of {name}"
    assert interval is not None, f"nothing of {family} was judged of {name}"
    return value, interval


Weights = Mapping[tuple[str, str], float]


@dataclass(frozen=True, slots=True)
class Study:
    """A scorecard with rows `x-alpaca`, `x-cross`, `x-cross-AMOUNT`, `x-cross-DIRECTION`, and what it was judged on."""

    card: Scorecard
    benchmarks: tuple[str, ...]
    """In the order asked: `qa`, `choice`, `reasoning`."""
    foreign: tuple[str, ...]

    @staticmethod
    def of(card: Scorecard) -> "Study":
        found = benchmarks(card)
        names = {one["name"] for one in card["rows"]}
        languages = dict.fromkeys(parts.language for parts in found)
        foreign = tuple(code for code in languages if code != "en" and f"{code}-cross" in names)
        return Study(card, tuple(dict.fromkeys(parts.name for parts in found)), foreign)

    @property
    def reading(self) -> tuple[str, ...]:
        return tuple(name for name in self.benchmarks if name in QA)

    @property
    def tasks(self) -> tuple[str, ...]:
        return tuple(name for name in self.benchmarks if name not in QA)

    def score(self, name: str, family: str, measure: str = "score") -> float:
        """Of a row in a family; `measure` is `score` (exact match), or `f1`."""
        return number_of(self.card, name, family, measure)[0]

    def against(self, benchmark: str, one: str, other: str) -> Difference:
        """How far row `one` is ahead of `other`, a mean over the foreign languages; `{x}` in a name is the language."""
        return contrast(self.card, self.gap(benchmark, one, other))

    def gap(self, benchmark: str, one: str, other: str, share: float = 1.0) -> Weights:
        weights: dict[tuple[str, str], float] = {}
        for x in self.foreign:
            for name, weight in ((one, share), (other, -share)):
                key = (name.format(x=x), f"{benchmark}-{x}")
                weights[key] = weights.get(key, 0.0) + weight / len(self.foreign)
        return weights

    def below_english(self, benchmark: str, one: str) -> Difference:
        """How far `en-alpaca` in English is ahead of row `one` in its own language: other questions, so unpaired."""
        own = {(one.format(x=x), f"{benchmark}-{x}"): -1 / len(self.foreign) for x in self.foreign}
        return contrast(self.card, {("en-alpaca", f"{benchmark}-en"): 1.0, **own})

    def slope(self, benchmark: str, amounts: Sequence[float]) -> Difference:
        """Points that all demonstrations add, by a straight line through the amounts; a mean over languages."""
        middle = fmean(amounts)
        below = sum((amount - middle) ** 2 for amount in amounts)
        return contrast(
            self.card,
            {
                (amounted(x, amount), f"{benchmark}-{x}"): (amount - middle) / below / len(self.foreign)
                for x in self.foreign
                for amount in amounts
            },
        )


def amounted(x: str, amount: float) -> str:
    """The row of a language with so many demonstrations."""
    return f"{x}-alpaca" if amount == 0 else f"{x}-cross" if amount == 1 else f"{x}-cross-{amount}"


def by_benchmark(names: Sequence[str], found: Callable[[str], Difference]) -> tuple[list[Difference], str]:
    """The differences, and in words."""
    differences = [found(name) for name in names]
    told = (f"{name} {points(one)}" for name, one in zip(names, differences, strict=True))
    return differences, ", ".join(told)


def judged(found: Sequence[Difference]) -> str:
    return all_of(*map(sign, found))


def translated_is_not_enough(study: Study) -> Claim:
    found, told = by_benchmark(study.benchmarks, lambda name: study.below_english(name, "{x}-alpaca"))
    _, asked = by_benchmark(study.benchmarks, lambda name: study.against(name, "{x}-alpaca", "en-alpaca"))
    return Claim(
        "Translated instructions alone are not enough: x-Alpaca in its language is below en-Alpaca in English (the "
        f"paper: by {below_english(ALPACA)}).",
        f"en-Alpaca in English less x-Alpaca in x: {told}. Parts in this order. Beside it, on the same questions in x, "
        f"x-Alpaca less en-Alpaca: {asked}",
        judged(found),
    )


def demonstrations_help(study: Study) -> Claim:
    found, told = by_benchmark(study.benchmarks, lambda name: study.against(name, "{x}-cross", "{x}-alpaca"))
    each = "; ".join(
        f"{x}: "
        + ", ".join(
            f"{name} {signed(study.score(f'{x}-cross', f'{name}-{x}') - study.score(f'{x}-alpaca', f'{name}-{x}'))}"
            for name in study.benchmarks
        )
        for x in study.foreign
    )
    return Claim(
        f"Demonstrations help in the foreign language (the paper: by {gain()}).",
        f"x-CrossAlpaca less x-Alpaca in x: {told}. By language {each}. Parts: {', '.join(study.benchmarks)}",
        judged(found),
    )


def more_help_more(study: Study) -> Claim:
    amounts = (0.0, *BETWEEN, 1.0)
    found, told = by_benchmark(study.benchmarks, lambda name: study.slope(name, amounts))
    _, later = by_benchmark(study.benchmarks, lambda name: study.slope(name, amounts[1:]))
    means = "; ".join(
        f"{name} "
        + ", ".join(
            number(fmean(study.score(amounted(x, amount), f"{name}-{x}") for x in study.foreign)) for amount in amounts
        )
        for name in study.benchmarks
    )
    return Claim(
        "More demonstrations help more; less so in the multi-task benchmarks.",
        f"means at 0, 25, 50, 75 and 100 %: {means}. Slope of a straight line through all five, in points for all "
        f"demonstrations: {told}; from 25 % on: {later}. Parts: the slopes through all five",
        judged(found),
    )


def out_of_english_helps_more(study: Study) -> Claim:
    found, told = by_benchmark(study.reading, lambda name: study.against(name, "{x}-cross-en-x", "{x}-cross-x-en"))
    _, others = by_benchmark(study.tasks, lambda name: study.against(name, "{x}-cross-en-x", "{x}-cross-x-en"))
    return Claim(
        "Demonstrations en→x help more than x→en; the multi-task benchmarks hardly move.",
        f"en→x less x→en, in x: {told}; and without a verdict: {others}",
        judged(found),
    )


def one_direction_is_less(study: Study) -> Claim:
    ways = {"en→x": "{x}-cross-en-x", "x→en": "{x}-cross-x-en"}
    pairs = [(name, way, label) for name in study.reading for way, label in ways.items()]
    found = [study.against(name, "{x}-cross", label) for name, _, label in pairs]
    told = ", ".join(f"{name} less {way} {points(one)}" for (name, way, _), one in zip(pairs, found, strict=True))
    fair = ", ".join(
        f"{name} less {way} {points(study.against(name, '{x}-cross-0.5', label))}" for name, way, label in pairs
    )
    others = ", ".join(
        f"{name} less {way} {points(study.against(name, '{x}-cross', label))}"
        for name in study.tasks
        for way, label in ways.items()
    )
    return Claim(
        "One direction is below both.",
        f"both, in x: {told}. One direction has half of the demonstrations; half of both, in x: {fair}. Without a "
        f"verdict, all of both: {others}",
        judged(found),
    )


def reading_gains_most(study: Study) -> Claim:
    weights: dict[tuple[str, str], float] = {}
    for names, share in ((study.reading, 1.0), (study.tasks, -1.0)):
        for name in names:
            weights |= study.gap(name, "{x}-cross", "{x}-alpaca", share / len(names))
    found = contrast(study.card, weights)
    return Claim(
        "The gain is larger in question answering than in the multi-task benchmarks.",
        f"gain in {', '.join(study.reading)} less mean gain in {' and '.join(study.tasks)}: {points(found)}",
        sign(found),
    )


def english_stays_ahead(study: Study) -> Claim:
    found, told = by_benchmark(study.benchmarks, lambda name: study.below_english(name, "{x}-cross"))
    return Claim(
        f"CrossAlpaca does not reach en-Alpaca in English (the paper: below by {below_english(CROSS)}).",
        f"en-Alpaca in English less x-CrossAlpaca in x: {told}",
        judged(found),
    )


def english_is_kept(study: Study) -> Claim:
    share = 1 / len(study.benchmarks)

    def kept(other: str) -> Difference:
        weights: dict[tuple[str, str], float] = {}
        for name in study.benchmarks:
            for x in study.foreign:
                for label, sense in ((f"{x}-cross", share), (other.format(x=x), -share)):
                    key = (label, f"{name}-en")
                    weights[key] = weights.get(key, 0.0) + sense / len(study.foreign)
        return contrast(study.card, weights)

    found = {"x-Alpaca": kept("{x}-alpaca"), "the backbone": kept(study.card["backbone"])}
    told = ", ".join(f"to {whom} {points(one)}" for whom, one in found.items())
    return Claim(
        "English keeps what it had (not measured in the paper, which asks each model in its own language).",
        f"x-CrossAlpaca in English, mean over {', '.join(study.benchmarks)}: {told}. Kept is where the whole interval "
        f"lies above −{KEPT:g}; lost where it does not and p < 0.05 below 0. Parts in this order",
        all_of(*map(_keeps, found.values())),
    )


def _keeps(found: Difference) -> str:
    if found.interval[0] > -KEPT:
        return AGREES
    return DISAGREES if found.p < SIGNIFICANT and found.delta < 0 else NOISE


CLAIMS: Sequence[Callable[[Study], Claim]] = (
    translated_is_not_enough,
    demonstrations_help,
    more_help_more,
    out_of_english_helps_more,
    one_direction_is_less,
    reading_gains_most,
    english_stays_ahead,
    english_is_kept,
)


def beyond(study: Study) -> list[Claim]:
    """What the paper does not ask: rationales, one model for all languages, English instructions. No verdicts."""
    pairs = [("Demonstrations with rationales", "{x}-cross-rationales"), ("One model for all", "multi-cross")]
    pairs += [("English instructions", "en-cross")]
    names = {one["name"] for one in study.card["rows"]}
    return [
        _measured(study, title, label.format(x=x), f"{x}-cross", (x, "en"))
        for title, label in pairs
        for x in study.foreign
        if label.format(x=x) in names
    ]


def _measured(study: Study, title: str, one: str, other: str, languages: Sequence[str]) -> Claim:
    told = "; ".join(
        f"in {x}: "
        + ", ".join(
            f"{name} {points(contrast(study.card, {(one, f'{name}-{x}'): 1.0, (other, f'{name}-{x}'): -1.0}))}"
            for name in study.benchmarks
        )
        for x in languages
    )
    return Claim(f"{title} ({one} less {other})", told, NO_VERDICT)
