"""The translation suite: what it asks, what it counts, and its scores against sacreBLEU's on real files."""

import json
from pathlib import Path

import numpy as np
import pytest

from dragoman.corpora.identify import in_wrong_language
from dragoman.corpora.records import Pair
from dragoman.errors import EngineError
from dragoman.evaluation.statistics import bleu, chrf
from dragoman.evaluation.translation import TranslationResult, judge, sentence_statistics, translation
from dragoman.generation.ask import Ask, Completion, Ids, Sampling
from dragoman.recipe.schema import Evaluation


class Letters:
    """A speaker whose token ids are the source's letters."""

    stop: Ids = (0,)

    def translate(self, pair: Pair) -> Ids:
        return tuple(map(ord, pair.source))


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


def test_everything_odd_about_an_answer_is_counted() -> None:
    answers = [
        completion("Der Hund schläft in dem Garten"),  # copied
        completion("The cat is old.\n\nExplanation: „alt“ is an adjective", "length"),
        completion("Berlin."),  # the reference is the source too: no copy
        completion(""),
        completion("I'm sorry, I cannot translate this."),
    ]
    flags = [item.flags for item in judge(DE_EN, answers).items]

    def where(rate: str) -> list[int]:
        return [i for i, flag in enumerate(flags) if flag[rate]]

    assert where("copy") == [0]
    assert where("wrong_language") == [0]
    assert where("chatter") == [1, 4]
    assert where("cut_off") == [1]
    assert where("empty") == [3]
    assert where("extraction_failed") == [4]
    assert flags[3]["wrong_language"] is None
    assert judge(DE_EN, answers).items[4].hypothesis == "I'm sorry, I cannot translate this."


def test_a_result_survives_the_disk() -> None:
    result = judge(DE_EN, [completion("The dog.")] * 5)
    assert TranslationResult.from_json(json.loads(json.dumps(result.to_json()))) == result


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


@pytest.mark.parametrize(
    ("text", "source", "target", "wrong"),
    [
        ("Das ist nicht gut.", "de", "en", True),
        ("This is not good.", "de", "en", False),
        ("Il gatto non dorme.", "en", "it", False),
        ("Il gatto non dorme.", "it", "de", True),
        ("A volte piove sull'isola.", "en", "it", False),
        ("Berlin", "de", "en", False),
        ("这很好。", "en", "zh", False),
        ("This is 好.", "en", "zh_Hans", True),
        ("Это хорошо", "rus_Cyrl", "eng_Latn", True),
        ("This is good", "rus_Cyrl", "eng_Latn", False),
        ("Это хорошо", "uk", "ru", None),  # one script, no list of words
        ("Ez jó.", "en", "hu", None),
        ("123.", "de", "en", None),
    ],
)
def test_wrong_language(text: str, source: str, target: str, wrong: bool | None) -> None:
    assert in_wrong_language(text, source, target) is wrong


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
    wrong = [in_wrong_language(hypothesis, source, target) for hypothesis in hypotheses]
    references_in_wrong_language = [in_wrong_language(reference, source, target) for reference in targets]
    assert wrong.count(True) <= 8
    assert references_in_wrong_language.count(True) <= 8
