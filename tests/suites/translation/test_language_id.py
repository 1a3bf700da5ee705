"""Which language a translation is in: what is told, what is not, and how often that is right on real sentences."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from dragoman.lab import world
from dragoman.suites.translation.language_id import found_in, probabilities, signature


@pytest.mark.parametrize(
    ("text", "source", "target", "found"),
    [
        ("This is not good.", "de", "en", "target"),
        ("Das ist nicht gut.", "de", "en", "source"),
        ("Le chien dort dans le jardin.", "de", "en", "other"),
        ("A volte piove sull'isola.", "en", "it", "target"),
        ("这很好。", "en", "zho_Hans", "target"),
        ("Это хорошо", "rus_Cyrl", "eng_Latn", "source"),
        ("This is good", "rus_Cyrl", "eng_Latn", "target"),
        ("Hvor er nærmeste stasjon, og når går toget?", "en", "nb", "target"),  # the model says Norwegian
        ("DAS IST DAS HAUS VON MEINEM ALTEN FREUND", "en", "de", "target"),
        ("Berlin", "de", "en", None),  # a few letters
        ("", "de", "en", None),
        ("1234 5678 – 90 %", "de", "en", None),
        ("Das Haus ist klein.", "de", "de_CH", None),  # two variants of one language
        ("A little text in English.", "en", "xx", None),  # a language that the model doesn't know
        ("This is 好.", "en", "zh_Hans", None),  # a bit of both
    ],
)
def test_what_is_told(text: str, source: str, target: str, found: str | None) -> None:
    assert found_in(text, source, target) == found


def test_a_source_that_the_model_does_not_know_is_another_language() -> None:
    assert found_in("Der Hund schläft in dem Garten.", "xx", "en") == "other"


def test_varieties_are_candidates_only_where_they_are_asked_about() -> None:
    text = "El gato el ga magnà el pese che gera sora la tola."
    assert "vec" not in probabilities(text)
    assert probabilities(text, frozenset({"vec"}))["vec"] > 0.5
    assert sum(probabilities(text).values()) == pytest.approx(1, abs=1e-4)


def test_rates_can_say_how_they_were_made() -> None:
    assert signature() == "identifier:py3langid-0.4.0|in:>0.5|out:<0.01|letters:8"


def test_the_model_is_read_where_it_is_needed() -> None:
    code = "import sys, dragoman.suites.translation.suite; print('py3langid' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


# language, file, and another language that it might be taken for
REAL = [
    ("en", "flores200/devtest/eng_Latn.devtest", "de"),
    ("de", "ntrex/NTREX-128/newstest2019-ref.deu.txt", "en"),
    ("it", "ntrex/NTREX-128/newstest2019-ref.ita.txt", "es"),
    ("es", "flores200/devtest/spa_Latn.devtest", "it"),
    ("cs", "wmt22/txt/references/generaltest2022.en-cs.ref.B.cs", "ru"),
    ("ru", "wmt22/txt/sources/generaltest2022.ru-en.src.ru", "cs"),
    ("zh", "wmt23/txt/references/generaltest2023.en-zh.ref.refA.zh", "ja"),
    ("ar", "flores200/devtest/arb_Arab.devtest", "fa"),
]


@pytest.mark.parametrize(("language", "name", "other"), REAL)
def test_real_sentences(real_data: Path, language: str, name: str, other: str) -> None:
    lines = (real_data / name).read_text(encoding="utf-8").split("\n")[:500]
    at_home = Counter(found_in(line, other, language) for line in lines)
    assert at_home["source"] + at_home["other"] <= 1
    assert at_home["target"] >= 0.94 * len(lines)
    abroad = Counter(found_in(line, language, other) for line in lines)
    assert abroad["target"] <= 1
    assert abroad["source"] >= 0.93 * len(lines)


@pytest.mark.parametrize("language", ["de", "it"])
def test_the_lab_s_sentences(language: str) -> None:
    pairs = world.pairs("test", (f"en-{language}", f"{language}-en"), 50, 0)
    found = [found_in(pair.target, pair.source_language, pair.target_language) for pair in pairs]
    echoed = [found_in(pair.source, pair.source_language, pair.target_language) for pair in pairs]
    assert set(found) <= {"target", None}
    assert set(echoed) <= {"source", "other", None}
    assert found.count(None) + echoed.count(None) <= 0.06 * 200
