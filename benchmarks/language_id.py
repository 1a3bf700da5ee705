"""How often a translation's language is told wrongly, or not told: on test sets whose languages are known.

    python benchmarks/language_id.py DATA

DATA is a folder with the catalogue's test sets (`wmt22`, `wmt23`, `ntrex`, `flores200`), as DRAGOMAN_MIRROR names one.
Each segment is judged as a translation into its own language (where "wrong" is a false alarm) and into each of the
others (where "right" is a miss), by py3langid as `evaluation.language_id` uses it, by the rule of `corpora.identify`,
and by lingua, where it is installed. Speed is processor time.
"""

import argparse
import resource
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from dragoman.corpora.identify import in_wrong_language
from dragoman.evaluation.language_id import LETTERS, RULED_OUT, SURE, _letters, probabilities
from dragoman.lab import world

MOST = 1200  # segments of a file
BINS = (LETTERS, 20, 40, 80)
FIRST = (1, 2, 3, 5, 8)  # words of FLORES' sentences, for what is short
WMT22 = {"cs": "B", "de": "A", "ru": "A", "zh": "A"}
WMT23 = {"de": "en-de", "cs": "en-cs", "zh": "en-zh"}
NTREX = {"en": "src.eng", "it": "ref.ita", "es": "ref.spa", "ar": "ref.arb", "de": "ref.deu", "zh": "ref.zho_Hans"}
FLORES = {"en": "eng_Latn", "cs": "ces_Latn", "de": "deu_Latn", "ru": "rus_Cyrl", "zh": "zho_Hans"} | {
    "ar": "arb_Arab", "es": "spa_Latn", "it": "ita_Latn"
}  # fmt: skip

Judge = Callable[[str, str, str], bool | None]  # text, source, target → whether it is in a wrong language


def texts(data: Path) -> Iterator[tuple[str, str, list[str]]]:
    """Language, set and segments."""
    for code, references in WMT22.items():
        folder = data / "wmt22" / "txt"
        yield code, "WMT22", _lines(folder / "sources" / f"generaltest2022.{code}-en.src.{code}")
        yield code, "WMT22", _lines(folder / "references" / f"generaltest2022.en-{code}.ref.{references}.{code}")
        yield "en", "WMT22", _lines(folder / "references" / f"generaltest2022.{code}-en.ref.{references}.en")
    for code, pair in WMT23.items():
        yield code, "WMT23", _lines(data / "wmt23" / "txt" / "references" / f"generaltest2023.{pair}.ref.refA.{code}")
    for code, name in NTREX.items():
        yield code, "NTREX", _lines(data / "ntrex" / "NTREX-128" / f"newstest2019-{name}.txt")
    for code, name in FLORES.items():
        sentences = _lines(data / "flores200" / "devtest" / f"{name}.devtest")
        yield code, "FLORES", sentences
        for count in FIRST:
            yield code, "first words", [_first(sentence, count, code) for sentence in sentences]
    pairs = world.pairs("test", ("en-de", "en-it"), MOST // 2, 0)
    yield "en", "lab", [pair.source for pair in pairs]
    for code in ("de", "it"):
        yield code, "lab", [pair.target for pair in pairs if pair.target_language == code]


def _lines(path: Path) -> list[str]:
    kept = dict.fromkeys(line for line in path.read_text(encoding="utf-8").split("\n") if line.strip())
    return list(kept)[:: max(1, len(kept) // MOST)][:MOST]


def _first(sentence: str, count: int, code: str) -> str:
    return sentence[: 2 * count] if code == "zh" else " ".join(sentence.split()[:count])


def by_py3langid(text: str, source: str, target: str) -> bool | None:
    if _letters(text) < LETTERS:
        return None
    share = probabilities(text)[target]
    return False if share > SURE else True if share < RULED_OUT else None


def by_function_words(text: str, source: str, target: str) -> bool | None:
    return in_wrong_language(text, source, target)


def by_lingua() -> Judge:
    from lingua import LanguageDetectorBuilder

    detector = LanguageDetectorBuilder.from_all_languages().build()

    def judge(text: str, source: str, target: str) -> bool | None:
        if _letters(text) < LETTERS:
            return None
        found = detector.compute_language_confidence_values(text)
        share = next(one.value for one in found if one.language.iso_code_639_1.name.lower() == target)
        return False if share > SURE else True if share < RULED_OUT else None

    return judge


def measure(judge: Judge, data: Path) -> Mapping[str, Counter]:
    """For each set, language and length: how many were judged how. Sources are English, into English German."""
    counts: dict[str, Counter] = defaultdict(Counter)
    for code, name, segments in texts(data):
        others = [other for other in FLORES if other != code]
        for at, text in enumerate(segments):
            letters = _letters(text)
            length = "first words: " if name == "first words" else ""
            length += next((f"under {edge} letters" for edge in BINS if letters < edge), f"{BINS[-1]} and more")
            source = "de" if code == "en" else "en"
            own, other = judge(text, source, code), judge(text, code, others[at % len(others)])
            for where in (name, length) if name == "first words" else (name, f"in {code}", length, "all"):
                count = counts[where]
                count["n"] += 1
                count["false alarm"] += own is True
                count["not judged"] += own is None
                count["missed"] += other is False
                count["off, not judged"] += other is None
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    ways: dict[str, Judge] = {"py3langid": by_py3langid, "function words": by_function_words}
    try:
        ways["lingua"] = by_lingua()
    except ImportError:
        print("lingua is not installed, and left out\n")
    for name, judge in ways.items():
        judge("Once, so that the model is there.", "en", "de")
        before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
        counts = measure(judge, data)
        seconds = time.process_time() - started
        total = sum(counts[where]["n"] for where in ("all", "first words"))
        print(f"## {name}: {2 * total / seconds:,.0f} judgements a second; peak {before // 1024:,} MB before\n")
        print("| segments | n | false alarms % | not judged % | missed % | off target, not judged % |")
        print("|---|---:|---:|---:|---:|---:|")
        for where, count in counts.items():
            shares = [
                100 * count[what] / count["n"] for what in ("false alarm", "not judged", "missed", "off, not judged")
            ]
            print(f"| {where} | {count['n']:,} | " + " | ".join(f"{share:.2f}" for share in shares) + " |")
        print()


if __name__ == "__main__":
    main()
