"""Writes docs/results/lab-crossalpaca.md, with its pictures, from the finished run of the study.

    dragoman run recipes/lab/crossalpaca.yaml
    dragoman run recipes/lab/crossalpaca-more.yaml
    python benchmarks/crossalpaca.py

Tables, pictures and verdicts are made from the scorecard; what is said about them stands in
docs/results/lab-crossalpaca.remarks.md and is taken in as it is.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from crossalpaca_claims import (
    BETWEEN,
    CLAIMS,
    Study,
    amounted,
    beyond,
    demonstrations_help,
    english_is_kept,
    number_of,
)
from crossalpaca_paper import CONTRADICTIONS
from crossalpaca_paper import table as paper_table
from verdicts import listed, points, read, row

from dragoman.report.compare import Difference
from dragoman.report.families import benchmarks, by_language, heading, score
from dragoman.report.figures import panels
from dragoman.report.figures.charts import style_sheet
from dragoman.report.figures.panels import Bars, Curves, Kind
from dragoman.report.figures.sweeps import value_of
from dragoman.report.phrases import number, signed, significant
from dragoman.report.tables.paper import tables
from dragoman.report.tables.table_formats import markdown
from dragoman.scoring.scorecard.schema import Ability, Scorecard

RULE = (
    "A difference counts where p < 0.05 (bootstrap over questions and seeds). Each benchmark is judged on the mean "
    "over the foreign languages, as in the paper's averages; means, slopes and gains less other gains come by their "
    "intervals as `contrast` in `benchmarks/verdicts.py` says: paired where rows were asked the same questions, "
    "unpaired between languages. In brackets: 95 % intervals, in points of exact match (`qa`) or right answers. The "
    "rules stand in `benchmarks/crossalpaca_claims.py`."
)
WAYS = {"x-Alpaca": "{x}-alpaca", "x→en": "{x}-cross-x-en", "en→x": "{x}-cross-en-x", "both": "{x}-cross"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, default=Path("runs/lab-crossalpaca"))
    parser.add_argument("--more", type=Path, default=Path("runs/lab-crossalpaca-more"), help="with more demonstrations")
    parser.add_argument("--out", type=Path, default=Path("docs/results/lab-crossalpaca.md"))
    arguments = parser.parse_args()
    card: Scorecard = read(arguments.run / "scorecard.json")
    more: Scorecard | None = read(arguments.more / "scorecard.json") if arguments.more.is_dir() else None
    remarks = arguments.out.with_suffix(".remarks.md").read_text(encoding="utf-8")
    folder = arguments.out.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    for name, drawn in pictures(Study.of(card)).items():
        (folder / f"{name}.svg").write_text(drawn + "\n", encoding="utf-8")
    arguments.out.write_text(document(card, remarks, folder.name, more), encoding="utf-8")
    print(arguments.out)


def document(card: Scorecard, remarks: str, folder: str, more: Scorecard | None = None) -> str:
    study, shown = Study.of(card), tables(card)
    claims = [claim(study) for claim in CLAIMS]
    parts = [
        remarks.strip(),
        "## The paper's claims, and what was measured",
        RULE,
        listed(claims, [str(number) for number in range(1, len(claims) + 1)]),
        "## Beyond the paper",
        "Measured, without a claim to hold it against.",
        "\n".join(
            ["| compared | points |", "|---|---|", *(f"| {one.said} | {one.measured} |" for one in beyond(study))]
        ),
        *(with_more(more) if more else []),
        "## Table 2: averages over languages",
        table_2(study),
        CONTRADICTIONS + " The paper's table, by these means:",
        paper_table(),
        "## Table 3: each model in its own language",
        table_3(study),
        "## Figure 3: instructions with and without demonstrations",
        f"![x-Alpaca and x-CrossAlpaca in each language]({folder}/figure3.svg)",
        "## Figures 4 and 6: the amount of demonstrations",
        f"![Scores over the share of demonstrations]({folder}/figure6.svg)",
        "## Figures 5 and 7: the direction of demonstrations",
        f"![Scores by the direction of the demonstrations]({folder}/figure7.svg)",
        "## Every row in every language",
        everything(card),
        *(markdown(table) for table in shown.get("benchmarks", ())),
        *(["## Translation"] if "translation" in shown else []),
        *(markdown(table) for table in shown.get("translation", ())),
        "## Cost",
        *(markdown(table) for table in shown.get("cost", ())),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def with_more(card: Scorecard) -> list[str]:
    """What comes of more demonstrations than the paper's proportion, in a run of its own."""
    study = Study.of(card)
    told = [demonstrations_help(study), english_is_kept(study)]
    lines = [f"| {one.said} | {one.measured} | **{one.verdict}** |" for one in told]
    return [
        "## More demonstrations than the paper has",
        "`recipes/lab/crossalpaca-more.yaml`: the same instructions, six times the demonstrations, the same rules.",
        "\n".join(["| the paper says | measured | verdict |", "|---|---|---|", *lines]),
        everything(card),
    ]


def columns(study: Study) -> list[tuple[str, str, str]]:
    """What Tables 2 and 3 show: a heading, the benchmark, and which of its scores."""
    found = []
    for name in study.benchmarks:
        found_in_english = score(row(study.card, "en-alpaca"), f"{name}-en")
        f1 = found_in_english and found_in_english["f1"]
        found += [(f"{name}, EM", name, "score"), (f"{name}, F1", name, "f1")] if f1 else [(name, name, "score")]
    return found


def average(study: Study, label: str, benchmark: str, measure: str) -> float:
    """The mean over foreign languages, each model in its own."""
    return fmean(study.score(label.format(x=x), f"{benchmark}-{x}", measure) for x in study.foreign)


def table_2(study: Study) -> str:
    """As in the paper: a line for each benchmark."""
    lines = ["| | en-Alpaca in English | avg-Alpaca | avg-CrossAlpaca | δ |", "|---|--:|--:|--:|--:|"]
    for title, name, measure in columns(study):
        english = study.score("en-alpaca", f"{name}-en", measure)
        alpaca, cross = (average(study, label, name, measure) for label in ("{x}-alpaca", "{x}-cross"))
        gain = signed(cross - alpaca)
        if measure == "score":
            gain = starred(study.against(name, "{x}-cross", "{x}-alpaca"))
        lines.append(f"| {title} | {number(english)} | {number(alpaca)} | {number(cross)} | {gain} |")
    return "\n".join(lines) + "\n\nIn %, averages over " + " and ".join(study.foreign) + "; \\* where p < 0.05."


def starred(found: Difference) -> str:
    mark = "\\*" if significant(found.p) else ""
    return points(found).replace(" (", f"{mark}<br><sub>(", 1) + "</sub>"


def table_3(study: Study) -> str:
    """As in the paper: Alpacas, CrossAlpacas, their averages, and the differences of those."""
    shown = columns(study)
    lines = [["", *(title for title, _, _ in shown)], ["---", *("--:" for _ in shown)]]
    lines.append(["en-Alpaca", *(_cell(study, "en-alpaca", f"{name}-en", which) for _, name, which in shown)])
    for kind, title in (("{x}-alpaca", "Alpaca"), ("{x}-cross", "CrossAlpaca")):
        for x in study.foreign:
            found = (_cell(study, kind.format(x=x), f"{name}-{x}", which) for _, name, which in shown)
            lines.append([f"{x}-{title}", *found])
        means = (f"**{number(average(study, kind, name, which))}**" for _, name, which in shown)
        lines.append([f"**avg-{title}**", *means])
    for title, label in (("avg-Alpaca", "{x}-alpaca"), ("avg-CrossAlpaca", "{x}-cross")):
        cells = []
        for _, name, which in shown:
            if which == "score":
                below = study.below_english(name, label)
                low, high = below.interval
                cells.append(starred(Difference(-below.delta, (-high, -low), below.p)))
            else:
                gap = average(study, label, name, which) - study.score("en-alpaca", f"{name}-en", which)
                cells.append(signed(gap))
        lines.append([f"{title} less en-Alpaca", *cells])
    cells = [
        starred(study.against(name, "{x}-cross", "{x}-alpaca"))
        if which == "score"
        else signed(average(study, "{x}-cross", name, which) - average(study, "{x}-alpaca", name, which))
        for _, name, which in shown
    ]
    lines.append(["avg-CrossAlpaca less avg-Alpaca", *cells])
    note = "In %; en-Alpaca is asked in English, every other model in its own language. Below each score its 95 % "
    note += "interval over questions and seeds. \\* where p < 0.05; F1 is not tested."
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + f"\n\n{note}"


def _cell(study: Study, name: str, family: str, measure: str) -> str:
    value, (low, high) = number_of(study.card, name, family, measure)
    return f"{number(value)}<br><sub>{number(low)}–{number(high)}</sub>"


def everything(card: Scorecard) -> str:
    """All rows and families in one table, without intervals."""
    found = [parts for some in by_language(benchmarks(card)).values() for parts in some]
    lines = [["", *(f"{heading(parts)}<br>{parts.language}" for parts in found)], ["---", *("--:" for _ in found)]]
    for one in card["rows"]:
        lines.append([one["name"], *(_brief(score(one, parts.family)) for parts in found)])
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return (
        f"{table}\n\nIn % (exact match where F1 stands below), ± standard deviation over seeds. \\* differs from the "
        + ("backbone with p < 0.05. The same with intervals and F1 follows by language.")
    )


def _brief(found: Ability | None) -> str:
    if not found:
        return "–"
    spread = "" if found["sd"] is None else f" ± {number(found['sd'])}"
    return f"{number(found['score'])}{spread}{chr(92) + '*' if significant(found['p']) else ''}"


def pictures(study: Study) -> dict[str, str]:
    """Figures 3, 6 (with 4) and 7 (with 5) as SVG."""
    style = style_sheet()
    english = {name: study.score("en-alpaca", f"{name}-en") for name in study.benchmarks}
    line = "en-Alpaca in English"
    kinds = {"x-Alpaca": "{x}-alpaca", "x-CrossAlpaca": "{x}-cross"}
    amounts = (0.0, *BETWEEN, 1.0)
    curves = [
        Curves(
            f"{name}, %",
            [[(100 * at, _value(study, amounted(x, at), name, x)) for at in amounts] for x in study.foreign],
        )
        for name in study.benchmarks
    ]
    return {
        "figure3": panels.bars(
            _bars(study, list(kinds.values()), english),
            [Kind("x-Alpaca", 4), Kind("x-CrossAlpaca", 2)],
            "Each model in its own language",
            line,
            style,
        ),
        "figure6": panels.curves(
            curves,
            [Kind(x, 1 + place) for place, x in enumerate(study.foreign)],
            "Each model in its own language, by the share of demonstrations it learnt from; 0 is x-Alpaca",
            "demonstrations, %",
            style=style,
        ),
        "figure7": panels.bars(
            _bars(study, list(WAYS.values()), english),
            [Kind(name, colour) for name, colour in zip(WAYS, (4, 3, 5, 2), strict=True)],
            "Each model in its own language, by the direction of its demonstrations",
            line,
            style,
        ),
    }


def _bars(study: Study, labels: Sequence[str], english: dict[str, float]) -> list[Bars]:
    return [
        Bars(
            f"{name}, %",
            [(x, [_value(study, label.format(x=x), name, x) for label in labels]) for x in study.foreign],
            english[name],
        )
        for name in study.benchmarks
    ]


def _value(study: Study, name: str, benchmark: str, x: str) -> panels.Value:
    found = score(row(study.card, name), f"{benchmark}-{x}")
    assert found is not None, f"{name} was not asked {benchmark}-{x}"
    return value_of(found)


if __name__ == "__main__":
    main()
