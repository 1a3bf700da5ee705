"""Dev pairs: what a training is validated on. They come from a corpus, from files, or are a share of what is learnt."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from dragoman.corpora import catalog
from dragoman.corpora.contamination import index
from dragoman.corpora.load import Rules, choose
from dragoman.corpora.records import Pair, content_key, draw
from dragoman.lab import world
from dragoman.pipeline.data.contamination import Findings
from dragoman.recipe.data.pairs import Corpus, Dev

SPARE = 2  # the lab makes so many times as many pairs, of which those that are in the test are left out


@dataclass(frozen=True, slots=True)
class DevSet:
    """The pairs to validate on, what was left out of them by reason, and warnings about them.

    `findings` compares what is to be learnt with them.
    """

    pairs: Sequence[Pair] = ()
    findings: Findings = field(default_factory=lambda: Findings(index((), ())))
    dropped: Counter[str] = field(default_factory=Counter)
    doubts: Sequence[str] = ()


def role_of(dev: Corpus) -> catalog.Role:
    """The part of a catalogue's corpus that serves as a dev set: that for validation, or a test set, or what it has."""
    entry = catalog.catalogue().get(dev.corpus or "")
    there = {part.role for part in entry.parts} if entry else set()
    wanted: tuple[catalog.Role, ...] = ("valid", "test", "train")
    return next((role for role in wanted if role in there), "valid")


def is_held_out(pair: Pair, dev: Dev) -> bool:
    """Whether a training pair is in the share that is validated on instead.

    One side's sentence alone decides, the same one in both directions, so a pair and its reverse stay together.
    """
    if dev.share is None:
        return False
    languages = (pair.source_language, pair.target_language)
    deciding = pair.source if languages[0] == min(languages) else pair.target
    return draw(content_key(deciding), "dev", dev.seed) < dev.share


def of_the_lab(dev: Corpus, directions: Sequence[str], count: int, test: Iterable[Pair]) -> list[Pair]:
    """Pairs of the lab's sentences that no training sees, other ones than those of the test."""
    known = {side for pair in test for side in (pair.source, pair.target)}
    made = world.pairs("test", directions, SPARE * count, -1 - dev.seed)  # no test has such a seed
    fresh = [pair for pair in made if known.isdisjoint((pair.source, pair.target))]
    return choose(fresh, directions, Rules(limit=count), Counter())


def dev_set(pairs: Sequence[Pair], test: Sequence[Pair], dropped: Counter[str], grammar: bool) -> DevSet:
    """The dev set of these pairs. `grammar` says that they are the lab's: then whole sentences alone are compared."""
    judged = index((), test, one_grammar=grammar)
    shared = sum(judged.find(pair) is not None for pair in pairs)
    doubts = [
        f"{shared:,} of {len(pairs):,} dev pairs (data.dev) share text with the test set: a choice by the validation "
        "loss is made with a look at the test"
    ]
    compared = "dev set (data.dev)"
    findings = Findings(index((), pairs, one_grammar=grammar, named="validation"), compared=compared)
    return DevSet(pairs, findings, dropped, doubts if shared else ())
