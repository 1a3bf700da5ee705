"""What is said of the prior systems, each claim held against a scorecard of the lab by a rule that stands here.

A difference counts where its p value is below 0.05 (bootstrap over test items and seeds, paired) and, of retention,
where it is larger than the noise floor. Claims of several parts are judged part by part.
"""

from collections.abc import Callable, Iterable, Sequence

from claims import RETENTION, TRANSLATION, kept
from verdicts import Claim, ahead, all_of, between, points

from dragoman.report.compare import Path
from dragoman.scoring.scorecard.schema import Scorecard

TRANSLATION_ONLY, WITH_INSTRUCTIONS = ("alma", "bigtrans"), ("parrot", "bayling", "tower", "x-llama")
EVERY = (*TRANSLATION_ONLY, *WITH_INSTRUCTIONS)
OUT: Path = ("out_of_english",)


def told(card: Scorecard, one: str, others: Iterable[str], path: Path, what: str) -> str:
    """By how much a row is ahead of others."""
    return "; ".join(f"{one} to {other} {points(between(card, one, other, path))} {what}" for other in others)


def listed_kept(card: Scorecard, names: Iterable[str]) -> str:
    return ", ".join(f"{name} {kept(card, name):.1f}" for name in names)


def translate(card: Scorecard) -> Claim:
    return Claim(
        "Each of them translates better than the model that it began with.",
        "; ".join(f"{name} {points(between(card, name, 'backbone', TRANSLATION))}" for name in EVERY) + " chrF++",
        all_of(*(ahead(card, name, "backbone", TRANSLATION) for name in EVERY)),
    )


def lose(card: Scorecard) -> Claim:
    return Claim(
        "Models trained on translation alone (ALMA, BigTrans) lack general ability.",
        f"RP: {listed_kept(card, TRANSLATION_ONLY)}; the rule: below the backbone's",
        all_of(*(ahead(card, "backbone", name, RETENTION) for name in TRANSLATION_ONLY)),
    )


def instructions_help(card: Scorecard) -> Claim:
    pairs = [(one, other) for one in WITH_INSTRUCTIONS for other in TRANSLATION_ONLY]
    return Claim(
        "Those with instruction data (ParroT, BayLing, TowerInstruct, x-LLaMA) keep more than those without.",
        f"RP: {listed_kept(card, WITH_INSTRUCTIONS)}, against {listed_kept(card, TRANSLATION_ONLY)}. Parts: "
        + ", ".join(f"{one} over {other}" for one, other in pairs),
        all_of(*(ahead(card, one, other, RETENTION) for one, other in pairs)),
    )


def radis_keeps_most(card: Scorecard) -> Claim:
    return Claim(
        "RaDis keeps more than any of them.",
        f"RP {kept(card, 'radis'):.1f}; {told(card, 'radis', EVERY, RETENTION, '')}",
        all_of(*(ahead(card, "radis", name, RETENTION) for name in EVERY)),
    )


def radis_translates_better(card: Scorecard) -> Claim:
    others = ("bigtrans", "bayling", "parrot")
    return Claim(
        "RaDis translates better than BigTrans, BayLing and ParroT, out of English above all.",
        f"{told(card, 'radis', others, TRANSLATION, 'chrF++')}; out of English: {told(card, 'radis', others, OUT, '')}",
        all_of(*(ahead(card, "radis", name, TRANSLATION) for name in others)),
    )


def alma_translates_best(card: Scorecard) -> Claim:
    return Claim(
        "ALMA translates better than RaDis, thanks to its monolingual stage.",
        told(card, "alma", ("radis",), TRANSLATION, "chrF++"),
        ahead(card, "alma", "radis", TRANSLATION),
    )


def tower(card: Scorecard) -> Claim:
    return Claim(
        "TowerInstruct translates better than RaDis, and keeps less.",
        f"{told(card, 'tower', ('radis',), TRANSLATION, 'chrF++')}; RP {kept(card, 'tower'):.1f} and "
        f"{kept(card, 'radis'):.1f}. Parts: translation, retention",
        all_of(ahead(card, "tower", "radis", TRANSLATION), ahead(card, "radis", "tower", RETENTION)),
    )


def cpo_lowers_overlap(card: Scorecard) -> Claim:
    return Claim(
        "CPO lowers scores of overlap with the reference (published: 2.7 BLEU less, over ten directions).",
        told(card, "alma-r", ("alma",), TRANSLATION, "chrF++"),
        ahead(card, "alma", "alma-r", TRANSLATION),
    )


def keep_beside_them(card: Scorecard) -> Claim:
    return Claim(
        "(Ours.) `keep` keeps more than any of them.",
        f"RP {kept(card, 'keep'):.1f}; {told(card, 'keep', EVERY, RETENTION, '')}",
        all_of(*(ahead(card, "keep", name, RETENTION) for name in EVERY)),
    )


CLAIMS: Sequence[Callable[[Scorecard], Claim]] = (
    translate,
    lose,
    instructions_help,
    radis_keeps_most,
    radis_translates_better,
    alma_translates_best,
    tower,
    cpo_lowers_overlap,
    keep_beside_them,
)
