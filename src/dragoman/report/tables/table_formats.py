"""Formats of tables: Markdown, LaTeX and JSON."""

import json
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Literal

from dragoman.report.phrases import MINUS, signed, spread
from dragoman.report.tables.table import Cell, Line, Table
from dragoman.terminal import visible

Format = Literal["markdown", "latex", "json"]

_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "_": r"\_",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}\allowbreak{}",  # a signature is one long word otherwise
    "[": "{[}",  # after the end of a row it would be an option
    "]": "{]}",
    "*": "{*}",  # likewise
    MINUS: "$-$",
    "–": "--",
    "→": r"$\to$",
    "±": r"$\pm$",
    "≥": r"$\geq$",
    "·": r"\textperiodcentered{}",
    "’": "'",
    "\n": " ",
}


def written(tables: Mapping[str, Sequence[Table]], form: Format) -> str:
    """Some tables in one format."""
    if form == "json":
        return as_json(tables)
    one = markdown if form == "markdown" else latex
    return "\n".join(one(table) for some in tables.values() for table in some)


def write_tables(folder: Path, tables: Mapping[str, Sequence[Table]]) -> None:
    """Writes `KEY.md` and `KEY.tex` for each table, and `tables.json` with all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    for key, some in tables.items():
        (folder / f"{key}.md").write_text(visible(written({key: some}, "markdown")), encoding="utf-8")
        (folder / f"{key}.tex").write_text(visible(written({key: some}, "latex")), encoding="utf-8")
    (folder / "tables.json").write_text(as_json(tables), encoding="utf-8", errors="backslashreplace")


def as_json(tables: Mapping[str, Sequence[Table]]) -> str:
    """`{"schema": 1, "tables": {KEY: [TABLE, …]}}`, each table as from `table.Table.to_json`."""
    data = {"schema": 1, "tables": {key: [table.to_json() for table in some] for key, some in tables.items()}}
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def figure(cell: Cell) -> str:
    """The number of a cell, with thousands separators."""
    return "–" if cell.value is None else f"{cell.value:,.{cell.digits}f}".replace("-", MINUS)


def markdown(table: Table) -> str:
    """One table with its title above and its caption below. Intervals are on a second line of their cells."""
    heads = [
        f"{in_markdown(column.title)}<br><sub>{in_markdown(column.group)}</sub>"
        if column.group
        else in_markdown(column.title)
        for column in table.columns
    ]
    lines = [["", *heads], ["---", *("---:" for _ in heads)]]
    lines += [[in_markdown(line.title), *map(_md_cell, line.cells)] for line in table.lines]
    body = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    return f"**{in_markdown(table.title)}**\n\n{body}\n\n{in_markdown(table.caption)}\n"


def in_markdown(text: str) -> str:
    """Text on one line, with the signs escaped that Markdown would act upon."""
    for sign in "\\|*_<":
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())


def _md_cell(cell: Cell) -> str:
    around = {"best": "**", "second": "*", "": ""}[cell.mark]
    text = f"{around}{figure(cell)}{around}"
    if cell.delta is not None:
        text += f" ({signed(cell.delta, cell.digits)}{chr(92) + '*' if cell.sure else ''})"
    return f"{text}<br><sub>{spread(cell.interval, cell.digits)}</sub>" if cell.interval else text


def escape(text: str) -> str:
    """Text with LaTeX's special characters escaped."""
    return "".join(_LATEX.get(sign, sign) for sign in text)


def latex(table: Table) -> str:
    """One `table*` with booktabs rules: each method has a line of scores and a smaller one of intervals."""
    rows = [line for one in table.lines for line in _tex_lines(one)]
    heads = " & ".join(["", *(escape(column.title) for column in table.columns)])
    parts = [
        r"% Needs \usepackage{booktabs}.",
        r"\begin{table*}[t]",
        r"\centering",
        r"\scriptsize",
        r"\setlength{\tabcolsep}{3pt}",
        rf"\begin{{tabular}}{{l{'r' * len(table.columns)}}}",
        r"\toprule",
        *_tex_spans(table),
        rf"{heads} \\",
        r"\midrule",
        *rows,
        r"\bottomrule",
        r"\end{tabular}",
        rf"\caption{{{escape(table.title)}. {escape(table.caption)}}}",
        rf"\label{{tab:{table.key.replace('_', '-')}}}",
        r"\end{table*}",
    ]
    return "\n".join(parts) + "\n"


def _tex_spans(table: Table) -> list[str]:
    if not table.spans:
        return []
    ends = list(accumulate((width for _, width in table.spans), initial=1))
    heads = [rf"\multicolumn{{{width}}}{{c}}{{{escape(group)}}}" for group, width in table.spans]
    rules = [
        rf"\cmidrule(lr){{{end - width + 1}-{end}}}"
        for (group, width), end in zip(table.spans, ends[1:], strict=True)
        if group
    ]
    return [rf"{' & '.join(['', *heads])} \\", " ".join(rules)]


def _tex_lines(line: Line) -> list[str]:
    scores = " & ".join([escape(line.title), *map(_tex_cell, line.cells)])
    if not any(cell.interval for cell in line.cells):
        return [rf"{scores} \\"]
    below = (rf"{{\tiny {escape(spread(cell.interval, cell.digits))}}}" if cell.interval else "" for cell in line.cells)
    return [rf"{scores} \\", rf"{' & '.join(['', *below])} \\[2pt]"]


def _tex_cell(cell: Cell) -> str:
    text = escape(figure(cell))
    if cell.mark:
        text = rf"\{'textbf' if cell.mark == 'best' else 'textit'}{{{text}}}"
    if cell.delta is None:
        return text
    return rf"{text} {{\tiny ({escape(signed(cell.delta, cell.digits))}{'$^{*}$' if cell.sure else ''})}}"
