import math

import numpy as np
import pytest
from sacrebleu.metrics import BLEU, CHRF, TER
from sacrebleu.significance import PairedTest

from dragoman.errors import DataError
from dragoman.scoring.saved_outputs import SystemScore, compared, corpus_scores, graded_score, mean_score, pooled_score
from dragoman.suites import Graded, Item

REFERENCES = [["The cat sat on the mat.", "Rain fell all day.", "Nobody came to the house."] * 7]
SYSTEMS = {
    "one": ["The cat sat on a mat.", "Rain fell all the day.", "No one came."] * 7,
    "two": ["A cat on the mat sat.", "It rained.", "Nobody came to the house."] * 7,
}
PEERS = {"bleu": BLEU(force=True), "chrf": CHRF(), "chrf++": CHRF(word_order=2), "ter": TER()}


@pytest.mark.parametrize("name", PEERS)
def test_scores_intervals_and_p_values_are_those_of_sacrebleu(name: str) -> None:
    scores = corpus_scores(name, SYSTEMS, REFERENCES)
    for score in scores:
        peer = PEERS[name].corpus_score(SYSTEMS[score.system], REFERENCES, n_bootstrap=1000)
        assert score.score == peer.score
        assert score.interval is not None
        assert (score.interval[1] - score.interval[0]) / 2 == pytest.approx(peer._ci)
        assert score.signature == f"{name}|{PEERS[name].get_signature()}"
    first, second = compared(scores)
    assert first is None
    assert second is not None
    assert second.against == "one"
    _, found = PairedTest(list(SYSTEMS.items()), {name: PEERS[name]}, REFERENCES, "bs", n_samples=1000)()
    ((theirs,),) = [values[1:] for key, values in found.items() if key != "System"]
    assert second.p == pytest.approx(theirs.p_value)


@pytest.mark.parametrize("name", PEERS)
def test_segments_are_scored_as_sacrebleu_scores_sentences(name: str) -> None:
    peer = BLEU(effective_order=True) if name == "bleu" else PEERS[name]
    (score, _) = corpus_scores(name, SYSTEMS, REFERENCES)
    expected = [
        peer.sentence_score(said, [right]).score for said, right in zip(SYSTEMS["one"], REFERENCES[0], strict=True)
    ]
    assert score.segments == tuple(expected)


def test_tokenizer_follows_the_language() -> None:
    told = {code: corpus_scores("bleu", SYSTEMS, REFERENCES, code)[0].signature for code in ("", "de", "zh_CN")}
    assert "|tok:13a|" in told[""]
    assert "|tok:13a|" in told["de"]
    assert "|tok:zh|" in told["zh_CN"]
    with pytest.raises(DataError, match="no metric 'meteor'"):
        corpus_scores("meteor", SYSTEMS, REFERENCES)


def test_means_leave_out_what_was_not_judged() -> None:
    score = mean_score("rating", "it", [2.0, None, 5.0, 5.0], "rating")
    assert (score.score, score.n, score.segments) == (4.0, 3, (2.0, None, 5.0, 5.0))
    assert score.signature == "rating|bs:1000|seed:12345"
    nothing = mean_score("rating", "it", [None, None], "rating")
    assert (nothing.score, nothing.interval, nothing.n) == (None, None, 0)


def test_shares_have_wilsons_interval() -> None:
    score = mean_score("accuracy", "it", [100.0] * 8 + [0.0] * 2, "accuracy")
    assert score.score == 80
    assert score.interval == pytest.approx((49.0162, 94.3318), abs=1e-3)  # of 8 in 10, as textbooks print it
    assert score.signature.endswith("|interval:wilson")


def test_pooled_verdicts_count_one_by_one() -> None:
    score = pooled_score("acc", "it", [(True, False, False), (True,)], "acc")
    assert (score.score, score.n) == (50.0, 4)
    assert score.segments == (pytest.approx(100 / 3), 100.0)


def test_systems_that_were_asked_other_things_are_not_compared() -> None:
    def judged(system: str, keys: str, *values: float) -> SystemScore:
        items = tuple(Item(key, value) for key, value in zip(keys, values, strict=True))
        return graded_score(Graded("talk", "instruction", "talk|judge:j", items, "/10"), system)

    one, two, other = judged("one", "ab", 2, 4), judged("two", "ab", 3, 5), judged("other", "ac", 3, 5)
    assert [found and (found.delta, found.against) for found in compared([one, two, other])] == [None, (1, "one"), None]


def test_one_metric_of_two_checkpoints_is_two_metrics() -> None:
    scores = [mean_score("comet", "it", [0.1, 0.2, 0.4], f"comet|model:{name}") for name in ("a", "b")]
    assert compared(scores) == [None, None]
    assert not math.isnan(float(np.mean(scores[0].samples)))


def test_systems_are_compared_by_what_was_judged_of_both() -> None:
    ratings = [3.0, 4.0, 5.0, 6.0, 9.0, 10.0] * 5
    items = tuple(Item(str(at), rating, group=str(at // 2)) for at, rating in enumerate(ratings))
    some = tuple(Item(one.key, None if (one.value or 0) < 5 else one.value, group=one.group) for one in items)
    scores = [
        graded_score(Graded("mt-bench", "instruction", "s", judged, "/10"), name)
        for name, judged in (("a", items), ("b", some))
    ]
    assert [score.score for score in scores] == [pytest.approx(37 / 6), 7.5]
    _, difference = compared(scores)
    assert difference is not None
    assert (difference.delta, difference.p) == (0, 1)


def test_what_passes_or_fails_is_compared_by_mcnemar() -> None:
    values = ([100.0] * 3 + [0.0] * 7, [0.0] * 9 + [100.0])
    _, difference = compared([mean_score("m", name, some, "s") for name, some in zip("ab", values, strict=True)])
    assert difference is not None
    assert difference.p == 0.625  # three lost, one won


def test_ratings_are_no_shares() -> None:
    score = graded_score(Graded("m", "instruction", "s", tuple(Item(str(at), 0.0) for at in range(20)), "/10"), "a")
    assert (score.interval, score.signature) == ((0.0, 0.0), "s|bs:1000|seed:12345")
    nothing = graded_score(Graded("m", "instruction", "s", (Item("a", None),)), "a")
    assert (nothing.score, nothing.interval, nothing.signature) == (None, None, "s|bs:1000|seed:12345")
