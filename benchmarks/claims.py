"""The claims of the RaDis paper, each held against a scorecard by a rule that stands here.

A difference counts where its p value is below 0.05 (bootstrap over test items and seeds, paired) and, of
retention, where it is larger than the noise floor. Claims of several parts are judged part by part.
"""

from collections.abc import Callable, Sequence
from typing import Any

from verdicts import AGREES, DISAGREES, NOISE, Claim, ahead, all_of, between, points, row

from dragoman.report.compare import Path, floor
from dragoman.report.phrases import MINUS, plain, signed
from dragoman.scoring.scorecard.schema import Scorecard

Facts = dict[str, Any]
RETENTION: Path = ("retention",)
TRANSLATION: Path = ("translation",)
CLOSE = 0.9  # of vanilla's gain, so that two translate about equally well
LITTLE = 0.5  # of vanilla's gain
FOLLOWING = ("instructions", "follow_up", "follow-up", "refusal")  # families for instructions and safety


def gain(card: Scorecard, name: str) -> float:
    return between(card, name, "backbone", TRANSLATION).delta


def kept(card: Scorecard, name: str) -> float:
    found: float = row(card, name)["retention"]
    return found


def most_out_of_english(card: Scorecard) -> Claim:
    out = between(card, "vanilla", "backbone", ("out_of_english",))
    into = between(card, "vanilla", "backbone", ("into_english",))
    apart, wrong = out.interval[0] > into.interval[1], into.interval[0] > out.interval[1]
    return Claim(
        "Vanilla fine-tuning gains most out of English.",
        f"out of English {points(out)} chrF++, into English {points(into)}",
        AGREES if apart else DISAGREES if wrong else NOISE,
    )


def loses_most(card: Scorecard) -> Claim:
    families = row(card, "backbone")["abilities"]
    found = {name: between(card, "vanilla", "backbone", ("families", name)) for name in families}
    order = sorted(found, key=lambda name: found[name].delta)
    following = [name for name in FOLLOWING if name in found]
    named = [found[name].delta for name in following]
    others = [found[name].delta for name in order if name not in FOLLOWING]
    worse = sum(named) / len(named) < sum(others) / len(others)
    listed = ", ".join(f"{plain(name)} {signed(found[name].delta)}" for name in order)
    return Claim(
        "It loses abilities; instructions and safety most.",
        f"it keeps {kept(card, 'vanilla'):.1f} % (RP): {points(between(card, 'vanilla', 'backbone', RETENTION))}; "
        f"points by family: {listed}. First part: RP below 100. Second: {', '.join(map(plain, following))} lose "
        "more on average than the others",
        all_of(ahead(card, "backbone", "vanilla", RETENTION), AGREES if worse else DISAGREES),
    )


def close_to_vanilla(card: Scorecard) -> Claim:
    share = gain(card, "radis") / gain(card, "vanilla")
    apart = ahead(card, "vanilla", "radis", TRANSLATION) != NOISE
    return Claim(
        "RaDis' translation is close to vanilla's (the paper: 0.4 COMET below, with gains of 5.6 and 8.9).",
        f"{points(between(card, 'radis', 'vanilla', TRANSLATION))} chrF++ to vanilla, {100 * share:.0f} % of its gain "
        f"of {gain(card, 'vanilla'):.1f}; close is {100 * CLOSE:.0f} %, or no difference that can be told",
        AGREES if not apart or share >= CLOSE else DISAGREES,
    )


def keeps_more(card: Scorecard) -> Claim:
    others = ("vanilla", "sdft_rewrite", "multitask")
    listed = "; ".join(f"to {name} {points(between(card, 'radis', name, RETENTION))}" for name in others)
    return Claim(
        "RaDis keeps more than vanilla, SDFT and multi-task.",
        f"RP {kept(card, 'radis'):.1f}; {listed}",
        all_of(*(ahead(card, "radis", name, RETENTION) for name in others)),
    )


def seq_kd(card: Scorecard) -> Claim:
    rivals = [found["name"] for found in card["rows"] if found["name"] not in ("backbone", "seq_kd")]
    best = max(rivals, key=lambda name: kept(card, name))
    share = gain(card, "seq_kd") / gain(card, "vanilla")
    return Claim(
        "Seq-KD keeps most and gains little.",
        f"RP {kept(card, 'seq_kd'):.1f}, {points(between(card, 'seq_kd', best, RETENTION))} to the next best "
        f"({best}); gains {gain(card, 'seq_kd'):.1f} chrF++, {100 * share:.0f} % of vanilla's gain; little is less "
        f"than {100 * LITTLE:.0f} %",
        all_of(ahead(card, "seq_kd", best, RETENTION), AGREES if share < LITTLE else DISAGREES),
    )


def sdft(card: Scorecard) -> Claim:
    return Claim(
        "SDFT loses translation quality (in the paper it falls below its Mistral backbone).",
        f"{points(between(card, 'sdft_rewrite', 'vanilla', TRANSLATION))} chrF++ to vanilla, "
        f"{points(between(card, 'sdft_rewrite', 'backbone', TRANSLATION))} to the backbone",
        ahead(card, "vanilla", "sdft_rewrite", TRANSLATION),
    )


def own_rationales_keep_more(card: Scorecard) -> Claim:
    return Claim(
        "Self-generated rationales keep more than a stronger model's.",
        f"RP {kept(card, 'radis'):.1f} and {kept(card, 'radis-stronger'):.1f}: "
        f"{points(between(card, 'radis', 'radis-stronger', RETENTION))}; to a weaker model's "
        f"{points(between(card, 'radis', 'radis-weaker', RETENTION))}",
        ahead(card, "radis", "radis-stronger", RETENTION),
    )


def stronger_teaches_more(card: Scorecard) -> Claim:
    return Claim(
        "A stronger model's rationales teach more translation (a reviewer of the paper: self-generated ones least).",
        f"stronger to self {points(between(card, 'radis-stronger', 'radis', TRANSLATION))} chrF++, "
        f"self to weaker {points(between(card, 'radis', 'radis-weaker', TRANSLATION))}",
        ahead(card, "radis-stronger", "radis", TRANSLATION),
    )


def stronger_beats_weaker(card: Scorecard) -> Claim:
    one, other = "radis-stronger", "radis-weaker"
    return Claim(
        "A stronger model's rationales are better than a weaker one's, in translation and in abilities (but safety).",
        f"translation {points(between(card, one, other, TRANSLATION))} chrF++, retention "
        f"{points(between(card, one, other, RETENTION))}, refusal "
        f"{points(between(card, one, other, ('families', 'refusal')))}",
        all_of(ahead(card, one, other, TRANSLATION), ahead(card, one, other, RETENTION)),
    )


COMPARED: Sequence[Callable[[Scorecard], Claim]] = (
    most_out_of_english,
    loses_most,
    close_to_vanilla,
    keeps_more,
    seq_kd,
    sdft,
    own_rationales_keep_more,
    stronger_teaches_more,
    stronger_beats_weaker,
)


def gradients(found: Facts) -> Claim:
    """A layer agrees or opposes by the sign of its cosine. The paper does not say which of two summaries it shows."""
    kinds = {"mean": "of mean gradients", "each": "mean over examples"}

    def part(name: str, kind: str, wanted: str, other: str) -> str:
        sign = found["rows"][name]["signs"][kind]
        return AGREES if sign[wanted] > sign[other] else DISAGREES if sign[wanted] < sign[other] else NOISE

    def told(name: str, kind: str, words: str) -> str:
        sign, whole = found["rows"][name]["signs"][kind], found["rows"][name]["parts"]["all layers"][kind]
        return (
            f"{words} {sign['positive']} of {sign['layers']} layers positive ({sign['surely positive']} beyond doubt), "
            f"{sign['negative']} negative ({sign['surely negative']}), {whole['cosine']:+.3f} over all layers"
        )

    listed = "; ".join(
        f"{name}: " + ", ".join(told(name, kind, words) for kind, words in kinds.items())
        for name in ("radis", "seq_kd")
    ).replace("-", MINUS)
    return Claim(
        "RaDis' regulariser agrees with the translation gradient in most layers (the paper: 25 of 32), Seq-KD's does "
        "not (negative in 24 of 32).",
        f"cosines, {listed}. Parts: radis and seq_kd by mean gradients; radis and seq_kd by examples",
        all_of(
            part("radis", "mean", "positive", "negative"),
            part("seq_kd", "mean", "negative", "positive"),
            part("radis", "each", "positive", "negative"),
            part("seq_kd", "each", "negative", "positive"),
        ),
    )


def another_skill(card: Scorecard) -> Claim:
    family = next(iter(row(card, "backbone")["skills"]))
    skill: Path = ("skills", family)
    others = ("vanilla", "sdft_rewrite")
    listed = "; ".join(
        f"to {name} {points(between(card, 'radis', name, skill))} in the skill and "
        f"{points(between(card, 'radis', name, RETENTION))} in retention"
        for name in others
    )
    return Claim(
        "With another skill, code, RaDis learns more and keeps more than vanilla and SDFT.",
        f"passed: backbone {row(card, 'backbone')['skills'][family]['score']:.1f} %, "
        + ", ".join(f"{name} {row(card, name)['skills'][family]['score']:.1f} %" for name in (*others, "radis"))
        + f"; RaDis {listed}. Parts: skill to vanilla, to SDFT; retention to vanilla, to SDFT",
        all_of(
            *(ahead(card, "radis", name, skill) for name in others),
            *(ahead(card, "radis", name, RETENTION) for name in others),
        ),
    )


def noise_of(card: Scorecard) -> str:
    least = floor(card)
    return "not measured" if least is None else f"±{least:.1f}"
