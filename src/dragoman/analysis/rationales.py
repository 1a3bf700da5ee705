"""Topics of rationales: a sample of every direction, sorted into eight categories (RaDis, section 5.1).

The paper has eight categories too (its Table 4), but the table's rows are lost in the copy that this was written
from, and only the end of the list in section 3.1 is left. `Category.origin` says where every name is from: what the
paper's text or figures still show, or our own reading. So shares should not be compared with the paper's row by row.
"""

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from dragoman.analysis.results import Share, Tabulated, TopicExample, TopicItem
from dragoman.corpora.records import draw
from dragoman.scoring.statistics import wilson

SCHEMA = 1
EXAMPLES = 3  # examples printed for each category
SHORT = 160  # longest example, in characters
UNREAD = 5  # unreadable answers of a judge that are kept, to look at

Labels = frozenset[str]


@dataclass(frozen=True, slots=True)
class Category:
    """One of the eight categories. `name` is for programs; `content` is the description given to a judge."""

    name: str
    title: str
    content: str
    origin: str


CATEGORIES: tuple[Category, ...] = (
    Category(
        "words",
        "word or phrase translation",
        "says what single words or phrases of the sentence mean, or how they are translated",
        "the caption of the paper's Figure 6, and its section 5.1 (word alignments)",
    ),
    Category(
        "alternative",
        "alternative translation",
        "gives another translation of the whole sentence, or another word or phrase for a part of the translation",
        "the caption of the paper's Figure 7",
    ),
    Category(
        "grammar",
        "grammar",
        "explains grammar: tense, gender, number, case, word order, parts of speech, articles, agreement",
        "ours: of section 3.1 only “… analysis” is left",
    ),
    Category(
        "meaning",
        "sentence meaning",
        "explains or sums up what the sentence means as a whole",
        "section 3.1: explanations of the overall sentence meaning",
    ),
    Category(
        "facts",
        "facts about the sentence",
        "gives facts about what the sentence speaks of: who or what, when, where, how many, and what is known of it",
        "sections 3.1 and 5.1: factual information about the sentence, factual knowledge",
    ),
    Category(
        "style",
        "style and register",
        "comments on tone, style, formality or register",
        "ours",
    ),
    Category(
        "usage",
        "cultural or usage notes",
        "says when, where or by whom something is said, or explains customs and cultural background",
        "ours",
    ),
    Category(
        "other",
        "other",
        "anything else, such as an offer of more help or remarks that fit nowhere above",
        "section 3.1: other details",
    ),
)
NAMES = tuple(category.name for category in CATEGORIES)
NOTE = (
    "The paper's own list of eight categories is partly lost in the copy that this was written from. From its text and "
    "figures: word or phrase translation, alternative translation, sentence meaning, facts about the sentence, other "
    "(“other details”). Ours: grammar (only “… analysis” is left of that place), style and register, cultural or usage "
    "notes. Shares do not sum to 100 %: a rationale may be of several categories."
)


@dataclass(frozen=True, slots=True)
class Sampled:
    """A rationale and the pair it belongs to, as text."""

    key: str
    direction: str
    source: str
    request: str
    reference: str
    rationale: str

    @property
    def blank(self) -> bool:
        """Only white space, so there is nothing to classify."""
        return not self.rationale.strip()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The categories of a rationale; None if a judge's answer could not be read.

    `answer` is what the judge said. `passages` are the parts that belong to a category, where known.
    """

    labels: Labels | None
    answer: str = ""
    passages: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.labels is not None and (not self.labels or not self.labels <= set(NAMES)):
            raise ValueError(f"{sorted(self.labels)} should be one or more of {', '.join(NAMES)}")


@dataclass(frozen=True, slots=True)
class _Classified:
    """A rationale whose categories are known."""

    about: Sampled
    labels: Labels
    passages: Mapping[str, str]

    def shown(self, category: str) -> str:
        """The text to print as an example of a category."""
        return shortened(self.passages.get(category, self.about.rationale))


def sample(keys: Iterable[tuple[str, str]], count: int, seed: int) -> dict[str, list[str]]:
    """`count` keys of each direction: (key, direction) → direction → keys.

    The choice depends only on keys and seed, not on their order; directions are sorted.
    """
    by_direction: dict[str, set[str]] = {}
    for key, direction in keys:
        by_direction.setdefault(direction, set()).add(key)
    return {
        direction: heapq.nsmallest(count, found, key=lambda key: (draw(key, "categories", seed), key))
        for direction, found in sorted(by_direction.items())
    }


def tabulate(sampled: Sequence[Sampled], verdicts: Sequence[Verdict | None]) -> Tabulated:
    """The table as plain data: shares in percent with Wilson's 95 % intervals, overall and for each direction.

    A verdict is None for a blank rationale. Blank rationales and unreadable verdicts are counted, but are not part of
    any share.
    """
    judged = [
        _Classified(one, verdict.labels, verdict.passages)
        for one, verdict in zip(sampled, verdicts, strict=True)
        if verdict is not None and verdict.labels is not None
    ]
    directions = sorted({one.direction for one in sampled})
    labels = sum(len(one.labels) for one in judged)
    unread = [verdict.answer for verdict in verdicts if verdict is not None and verdict.labels is None]
    return {
        "schema": SCHEMA,
        "sampled": len(sampled),
        "blank": sum(one.blank for one in sampled),
        "unparsed": len(unread),
        "unparsed_answers": [shortened(answer) for answer in unread[:UNREAD]],
        "judged": len(judged),
        "labels_per_rationale": labels / len(judged) if judged else None,
        "how_many_labels": {
            str(size): count for size, count in sorted(Counter(len(one.labels) for one in judged).items())
        },
        "directions": {
            direction: {
                "sampled": sum(one.direction == direction for one in sampled),
                "judged": sum(one.about.direction == direction for one in judged),
            }
            for direction in directions
        },
        "categories": [
            {
                "name": category.name,
                "title": category.title,
                "content": category.content,
                "origin": category.origin,
                **_share(category.name, judged),
                "directions": {
                    direction: _share(category.name, [one for one in judged if one.about.direction == direction])
                    for direction in directions
                },
                "examples": _examples(category.name, judged),
            }
            for category in CATEGORIES
        ],
        "note": NOTE,
        "items": [_item(one, verdict) for one, verdict in zip(sampled, verdicts, strict=True)],
    }


def shortened(text: str, longest: int = SHORT) -> str:
    """The text on one line, cut between words if it is too long."""
    line = " ".join(text.split())
    if len(line) <= longest:
        return line
    return f"{line[: longest - 1].rpartition(' ')[0] or line[: longest - 1]} …"


def _share(category: str, judged: Sequence[_Classified]) -> Share:
    count, of = sum(category in one.labels for one in judged), len(judged)
    return {
        "count": count,
        "of": of,
        "share": 100 * count / of if of else None,
        "interval": list(wilson(count, of)) if of else None,
    }


def _examples(category: str, judged: Sequence[_Classified]) -> list[TopicExample]:
    """Examples of a category: those with the fewest other categories first, directions in turn, none that was shown
    before.
    """
    ordered = sorted(
        (one for one in judged if category in one.labels), key=lambda one: (len(one.labels), one.about.key)
    )
    chosen: dict[str, _Classified] = {}
    turns: Counter[str] = Counter()
    while len(chosen) < EXAMPLES and (left := [one for one in ordered if one.shown(category) not in chosen]):
        best = min(left, key=lambda one: (turns[one.about.direction], len(one.labels), one.about.key))
        chosen[best.shown(category)] = best
        turns[best.about.direction] += 1
    return [
        {
            "direction": one.about.direction,
            "source": shortened(one.about.source),
            "reference": shortened(one.about.reference),
            "rationale": shown,
        }
        for shown, one in chosen.items()
    ]


def _item(one: Sampled, verdict: Verdict | None) -> TopicItem:
    labels: Literal["blank", "unparsed"] | list[str]
    if verdict is None:
        labels = "blank"
    elif verdict.labels is None:
        labels = "unparsed"
    else:
        labels = [name for name in NAMES if name in verdict.labels]
    item: TopicItem = {
        "key": one.key,
        "direction": one.direction,
        "source": one.source,
        "request": one.request,
        "reference": one.reference,
        "rationale": one.rationale,
        "categories": labels,
    }
    if verdict is not None and verdict.answer:
        item["answer"] = verdict.answer
    return item
