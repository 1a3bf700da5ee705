"""Mix-ups in a file of pairs: swapped languages, copies, a header row, shifted lines; told from a sample.

What is found is a sentence with examples, and whether it is certain. Only what no sound file shows is certain: each
rule was tried on published corpora and on the lab's, whole and in small pieces. No model is loaded but py3langid's.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from dragoman.corpora.language import NAMES, base
from dragoman.corpora.pair_sample import PairSample
from dragoman.corpora.records import Pair
from dragoman.errors import DataError
from dragoman.pipeline.data.shifted_lines import Shift, shift
from dragoman.prompts.languages import language_name
from dragoman.suites.translation.language_id import identified

LETTERS = 100  # sentences are joined to texts of so many letters before their language is told
TEXTS = 30  # at most so many of each sample
FEWEST_TEXTS = 3  # to say anything about languages
MOST_OF = 0.8  # of the texts of both sides, where swapped languages are certain
SOME_OF = 0.25  # where some are worth a word
COPIES_CERTAIN, COPIES_MANY = 0.9, 0.25  # of the pairs with words
FEWEST_PAIRS = 10
EXAMPLES = 3
SHOWN = 60  # characters of a side

_SOURCE_HEADS = frozenset({"source", "src", "source text", "source sentence", "original", "input"})
_TARGET_HEADS = frozenset({"target", "tgt", "trg", "target text", "target sentence", "translation", "reference"})


@dataclass(frozen=True, slots=True)
class MixUp:
    """What is wrong, in a sentence with examples; `certain` if no sound file looks like this."""

    sentence: str
    certain: bool


def mix_ups(sample: PairSample, *, copies_left_out: bool = False) -> list[MixUp]:
    """What a sample of some pairs tells of their file; [] if nothing looks wrong.

    `copies_left_out` says that copies are no concern, because a rule leaves them out.
    """
    pairs = list(sample)
    if not pairs:
        return []
    different = [pair for pair in pairs if not _is_copy(pair)]
    found = [_header(sample), _languages(different), None if copies_left_out else _copies(pairs)]
    return [one for one in (*found, _shifted(shift(sample.runs))) if one is not None]


def refuse_mix_ups(found: Iterable[tuple[str, MixUp]], choice: Literal["refuse", "warn"] = "refuse") -> list[str]:
    """Sentences with their places, to warn of. Raises DataError with those that are certain, unless told to warn."""
    told = [(f"{place}: {one.sentence}", one.certain and choice == "refuse") for place, one in found]
    if certain := [sentence for sentence, refused in told if refused]:
        advice = "If the files are as they should be: `data: {mix_ups: warn}` in the recipe, or --mixed-up for `init`."
        raise DataError("\n".join([*certain, advice]))
    return [sentence for sentence, _ in told]


def _header(sample: PairSample) -> MixUp | None:
    """A first row that names what the columns are: `source` and `target`, codes or names of languages."""
    first = sample.runs.get(0, ())[:1]
    if not first or sample.count < 2:
        return None
    (head,) = first
    source, target = (re.sub(r"[\W_]+", " ", side.casefold()).strip() for side in (head.source, head.target))
    ours, theirs = _names(head.source_language), _names(head.target_language)
    right = source in _SOURCE_HEADS | ours and target in _TARGET_HEADS | theirs
    swapped = source in _TARGET_HEADS | theirs and target in _SOURCE_HEADS | ours
    if not (right or swapped):
        return None
    turned = f", and it has the languages the other way round than {head.direction}" if swapped else ""
    return MixUp(
        f"the first row names the columns{turned}. It would be learnt as a translation: take it out. "
        f"{_examples(sample.runs[0])}",
        certain=True,
    )


def _names(language: str) -> frozenset[str]:
    names = {language, language.split("_")[0], base(language), language_name(language), *NAMES.get(base(language), ())}
    return frozenset(name.casefold().replace("_", " ").replace("-", " ") for name in names)


def _languages(pairs: Sequence[Pair]) -> MixUp | None:
    """Languages that are swapped, or the same on both sides."""
    if not pairs:
        return None
    source, target = pairs[0].source_language, pairs[0].target_language
    groups = list(_texts(pairs))
    groups = groups[:: max(1, len(groups) // TEXTS)][:TEXTS]
    if base(source) == base(target) or len(groups) < FEWEST_TEXTS:
        return None
    left = [identified(" ".join(pair.source for pair in group), source, target) for group in groups]
    right = [identified(" ".join(pair.target for pair in group), source, target) for group in groups]
    ours, theirs = language_name(source), language_name(target)
    turned = [group for group, one, other in zip(groups, left, right, strict=True) if (one, other) == (target, source)]
    if len(turned) >= SOME_OF * len(groups):
        certain = len(turned) >= MOST_OF * len(groups)
        return MixUp(
            f"the languages look swapped{'' if certain else ' in a part'}: {source}-{target} says {ours} to {theirs}, "
            f"but the source side is {theirs} and the target side {ours} in {_share(len(turned), len(groups))} of a "
            f"sample. Name the files the other way round, or write the direction {target}-{source}. "
            f"{_examples([group[0] for group in turned])}",
            certain,
        )
    for said, wrong, right_one, wrong_one in (
        ("target", right, theirs, source),
        ("source", left, ours, target),
    ):
        same = [group for group, one in zip(groups, wrong, strict=True) if one == wrong_one]
        if len(same) >= SOME_OF * len(groups):
            return MixUp(
                f"the {said} side looks {language_name(wrong_one)} instead of {right_one} in "
                f"{_share(len(same), len(groups))} of a sample. {_examples([group[0] for group in same])}",
                certain=False,
            )
    return None


def _texts(pairs: Sequence[Pair]) -> Iterator[list[Pair]]:
    """Neighbours whose sides together are long enough for their language to be told."""
    group: list[Pair] = []
    sides = [0, 0]
    for pair in pairs:
        group.append(pair)
        sides = [sides[0] + len(pair.source), sides[1] + len(pair.target)]
        if min(sides) >= LETTERS or max(sides) >= 3 * LETTERS:
            yield group
            group, sides = [], [0, 0]


def _copies(pairs: Sequence[Pair]) -> MixUp | None:
    """Pairs with the same words on both sides; numbers, codes and single words may well be the same."""
    if base(pairs[0].source_language) == base(pairs[0].target_language):
        return None
    worded = [pair for pair in pairs if len(re.findall(r"[^\W\d_]{2,}", pair.source)) > 1 or len(pair.source) > 20]
    same = [
        pair for pair in worded if " ".join(pair.source.casefold().split()) == " ".join(pair.target.casefold().split())
    ]
    if len(worded) < FEWEST_PAIRS or len(same) < COPIES_MANY * len(worded):
        return None
    return MixUp(
        f"source and target are the same text in {_share(len(same), len(worded))} of a sample; `drop_copies: true` "
        f"leaves such pairs out. {_examples(same)}",
        certain=len(same) >= COPIES_CERTAIN * len(worded),
    )


def _shifted(found: Shift | None) -> MixUp | None:
    if found is None:
        return None
    lines = f"{abs(found.by)} line{'s' * (abs(found.by) != 1)} {'down' if found.by > 0 else 'up'}"
    since = f" from pair {found.first + 1:,} on at the latest" if found.first else ""
    shown = "; ".join(
        f"“{_short(source)}” → “{_short(there)}”, where “{_short(fits)}” would fit"
        for source, there, fits in found.examples
    )
    return MixUp(
        f"the target side looks shifted {lines} against the source side{since}: lengths agree with the neighbour's "
        f"(correlation {found.shifted:.2f}) rather than with its own ({found.own:.2f}). Look for a line that is "
        f"missing, or one too many. Such as {shown}",
        certain=found.certain,
    )


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}".replace("%", " %")


def _examples(pairs: Sequence[Pair]) -> str:
    shown = pairs[:: max(1, len(pairs) // EXAMPLES)][:EXAMPLES]
    return "Such as " + "; ".join(f"“{_short(pair.source)}” → “{_short(pair.target)}”" for pair in shown)


def _is_copy(pair: Pair) -> bool:
    return _plain(pair.source) == _plain(pair.target)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= SHOWN else f"{plain[: SHOWN - 1]}…"
