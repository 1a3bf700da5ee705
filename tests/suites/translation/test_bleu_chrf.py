"""One choice of BLEU's tokenizer, for the rows of a run and for saved outputs."""

from importlib.util import find_spec

import pytest

from dragoman.corpora.records import Pair
from dragoman.scoring.saved_outputs import corpus_scores
from dragoman.suites.translation.suite import sentence_statistics

KOREAN = "ko-mecab" if find_spec("mecab_ko") else "13a"


@pytest.mark.parametrize(
    ("language", "tokenizer"),
    [("de", "13a"), ("zh", "zh"), ("zh_TW", "zh"), ("yue", "zh"), ("ko", KOREAN), ("ko_KR", KOREAN)],
)
def test_runs_and_saved_outputs_are_split_alike(language: str, tokenizer: str) -> None:
    pair = Pair("It rains today.", "今天下雨 。 오늘 비가 온다.", "en", language)
    said = "今天下雪 。 오늘 눈이 온다."
    (counts,), signatures = sentence_statistics([pair], [said])
    (score,) = corpus_scores("bleu", {"ours": [said]}, [[pair.target]], language)
    assert f"|tok:{tokenizer}|" in signatures[pair.direction]["bleu"]
    assert f"|tok:{tokenizer}|" in score.signature
    matched = {"13a": 4, "zh": 7}
    if tokenizer in matched:
        assert counts["bleu"][2] == matched[tokenizer]
