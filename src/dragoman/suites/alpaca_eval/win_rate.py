"""AlpacaEval's win rate: preferences read from a judge's words or log-probabilities, and their mean.

A preference is 1 for the baseline, 2 for the model, 1.5 for a draw, or anything between; the win rate is the mean of
the part above 1. The length-controlled rate needs difficulties of the instructions that are not published with the
data, so the difference of the lengths is given instead.
"""

import ast
import math
import random
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dragoman import __version__
from dragoman.corpora.records import content_key
from dragoman.suites._graded import Graded, Item

DRAW = 1.5
_FIRST_MODEL = "model_1"  # as AlpacaEval 1 calls the answer that is shown first


@dataclass(frozen=True, slots=True)
class Comparison:
    """One instruction: the model's answer, the baseline's, and the preference; None, with the reason, if undecided."""

    instruction: str
    baseline: str
    subject: str = ""
    answer: str | None = None
    preference: float | None = None
    why: str = ""
    told: Mapping[str, object] = field(default_factory=dict)


def interchanged(instruction: str) -> bool:
    """Whether the judge sees the model's answer first; depends only on the instruction, as in the published results."""
    return random.Random(f"is_switched_outputs{instruction}0").random() >= 0.5


def ranked(judgement: str, turned: bool) -> float | None:
    """The preference in a ranking: a Python list of dictionaries, one of which ranks `model_1` first or second.

    None for anything else.
    """
    try:  # what another model wrote
        with warnings.catch_warnings(action="ignore"):
            found = ast.literal_eval(judgement.strip())
        rank = next(entry["rank"] for entry in found if entry["model"] == _FIRST_MODEL)
    except (ValueError, SyntaxError, TypeError, KeyError, StopIteration, MemoryError, RecursionError):
        return None
    if rank not in (1, 2):
        return None
    return float(3 - rank if turned else rank)


def weighted(
    likely: Sequence[tuple[str, float]], turned: bool, first: str = "m", second: str = "M"
) -> tuple[float, float] | None:
    """The preference by the log-probabilities of the first token, and the total probability of the two words.

    A token counts if it reads exactly as the word; if several do (a vocabulary may have one for the beginning of a
    word and one for its inside), their probabilities are added. A word that is not among the most likely has
    probability 0. None if neither word is there, or the values are not log-probabilities.
    """
    if not all(value < 1 for _, value in likely):  # as NaN is not; rounding may lift one a little above 0
        return None
    one, other = (math.fsum(math.exp(value) for text, value in likely if text == token) for token in (first, second))
    if not one + other:
        return None
    share = one / (one + other)
    return (1 + share if turned else 2 - share), one + other


def graded(
    name: str, signature: str, judged: Sequence[Comparison], notes: Mapping[str, int], facts: Mapping[str, object]
) -> Graded:
    """The win rate over what was judged."""
    keys, seen = [], Counter[str]()
    for each in judged:
        key = content_key(each.instruction)
        seen[key] += 1
        keys.append(f"{key}#{seen[key]}" if seen[key] > 1 else key)
    items = tuple(
        Item(
            key,
            None if each.preference is None else 100 * (each.preference - 1),
            each.subject,
            {"instruction": each.instruction, "answer": each.answer, "preference": each.preference}
            | ({"why": each.why} if each.why else {})
            | dict(each.told),
        )
        for key, each in zip(keys, judged, strict=True)
    )
    counted = Counter(each.why for each in judged if each.why) + Counter(notes)
    signature = f"{signature}|version:dragoman-{__version__}"
    return Graded(name, "instruction", signature, items, notes=dict(counted), facts={**facts, **_facts(judged)})


def _facts(judged: Sequence[Comparison]) -> dict[str, float]:
    """What a leaderboard shows besides the win rate."""
    gains = [each.preference - 1 for each in judged if each.preference is not None]
    wins, losses = sum(gain > 0.5 for gain in gains), sum(gain < 0.5 for gain in gains)
    draws = len(gains) - wins - losses
    facts: dict[str, float] = {"wins": wins, "losses": losses, "draws": draws, "n": len(gains)}
    if gains:
        facts["discrete win rate"] = 100 * (wins / len(gains) + 0.5 * draws / len(gains))
    if len(gains) > 1:
        mean = math.fsum(gains) / len(gains)
        variance = math.fsum((gain - mean) ** 2 for gain in gains) / (len(gains) - 1)
        facts["standard error"] = math.sqrt(variance) / math.sqrt(len(gains)) * 100
    lengths = [(len(each.answer), len(each.baseline)) for each in judged if each.answer is not None]
    if lengths:
        own, other = (sum(side) / len(lengths) for side in zip(*lengths, strict=True))
        facts |= {"characters": own, "baseline characters": other, "length difference": own - other}
    masses = [mass for each in judged if isinstance(mass := each.told.get("mass"), int | float)]
    if masses:
        facts["probability of a verdict"] = sum(masses) / len(masses)
    return facts
