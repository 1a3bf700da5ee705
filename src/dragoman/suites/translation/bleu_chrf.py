"""sacreBLEU's BLEU and chrF, with the tokenizer for the target's language."""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Protocol

from dragoman.corpora.language import base
from dragoman.errors import EngineError

_TOKENIZERS = {"zh": "zh", "yue": "zh", "ja": "ja-mecab", "ko": "ko-mecab"}
"""As sacreBLEU recommends them; Cantonese is split like Chinese, all other languages by `13a`."""
_KOREAN = "mecab_ko"  # the package behind ko-mecab; Korean has spaces, so 13a will do without


class Result(Protocol):
    """A score of sacreBLEU's."""

    @property
    def score(self) -> float: ...


class Metric(Protocol):
    """What is used of a metric of sacreBLEU's. `n_bootstrap` and `seed` are told in its signature."""

    n_bootstrap: int
    seed: int

    def get_signature(self) -> object: ...

    def _extract_corpus_statistics(
        self, hypotheses: Sequence[str], references: Sequence[Sequence[str]] | None
    ) -> list[list[float]]:
        """The counts of each sentence; without `references`, against those that the metric was made with."""

    def _aggregate_and_compute(self, rows: Sequence[Sequence[float]]) -> Result: ...

    def _compute_score_from_stats(self, row: Sequence[float]) -> Result: ...


class Bleu(Metric, Protocol):
    """BLEU, of which the score of a single sentence takes options of its own."""

    max_ngram_order: int
    smooth_method: str
    smooth_value: float | None

    def compute_bleu(
        self,
        *,
        correct: list[int],
        total: list[int],
        sys_len: int,
        ref_len: int,
        smooth_method: str,
        smooth_value: float | None,
        effective_order: bool,
        max_ngram_order: int,
    ) -> Result: ...


def bleu(language: str, references: Sequence[Sequence[str]] | None = None) -> Bleu:
    """BLEU for translations into a language; empty: one that is split by `13a`. Its signature names the tokenizer.

    Korean is split by `13a` if its own tokenizer is not installed. EngineError if that of Japanese is not.
    """
    from sacrebleu.metrics import BLEU

    tokenizer = _tokenizer(language)
    try:
        made: Bleu = BLEU(tokenize=tokenizer, force=True, references=references)
    except (RuntimeError, ImportError) as error:
        raise EngineError(f"BLEU into {language} needs sacreBLEU's tokenizer {tokenizer}: {error}") from error
    return made


def chrf(word_order: int, references: Sequence[Sequence[str]] | None = None) -> Metric:
    """chrF with n-grams of so many words: 0 is chrF, 2 is chrF++."""
    from sacrebleu.metrics import CHRF

    made: Metric = CHRF(word_order=word_order, references=references)
    return made


def ter(references: Sequence[Sequence[str]]) -> Metric:
    """Translation edit rate."""
    from sacrebleu.metrics import TER

    made: Metric = TER(references=references)
    return made


def _tokenizer(language: str) -> str:
    found = _TOKENIZERS.get(base(language) if language else "", "13a")
    return "13a" if found == "ko-mecab" and not find_spec(_KOREAN) else found
