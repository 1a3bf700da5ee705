"""The translation suite: what it asks, what it counts, and its scores against sacreBLEU's on real files."""

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from dragoman.corpora.records import Pair
from dragoman.errors import EngineError
from dragoman.generation.ask import Ask, Completion, Ids, Sampling
from dragoman.recipe.judging import Evaluation
from dragoman.scoring.statistics import bleu, chrf
from dragoman.suites.translation.bleu_chrf import bleu as sacrebleu_bleu
from dragoman.suites.translation.extraction import RULES
from dragoman.suites.translation.language_id import found_in
from dragoman.suites.translation.suite import (
    RATES,
    TranslationResult,
    hypothesis,
    judge,
    sentence_statistics,
    told_by,
    translation,
)
from tests.suites.mute import Mute


class Letters(Mute):
    """A speaker whose token ids are the source's letters."""

    stop: Ids = (0,)

    def translate(self, pair: Pair) -> Ids:
        return tuple(map(ord, pair.source))

    def after(self, answer: str, pair: Pair) -> str:
        return answer

    def length(self, text: str) -> int:
        return len(text)


def completion(text: str, finish: str = "stop") -> Completion:
    return Completion(tuple(map(ord, text)), text, finish)  # type: ignore[arg-type]


DE_EN = [
    Pair("Der Hund schläft in dem Garten.", "The dog sleeps in the garden.", "de", "en"),
    Pair("Die Katze ist alt.", "The cat is old.", "de", "en"),
    Pair("Berlin.", "Berlin.", "de", "en"),
    Pair("Das ist nicht gut.", "This is not good.", "de", "en"),
    Pair("Er kommt.", "He comes.", "de", "en"),
]


def test_it_asks_once_greedily_and_returns_what_was_answered() -> None:
    suite = translation("radis", DE_EN, Letters(), Evaluation(translation_tokens=77))
    ask = next(suite)
    prompts = [tuple(map(ord, pair.source)) for pair in DE_EN]
    assert ask == Ask("radis", prompts, Sampling(max_tokens=77, stop=(0,)), "test translations")
    with pytest.raises(StopIteration) as stopped:
        suite.send([completion(pair.target) for pair in DE_EN])
    result: TranslationResult = stopped.value.value
    assert [item.hypothesis for item in result.items] == [pair.target for pair in DE_EN]
    assert result.signatures["de-en"]["chrf++"].startswith("chrf++|nrefs:1|case:mixed|eff:yes|nc:6|nw:2|space:no|")
    assert "|tok:13a|smooth:exp|" in result.signatures["de-en"]["bleu"]


def test_tokens_that_are_no_part_of_the_translation_are_counted() -> None:
    remark, limit = "\n\nIn English, the phrase means that", "The cat is old.\n\nThe word "
    answers = [
        Completion(tuple(range(16)), "The dog sleeps in the garden.", "stop"),  # cut otherwise than letter by letter
        Completion((*range(15 + len(remark)), 0), f"The cat is old.{remark}", "stop"),
        Completion((1, 2, 3, 0), '"Berlin."', "stop"),  # fewer than we would take
        Completion((0,), "", "stop"),
        Completion(tuple(range(len(limit))), limit, "length"),
    ]
    pairs = [*DE_EN[:4], DE_EN[1]]
    suite = translation("radis", pairs, Letters(), Evaluation())
    next(suite)
    with pytest.raises(StopIteration) as stopped:
        suite.send(answers)
    result: TranslationResult = stopped.value.value
    assert [(item.tokens, item.beyond) for item in result.items] == [
        (15, 0),
        (15 + len(remark), len(remark)),
        (3, 0),
        (0, 0),
        (len(limit), len(limit) - 15),
    ]
    assert TranslationResult.from_json(json.loads(json.dumps(result.to_json()))) == result
    older = result.to_json()
    for item in older["items"]:
        del item["tokens"], item["beyond"]
    assert TranslationResult.from_json(older).items[1].beyond is None


def test_scores_say_that_the_translation_alone_was_asked_for() -> None:
    speak = Letters()
    speak.alone = True
    suite = translation("radis", DE_EN[:1], speak, Evaluation())
    next(suite)
    with pytest.raises(StopIteration) as stopped:
        suite.send([completion(DE_EN[0].target)])
    result: TranslationResult = stopped.value.value
    assert result.alone
    assert all(one.endswith(f"|extraction:{RULES}|asked:alone") for one in result.signatures["de-en"].values())
    assert TranslationResult.from_json(json.loads(json.dumps(result.to_json()))) == result
    assert told_by("copy", alone=True) == f"{told_by('copy')}asked:alone|"
    older = result.to_json()
    del older["alone"]
    assert not TranslationResult.from_json(older).alone


def test_everything_odd_about_an_answer_is_counted() -> None:
    answers = [
        completion("Der Hund schläft in dem Garten"),  # copied
        completion("The cat is old.\n\nExplanation: „alt“ is an adjective, and the predicate", "length"),
        completion("Berlin."),  # the reference is the source too: no copy
        completion(""),
        completion("I'm sorry, I cannot translate this."),
    ]
    flags = [item.flags for item in judge(DE_EN, answers).items]

    def where(rate: str) -> list[int]:
        return [i for i, flag in enumerate(flags) if flag[rate]]

    assert where("copy") == [0]
    assert set(flags[0]) == set(RATES)
    assert where("wrong_language") == where("source_language") == [0]
    assert where("over_generation") == [1]  # 71 characters for 15
    assert where("chatter") == [1, 4]
    assert where("cut_off") == [1]
    assert where("empty") == [3]
    assert where("extraction_failed") == [4]
    assert flags[3]["wrong_language"] is flags[3]["source_language"] is None
    assert judge(DE_EN, answers).items[4].hypothesis == "I'm sorry, I cannot translate this."


def test_a_script_that_cuts_an_answer_hides_nothing() -> None:
    """Of a system with a script of its own the score is of what the script takes; how much was said stays known."""
    given = "The cat is old.\n" + "And so on. " * 20
    (item,) = judge(DE_EN[1:2], [completion("The cat is old.")], [given]).items
    assert (item.hypothesis, item.answer, item.flags["over_generation"]) == ("The cat is old.", given, True)


def test_a_translation_is_scored_as_a_line_of_a_file_holds_it() -> None:
    """13a joins the halves of `over-` and the next line; one line of a file has no next line."""
    pair = Pair("Über Wasser.", "over- water", "de", "en")
    refused = "I cannot translate over-\nwater, and as an AI I will not say why: " + "it goes on and on. " * 9
    (item,) = judge([pair], [Completion((1,), refused, "stop")]).items
    assert "over-\nwater" in item.hypothesis
    assert list(item.statistics["bleu"]) == bleu_counts(item.hypothesis.replace("\n", " "), pair.target)
    assert hypothesis(refused, pair) is None
    several = Pair("Über\nWasser.", "over\nwater", "de", "en")
    assert hypothesis("over\nwater", several) == "over\nwater"


def bleu_counts(hypothesis: str, reference: str) -> list[float]:
    return list(sacrebleu_bleu("en")._extract_corpus_statistics([hypothesis], [[reference]])[0])


def test_a_result_survives_the_disk() -> None:
    result = judge(DE_EN, [completion("The dog.")] * 5)
    assert TranslationResult.from_json(json.loads(json.dumps(result.to_json()))) == result


def test_another_language_than_the_source_s_is_wrong_as_well() -> None:
    (item,) = judge(DE_EN[:1], [completion("Le chien dort dans le jardin.")]).items
    assert (item.flags["wrong_language"], item.flags["source_language"], item.flags["copy"]) == (True, False, False)


def test_an_answer_is_too_long_from_two_and_a_half_references_on() -> None:
    pair = Pair("Die Katze ist alt.", "The cat is old.", "de", "en")  # 15 letters: 37.5 and 20
    for length, too_long in ((57, False), (58, True)):
        (item,) = judge(
            [pair], [completion(" " + "The cat is old. The cat is old. The cat is old. The cat is old."[:length])]
        ).items
        assert item.flags["over_generation"] is too_long


def test_a_metric_is_added_with_its_signatures() -> None:
    result = judge(DE_EN, [completion("The dog.")] * 5)
    scores = [(0.1 * at, 1.0) for at in range(5)]
    more = result.with_metric("comet:tiny", scores, {"de-en": "comet|tiny"})
    assert [item.statistics["comet:tiny"] for item in more.items] == scores
    assert more.signatures["de-en"] == {**result.signatures["de-en"], "comet:tiny": "comet|tiny"}
    assert TranslationResult.from_json(json.loads(json.dumps(more.to_json()))) == more
    with pytest.raises(ValueError, match="shorter"):
        result.with_metric("comet:tiny", scores[:4], {"de-en": "comet|tiny"})


def test_results_from_before_a_rate_was_counted_are_read() -> None:
    plain = judge(DE_EN, [completion("The dog.")] * 5).to_json()
    for item in plain["items"]:
        del item["flags"]["over_generation"], item["flags"]["source_language"]
    (first, *_) = TranslationResult.from_json(plain).items
    assert first.flags["over_generation"] is first.flags["source_language"] is None
    assert first.flags["cut_off"] is False


def test_korean_is_cut_by_what_is_installed() -> None:
    pair = Pair("Hello.", "안녕하세요.", "en", "ko")
    _, signatures = sentence_statistics([pair], ["안녕하세요."])
    wanted = "ko-mecab" if find_spec("mecab_ko") else "13a"
    assert f"|tok:{wanted}" in signatures["en-ko"]["bleu"]


def test_a_missing_tokenizer_is_said_before_anything_is_asked() -> None:
    pytest.importorskip("sacrebleu")
    try:
        import MeCab  # noqa: F401
    except ImportError:
        pass
    else:
        pytest.skip("the Japanese tokenizer is installed")
    with pytest.raises(EngineError, match=r"BLEU into ja needs sacreBLEU's tokenizer ja-mecab"):
        next(translation("radis", [Pair("Hello.", "こんにちは。", "en", "ja")], Letters(), Evaluation()))


# direction, reference, system
WMT22 = [("de-en", "A", "Online-A"), ("en-zh", "A", "Online-W")]


@pytest.mark.parametrize(("direction", "reference", "system"), WMT22)
def test_scores_of_real_systems_are_sacrebleus(real_data: Path, direction: str, reference: str, system: str) -> None:
    source, target = direction.split("-")

    def lines(kind: str, name: str) -> list[str]:
        file = real_data / "wmt22" / "txt" / kind / f"generaltest2022.{direction}.{name}"
        return file.read_text(encoding="utf-8").removesuffix("\n").split("\n")[:400]

    sources, targets = lines("sources", f"src.{source}"), lines("references", f"ref.{reference}.{target}")
    hypotheses = lines("system-outputs", f"hyp.{system}.{target}")
    pairs = [Pair(s, t, source, target) for s, t in zip(sources, targets, strict=True)]
    counts, signatures = sentence_statistics(pairs, hypotheses)

    from sacrebleu.metrics import BLEU, CHRF

    for name, formula, metric in (
        ("chrf++", chrf, CHRF(word_order=2)),
        ("bleu", bleu, BLEU(tokenize="zh" if target == "zh" else "13a")),
    ):
        ours = formula(np.array([row[name] for row in counts], dtype=np.float64).sum(0))
        assert ours == pytest.approx(metric.corpus_score(hypotheses, [targets]).score, abs=1e-9)
        assert signatures[direction][name] == f"{name}|{metric.get_signature()}"
    for answers in (hypotheses, targets):
        found = [found_in(answer, source, target) for answer in answers]
        assert found.count("source") + found.count("other") <= 1
        assert found.count(None) <= 0.06 * len(found)


def test_a_result_says_what_was_taken_out_and_by_which_rules() -> None:
    answer = "The cat is old. Note: the tone is neutral."
    result = judge(DE_EN[1:2], [completion(answer)])
    (item,) = TranslationResult.from_json(json.loads(json.dumps(result.to_json()))).items
    assert (item.hypothesis, item.answer) == ("The cat is old.", answer)
    assert [(cut.rule, cut.text, cut.taken_out) for cut in item.cuts] == [
        ("a remark after it", "Note: the tone is neutral.", True)
    ]
    assert all(signature.endswith(f"|extraction:{RULES}") for signature in result.signatures["de-en"].values())
    assert f"extraction:{RULES}|" in told_by("chatter")
    older = result.to_json()
    del older["items"][0]["cuts"]
    assert TranslationResult.from_json(older).items[0].cuts == ()
