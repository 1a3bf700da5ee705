"""How often a translation's language is told wrongly, or not told: on test sets whose languages are known.

    python benchmarks/language_id.py DATA

DATA is a folder with the catalogue's test sets (`wmt22`, `wmt23`, `ntrex`, `flores200`), as DRAGOMAN_MIRROR names one.
Each segment is judged as a translation into its own language (where "wrong" is a false alarm) and into each of the
others (where "right" is a miss), by py3langid as `evaluation.language_id` uses it, by the rule of `corpora.identify`,
and by lingua (75 languages, 100 MB on disk), where it is installed. Speed is that of one processor's time.
"""

import argparse
import resource
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from dragoman.corpora.language import dominant, in_wrong_language
from dragoman.lab import world
from dragoman.suites.translation.language_id import LETTERS, RULED_OUT, SURE, _letters, probabilities

MOST = 1200  # segments of a file
BINS = (LETTERS, 20, 40, 80)
FIRST = (1, 2, 3, 5, 8)  # words of FLORES' sentences, for what is short
WMT22 = {"cs": "B", "de": "A", "ru": "A", "zh": "A"}
WMT23 = {"de": "en-de", "cs": "en-cs", "zh": "en-zh"}
NTREX = {"en": "src.eng", "it": "ref.ita", "es": "ref.spa", "ar": "ref.arb", "de": "ref.deu", "zh": "ref.zho_Hans"}
FLORES = {"en": "eng_Latn", "cs": "ces_Latn", "de": "deu_Latn", "ru": "rus_Cyrl", "zh": "zho_Hans"} | {
    "ar": "arb_Arab", "es": "spa_Latn", "it": "ita_Latn"
}  # fmt: skip

SHARES = ("false alarm", "not judged", "missed", "off, not judged")
Shares = Callable[[str], Mapping[str, float]]  # what each language is given for a text


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


def by_lingua() -> Shares:
    from lingua import LanguageDetectorBuilder

    detector = LanguageDetectorBuilder.from_all_languages().build()

    def shares(text: str) -> Mapping[str, float]:
        values = detector.compute_language_confidence_values(text)
        return {one.language.iso_code_639_1.name.lower(): one.value for one in values}

    return shares


def judge(shares: Mapping[str, float], target: str) -> bool | None:
    """Whether a text is in a wrong language, as `evaluation.language_id` decides it."""
    return False if shares[target] > SURE else True if shares[target] < RULED_OUT else None


def measure(ask: Shares | None, data: Path) -> dict[str, Counter]:
    """For each set, language and length how many were judged how; by the rule where there is nothing to ask.

    Sources are English, and German where the segment is English itself.
    """
    counts: dict[str, Counter] = defaultdict(Counter)
    for code, name, segments in texts(data):
        others = [other for other in FLORES if other != code]
        for at, text in enumerate(segments):
            letters, other = _letters(text), others[at % len(others)]
            if ask is None:
                source = "de" if code == "en" else "en"
                own, missed = in_wrong_language(text, source, code), in_wrong_language(text, code, other)
                right = dominant(text, 1) == code
            else:
                shares = ask(text)
                right = max(shares, key=lambda one: shares[one]) == code
                judged = letters >= LETTERS
                own, missed = (judge(shares, code), judge(shares, other)) if judged else (None, None)
            length = "first words, " if name == "first words" else ""
            length += next((f"under {edge} letters" for edge in BINS if letters < edge), f"{BINS[-1]} letters and more")
            for where in (name, length) if name == "first words" else ("all", name, f"in {code}", length):
                counts[where].update(
                    {
                        "n": 1,
                        "right": right,
                        "false alarm": own is True,
                        "not judged": own is None,
                        "missed": missed is False,
                        "off, not judged": missed is None,
                    }
                )
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    ways: dict[str, Shares | None] = {"py3langid": probabilities, "function words": None}
    try:
        ways["lingua"] = by_lingua()
    except ImportError:
        print("lingua is not installed, and left out\n")
    for name, ask in ways.items():
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if ask:
            ask("Once, so that the model is there.")
        started = time.process_time()
        counts = measure(ask, data)
        speed = sum(counts[where]["n"] for where in ("all", "first words")) / (time.process_time() - started)
        taken = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        print(f"## {name}: {speed:,.0f} texts a second, {taken // 1024:,} MB\n")
        print("| segments | n | likeliest is right % | " + " % | ".join(SHARES) + " % |")
        print("|---|---:|---:|---:|---:|---:|---:|")
        for where in sorted(counts, key=lambda one: (one.startswith(("first", "under", "80")), one)):
            count = counts[where]
            cells = [f"{100 * count[what] / count['n']:.2f}" for what in ("right", *SHARES)]
            print(f"| {where} | {count['n']:,} | " + " | ".join(cells) + " |")
        print()


if __name__ == "__main__":
    main()
