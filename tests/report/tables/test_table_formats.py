"""Tables as Markdown, LaTeX and JSON."""

import json
import re
from pathlib import Path

import pytest

from dragoman.report.tables.paper import tables
from dragoman.report.tables.table import Cell, Column, Line, Table
from dragoman.report.tables.table_formats import as_json, escape, latex, markdown, write_tables, written
from tests.plain_card import Card


def small(title: str = "seq_kd") -> Table:
    cells = (
        Cell(41.24, interval=(40.0, 42.5), delta=-3.14, sure=True, mark="best"),
        Cell(1234567.0, 0, delta=0.2, mark="second"),
        Cell(None),
    )
    columns = (Column("en→de", "a & b"), Column("tokens", "a & b"), Column("RP, %"))
    return Table("small_one", "Translation", "* where p < 0.05.", columns, (Line("x", title, "x", None, (), cells),))


def test_markdown() -> None:
    assert markdown(small()).split("\n") == [
        "**Translation**",
        "",
        "|  | en→de<br><sub>a & b</sub> | tokens<br><sub>a & b</sub> | RP, % |",
        "| --- | ---: | ---: | ---: |",
        "| seq\\_kd | **41.2** (−3.1\\*)<br><sub>40.0–42.5</sub> | *1,234,567* (±0) | – |",
        "",
        "\\* where p \\< 0.05.",
        "",
    ]
    assert "| \\<b>x\\|y |" not in markdown(small("plain"))
    assert "| \\<b>x\\|y |" in markdown(small("<b>x|y"))


def test_latex() -> None:
    lines = latex(small()).split("\n")
    assert lines[5:15] == [
        r"\begin{tabular}{lrrr}",
        r"\toprule",
        r" & \multicolumn{2}{c}{a \& b} & \multicolumn{1}{c}{} \\",
        r"\cmidrule(lr){2-3}",
        r" & en$\to$de & tokens & RP, \% \\",
        r"\midrule",
        r"seq\_kd & \textbf{41.2} {\tiny ($-$3.1$^{*}$)} & \textit{1,234,567} {\tiny ($\pm$0)} & -- \\",
        r" & {\tiny 40.0--42.5} &  &  \\[2pt]",
        r"\bottomrule",
        r"\end{tabular}",
    ]
    assert r"\caption{Translation. {*} where p \textless{} 0.05.}" in lines
    assert r"\label{tab:small-one}" in lines


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("50 % of a_b & #1", r"50 \% of a\_b \& \#1"),
        ("\\{$}~^", r"\textbackslash{}\{\$\}\textasciitilde{}\textasciicircum{}"),
        ("[red]*", "{[}red{]}{*}"),
        ("a|b", r"a\textbar{}\allowbreak{}b"),
        ("−1–2 ± 3 → 4 ≥ 5", r"$-$1--2 $\pm$ 3 $\to$ 4 $\geq$ 5"),
        ("two\nlines", "two lines"),
    ],
)
def test_latex_prints_text_as_it_is(text: str, expected: str) -> None:
    assert escape(text) == expected


def columns_of(row: str) -> int:
    """How many columns a row of a tabular fills."""
    spans = [int(number) for number in re.findall(r"\\multicolumn\{(\d+)\}", row)]
    return len(re.findall(r"(?<!\\)&", row)) + 1 + sum(spans) - len(spans)


def balanced(text: str) -> bool:
    depth = 0
    for sign in re.sub(r"\\[\\{}%&#$_]", "", text):
        depth += {"{": 1, "}": -1}.get(sign, 0)
        if depth < 0:
            return False
    return depth == 0 and re.sub(r"\\[\\{}%&#$_]", "", text).count("$") % 2 == 0


@pytest.mark.parametrize("name", ["radis", "50%_off & {more} \\\\ [x] $5 #1 ~^<|>"])
def test_latex_is_well_formed_whatever_rows_are_called(skilled: Card, name: str) -> None:
    for row in skilled["rows"]:
        row["name"] = name if row["name"] == "radis" else row["name"]
    for pair in skilled["pairs"]:
        pair |= {key: name if pair[key] == "radis" else pair[key] for key in ("row", "other")}
    text = written(tables(skilled), "latex")
    assert text.count(r"\begin{table*}") == 8
    for table in text.split("% Needs")[1:]:
        assert "%" not in re.sub(r"\\%", "", table)  # nothing is commented out by accident
        assert balanced(table)
        opened: list[str] = []
        for what, environment in re.findall(r"\\(begin|end)\{([a-z*]+)\}", table):
            if what == "begin":
                opened.append(environment)
            else:
                assert opened.pop() == environment
        assert opened == []
        spec = re.search(r"\\begin\{tabular\}\{(l r*|lr*)\}", table)
        assert spec is not None
        body = table.partition(r"\toprule")[2].partition(r"\bottomrule")[0]
        rows = [line for line in body.split("\n") if line.endswith((r"\\", r"\\[2pt]"))]
        assert len(rows) > 8
        assert {columns_of(line) for line in rows} == {len(spec[1])}


def test_files(tmp_path: Path, skilled: Card) -> None:
    made = tables(skilled)
    write_tables(tmp_path / "tables", made)
    names = sorted(path.name for path in (tmp_path / "tables").iterdir())
    keys = ("abilities", "ablation", "cost", "skill", "translation")
    assert names == sorted(["tables.json", *(f"{key}.{form}" for key in keys for form in ("md", "tex"))])
    assert (tmp_path / "tables" / "translation.md").read_text(encoding="utf-8").count("**Translation ") == 4
    data = json.loads((tmp_path / "tables" / "tables.json").read_text(encoding="utf-8"))
    assert data["schema"] == 1
    assert data == json.loads(as_json(made))
    cell = data["tables"]["abilities"][0]["lines"][5]["cells"][0]
    assert cell["value"] == 79.0
    assert cell["delta"] == 57.0
    assert cell["sure"] is True
    assert cell["mark"] == "best"
    assert cell["n"] == 200
    assert cell["interval"] == [77.5, 80.5]
    assert cell["seeds"] == [78.4, 79.0, 79.6]
