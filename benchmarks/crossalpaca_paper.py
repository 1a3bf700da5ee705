"""What the CrossAlpaca paper printed in its Table 3, and averages that follow from it."""

from collections.abc import Mapping
from statistics import fmean

BENCHMARKS = ("MLQA", "XQUAD", "MMLU", "BBH")
ENGLISH = (0.89, 0.87, 0.42, 0.30)  # en-Alpaca in English
ALPACA = {
    "zh": (0.48, 0.38, 0.26, 0.25),
    "ar": (0.17, 0.16, 0.18, 0.20),
    "it": (0.35, 0.32, 0.21, 0.25),
    "es": (0.32, 0.33, 0.19, 0.24),
    "de": (0.36, 0.39, 0.24, 0.25),
}
CROSS = {
    "zh": (0.70, 0.69, 0.36, 0.28),
    "ar": (0.56, 0.60, 0.25, 0.25),
    "it": (0.64, 0.65, 0.28, 0.27),
    "es": (0.65, 0.64, 0.28, 0.28),
    "de": (0.64, 0.67, 0.32, 0.29),
}
CONTRADICTIONS = (
    "The paper contradicts itself in places. XQUAD of en-Alpaca is 0.97 in its Table 2 and 0.87 in Table 3; the "
    "averages printed for MMLU (0.24 and 0.32) and for BBH of CrossAlpaca (0.28) are not those of the rows above them "
    "(0.216, 0.298, 0.274); en-Alpaca against avg-CrossAlpaca in BBH is printed as −0.20 and is −0.03 by the rows; "
    "the text speaks of 14 points in BBH where the table has 6, and Table 2 gives XQUAD a difference of 0.30 where "
    "its columns differ by 0.34. Wherever this page says what the paper measured, it takes the rows of Table 3 and "
    "means made from them. Its scores are exact matches of a 7-billion-parameter model, ours of a lab model on other "
    "questions: orders can be compared, sizes cannot."
)


def average(rows: Mapping[str, tuple[float, ...]]) -> tuple[float, ...]:
    """The mean over languages for each benchmark."""
    return tuple(fmean(column) for column in zip(*rows.values(), strict=True))


def below_english(rows: Mapping[str, tuple[float, ...]]) -> str:
    """How far the average lies below en-Alpaca in English: `0.55, 0.55, 0.20 and 0.06 in MLQA, …`."""
    return _told([english - mean for english, mean in zip(ENGLISH, average(rows), strict=True)])


def gain() -> str:
    """How far the average CrossAlpaca lies above the average Alpaca."""
    return _told([cross - alpaca for cross, alpaca in zip(average(CROSS), average(ALPACA), strict=True)])


def _told(values: list[float]) -> str:
    numbers, names = [f"{value:.2f}" for value in values], list(BENCHMARKS)
    return " in ".join(f"{', '.join(words[:-1])} and {words[-1]}" for words in (numbers, names))


def table() -> str:
    """The paper's Table 2 with averages of the rows of its Table 3, in Markdown."""
    lines = ["| | en-Alpaca | avg-Alpaca | avg-CrossAlpaca | δ |", "|---|--:|--:|--:|--:|"]
    for name, english, alpaca, cross in zip(BENCHMARKS, ENGLISH, average(ALPACA), average(CROSS), strict=True):
        lines.append(f"| {name} | {english:.2f} | {alpaca:.2f} | {cross:.2f} | {cross - alpaca:+.2f} |")
    return "\n".join(lines)
