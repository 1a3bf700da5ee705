"""RaDis: the reference, continued by the backbone's own rationale, and trained on both."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from dragoman.corpora.records import Pair, draw
from dragoman.generation.ask import Ask, Sampling
from dragoman.generation.door import tally
from dragoman.methods import Lesson, Making, MethodOptions
from dragoman.prompts.speak import Speaker
from dragoman.recipe.schema import Fraction, Positive, Strict

PROBED = 256  # prefixes of a chunk on which the share of immediate endings is measured


class Rationale(Strict):
    """How rationales are drawn."""

    max_tokens: Positive = 512
    """Longest rationale; one that is cut off here is counted, and its end is not trained."""
    temperature: float = 0.0
    """0 is greedy, as in the paper."""
    top_p: Fraction = 1.0
    """Share of the probability that sampling may draw from."""
    seed: int = 0
    """Seed of sampled rationales."""


class Options(MethodOptions):
    rationale: Rationale = Rationale()
    """How rationales are drawn."""
    elicit: Literal["ban_end", "natural"] = "ban_end"
    """`ban_end`: the backbone may not stop right after the reference. `natural`: it may; no rationale then."""
    rationale_fraction: Fraction = 1.0
    """Share of the examples that carry a rationale; the others are plain references."""


def radis(pairs: Sequence[Pair], speak: Speaker, options: Options) -> Making:
    """r ~ P(y, x, I; θ) (equation 1); L = -log P(y | x, I) - log P(r | y, x, I) (equations 2 and 4)."""
    prefixes = [speak.prefix(pair) for pair in pairs]
    enriched = [prefix for prefix in prefixes if draw(prefix.key, "rationale") < options.rationale_fraction]
    notes: Counter[str] = Counter()

    probed = sorted(enriched, key=lambda prefix: draw(prefix.key, "probe"))[:PROBED]
    first = yield Ask(
        "backbone", [prefix.ids for prefix in probed], Sampling(1, speak.stop), "would the backbone stop at once?"
    )
    notes["probed"] += len(first)
    notes["of the probed would have stopped at once"] += sum(completion.finish == "stop" for completion in first)

    sampling = Sampling(
        **options.rationale.model_dump(),
        stop=speak.stop,
        ban_first=speak.stop if options.elicit == "ban_end" else (),
    )
    rationales = yield Ask("backbone", [prefix.ids for prefix in enriched], sampling, "rationales")
    counts = tally(rationales)
    notes.update(
        {
            "rationales": counts.total,
            "rationales cut off": counts.cut,
            "rationales empty": counts.empty,
            "rationales that loop": counts.looping,
        }
    )
    of = {prefix.key: rationale for prefix, rationale in zip(enriched, rationales, strict=True)}
    return Lesson([speak.example(prefix, of.get(prefix.key)) for prefix in prefixes], notes)
