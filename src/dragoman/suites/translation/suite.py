"""The translation suite: asks for test translations, extracts them from the answers, and counts what metrics need.

Every test pair is translated greedily, the translation is extracted from the answer, and the numbers that corpus
metrics need for each sentence are stored with it. Scores, intervals and comparisons between rows are then sums over
these numbers (`scoring/scorecard`), whichever process they are made in.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NotRequired, TypedDict

from dragoman.corpora.records import Pair
from dragoman.generation.ask import Ask, Completion, Sampling, made_in
from dragoman.recipe.judging import Evaluation
from dragoman.recipe.schema import Recipe
from dragoman.store import Digests
from dragoman.suites._suite import Count, Shown, Speaker, Suite
from dragoman.suites.translation import language_id
from dragoman.suites.translation.asides import Cut
from dragoman.suites.translation.bleu_chrf import Metric, bleu, chrf
from dragoman.suites.translation.extraction import RULES, extract

RATES = (
    "chatter",
    "empty",
    "copy",
    "wrong_language",
    "source_language",
    "over_generation",
    "cut_off",
    "extraction_failed",
)
"""What is counted of odd answers, each for itself: one answer may be several of them.

    chatter             more was said than the translation, certainly or likely: the rules of `extraction.py`
    empty               nothing was
    copy                the source over again, where the reference isn't just that
    wrong_language      the translation isn't in the target's language: the off-target rate, see `language_id.py`
    source_language     of these, those that are in the source's
    over_generation     the answer is longer than 2.5 references and 20 characters
    cut_off             it was still going on at the limit of tokens
    extraction_failed   there was something, and no translation in it, or none that could be told from the rest
"""
LONGER, MARGIN = 2.5, 20  # no reference or system of WMT22 here is so much longer than another reference


@dataclass(frozen=True, slots=True)
class Translated:
    """One test sentence: what was asked, what was answered, and its counts.

    `flags` has an entry for each of `RATES`; those about the language are None if it can't be told. A failed
    extraction is scored on the whole answer. `statistics` holds for each metric the numbers that are summed over
    sentences: counts in sacreBLEU's order, or a score and its weight. `cuts` is what stood besides the translation,
    with the rule that found it. `tokens` are those of the answer without its end, and `beyond` is how many fewer the
    translation alone takes; None in results of earlier versions.
    """

    pair: Pair
    answer: str
    hypothesis: str
    flags: Mapping[str, bool | None]
    statistics: Mapping[str, tuple[float, ...]]
    cuts: tuple[Cut, ...] = ()
    tokens: int | None = None
    beyond: int | None = None


class CutJson(TypedDict):
    """A `Cut` as stored on disk."""

    rule: str
    text: str
    taken_out: bool


class TranslatedJson(TypedDict):
    """A `Translated` as stored on disk."""

    source: str
    target: str
    source_language: str
    target_language: str
    document: str
    answer: str
    hypothesis: str
    cuts: NotRequired[list[CutJson]]
    """Earlier versions have none."""
    flags: dict[str, bool | None]
    statistics: dict[str, list[float]]
    tokens: NotRequired[int | None]
    beyond: NotRequired[int | None]


class TranslationJson(TypedDict):
    """A `TranslationResult` as stored on disk."""

    signatures: dict[str, dict[str, str]]
    made_in: NotRequired[str]
    alone: NotRequired[bool]
    items: list[TranslatedJson]


@dataclass(frozen=True, slots=True)
class TranslationResult:
    """All test sentences, and the metrics' signatures: direction → metric → signature.

    `made_in` is what the answers were made in (`ask.made_in`); empty if unknown. `alone` says that the translation
    alone was asked for.
    """

    items: tuple[Translated, ...]
    signatures: Mapping[str, Mapping[str, str]]
    made_in: str = ""
    alone: bool = False

    def with_metric(
        self, name: str, statistics: Sequence[tuple[float, ...]], signatures: Mapping[str, str]
    ) -> "TranslationResult":
        """The same with one more metric: `statistics` of each item, and a signature for each direction."""
        items = tuple(
            replace(item, statistics={**item.statistics, name: tuple(row)})
            for item, row in zip(self.items, statistics, strict=True)
        )
        told = {direction: {**names, name: signatures[direction]} for direction, names in self.signatures.items()}
        return replace(self, items=items, signatures=told)

    def to_json(self) -> TranslationJson:
        """Plain data that `from_json` reads back."""
        return {
            "signatures": {direction: dict(names) for direction, names in self.signatures.items()},
            "made_in": self.made_in,
            "alone": self.alone,
            "items": [
                {
                    "source": item.pair.source,
                    "target": item.pair.target,
                    "source_language": item.pair.source_language,
                    "target_language": item.pair.target_language,
                    "document": item.pair.document,
                    "answer": item.answer,
                    "hypothesis": item.hypothesis,
                    "cuts": [{"rule": cut.rule, "text": cut.text, "taken_out": cut.taken_out} for cut in item.cuts],
                    "flags": dict(item.flags),
                    "statistics": {name: list(counts) for name, counts in item.statistics.items()},
                    "tokens": item.tokens,
                    "beyond": item.beyond,
                }
                for item in self.items
            ],
        }

    @staticmethod
    def from_json(data: TranslationJson) -> "TranslationResult":
        items = tuple(
            Translated(
                pair=Pair(
                    row["source"], row["target"], row["source_language"], row["target_language"], row["document"]
                ),
                answer=row["answer"],
                hypothesis=row["hypothesis"],
                flags=dict.fromkeys(RATES) | row["flags"],  # None for what was not counted in those days
                statistics={name: tuple(counts) for name, counts in row["statistics"].items()},
                cuts=tuple(Cut(cut["rule"], cut["text"], cut["taken_out"]) for cut in row.get("cuts", ())),
                tokens=row.get("tokens"),
                beyond=row.get("beyond"),
            )
            for row in data["items"]
        )
        return TranslationResult(items, data["signatures"], data.get("made_in", ""), data.get("alone", False))


def translation(
    model: str, pairs: Sequence[Pair], speak: Speaker, settings: Evaluation
) -> Generator[Ask, list[Completion], TranslationResult]:
    """Asks for all test translations, greedily, and returns them with their counts.

    Raises `EngineError` before anything is asked if a metric's tokenizer is not installed.
    """
    for language in {pair.target_language for pair in pairs}:
        _metrics(language)
    completions = yield translation_ask(model, pairs, speak, settings.translation_tokens, "test translations")
    taken = [replace(one, text=speak.after(one.text, pair)) for pair, one in zip(pairs, completions, strict=True)]
    judged = judge(pairs, taken, [one.text for one in completions], alone=speak.alone)
    items = tuple(
        replace(item, tokens=len(one.body), beyond=_beyond(item, one, speak))
        for item, one in zip(judged.items, completions, strict=True)
    )
    return replace(judged, items=items)


def _beyond(item: Translated, completion: Completion, speak: Speaker) -> int:
    if item.hypothesis == item.answer.strip():
        return 0  # also where the model cut words into other tokens than its tokenizer does
    return max(0, len(completion.body) - speak.length(item.hypothesis))


def translation_ask(model: str, pairs: Sequence[Pair], speak: Speaker, max_tokens: int, purpose: str) -> Ask:
    """The request for the translations of some pairs' sources: greedy, in the wording that each source has."""
    return Ask(model, [speak.translate(pair) for pair in pairs], Sampling(max_tokens, speak.stop), purpose)


def hypothesis(answer: str, pair: Pair) -> str | None:
    """The translation in an answer, on one line if the source is on one, as it is scored; None if none was found."""
    found = extract(answer, pair.source, pair.source_language, pair.target_language)
    return _in_lines(found.text, pair) if found.found else None


def judge(
    pairs: Sequence[Pair],
    completions: Sequence[Completion],
    given: Sequence[str] | None = None,
    *,
    alone: bool = False,
) -> TranslationResult:
    """The completions of the pairs' prompts, extracted and counted.

    `given` are the original answers, if the completions are what a system's own script took from them. `alone` says
    that the translation alone was asked for.
    """
    given = given or [completion.text for completion in completions]
    extracted = [
        extract(completion.text, pair.source, pair.source_language, pair.target_language)
        for pair, completion in zip(pairs, completions, strict=True)
    ]
    scored = [_in_lines(found.text, pair) for pair, found in zip(pairs, extracted, strict=True)]
    counts, signatures = sentence_statistics(pairs, scored)
    languages = [
        language_id.found_in(found.text, pair.source_language, pair.target_language)
        for pair, found in zip(pairs, extracted, strict=True)
    ]
    items = tuple(
        Translated(
            pair=pair,
            answer=said,
            hypothesis=found.text,
            flags={
                "chatter": found.chatter,
                "empty": not found.text,
                "copy": _is_copy(found.text, pair),
                "wrong_language": language and language != "target",
                "source_language": language and language == "source",
                "over_generation": len(said.strip()) > LONGER * len(pair.target) + MARGIN,
                "cut_off": completion.finish == "length",
                "extraction_failed": bool(found.text) and not found.found,
            },
            statistics=statistics,
            cuts=found.cuts,
        )
        for pair, completion, said, found, language, statistics in zip(
            pairs, completions, given, extracted, languages, counts, strict=True
        )
    )
    told = {
        direction: {name: extracted_by(signature, alone) for name, signature in names.items()}
        for direction, names in signatures.items()
    }
    return TranslationResult(items, told, made_in(completions), alone)


def _in_lines(text: str, pair: Pair) -> str:
    return text if "\n" in pair.source else " ".join(text.split("\n"))


def extracted_by(signature: str, alone: bool = False) -> str:
    """The signature of a score with the rules by which translations were extracted, and how they were asked for."""
    return f"{signature}|extraction:{RULES}{'|asked:alone' if alone else ''}"


def sentence_statistics(
    pairs: Sequence[Pair], hypotheses: Sequence[str]
) -> tuple[list[dict[str, tuple[float, ...]]], dict[str, dict[str, str]]]:
    """Each sentence's counts for each metric, and the signatures: direction → metric → signature."""
    counts: list[dict[str, tuple[float, ...]]] = [{} for _ in pairs]
    signatures: dict[str, dict[str, str]] = {}
    for direction in dict.fromkeys(pair.direction for pair in pairs):
        chosen = [i for i, pair in enumerate(pairs) if pair.direction == direction]
        signatures[direction] = {}
        for name, metric in _metrics(pairs[chosen[0]].target_language).items():
            rows = metric._extract_corpus_statistics(
                [hypotheses[i] for i in chosen], [[pairs[i].target for i in chosen]]
            )
            signatures[direction][name] = f"{name}|{metric.get_signature()}"
            for i, row in zip(chosen, rows, strict=True):
                counts[i][name] = tuple(row)
    return counts, signatures


def told_by(rate: str, alone: bool = False) -> str:
    """What a rate's signature says of how it was determined, and of how translations were asked for."""
    if alone:
        return f"{told_by(rate)}asked:alone|"
    if rate in ("wrong_language", "source_language"):
        return f"{language_id.signature()}|extraction:{RULES}|"
    if rate == "over_generation":
        return f"longer:{LONGER}x+{MARGIN}|"
    return "rule:dragoman|" if rate in ("empty", "cut_off") else f"rule:dragoman|extraction:{RULES}|"


def _metrics(language: str) -> dict[str, Metric]:
    return {"chrf++": chrf(2), "bleu": bleu(language)}


def _is_copy(hypothesis: str, pair: Pair) -> bool:
    """Whether it is the source again, unless the reference is just that."""

    def plain(text: str) -> str:
        return "".join(character for character in text.casefold() if character.isalnum())

    return bool(plain(hypothesis)) and plain(hypothesis) == plain(pair.source) != plain(pair.target)


class Translation(Suite):
    """The pairs of `data.test`. The data stage covers what determines them."""

    kind = "translation"
    title = "translation"
    side = "skill"

    @classmethod
    def shown(cls) -> Mapping[str, Shown]:
        return {}

    def fault(self, recipe: Recipe) -> str | None:
        if recipe.data.test is not None:
            return None
        return "judges translation, but data.test names no pairs; give it some, or take the suite out"

    def inputs(self, recipe: Recipe, digests: Digests) -> None:
        return None

    def count(self, settings: Evaluation) -> Count:
        return Count(0)  # pairs are counted with the other data

    def converses(self, recipe: Recipe, own_prompt: bool) -> bool:
        return not own_prompt


SUITES = (Translation,)
