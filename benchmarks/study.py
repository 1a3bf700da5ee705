"""Writes docs/results/lab-cit-study.md, with its pictures, from the finished runs of the study.

    dragoman run recipes/lab/cit-study.yaml
    dragoman run recipes/lab/cit-programs.yaml
    dragoman analyze gradients recipes/lab/cit-study.yaml
    dragoman analyze drift recipes/lab/cit-study.yaml
    dragoman analyze rationales recipes/lab/cit-study.yaml
    python benchmarks/study.py

Tables, pictures and verdicts are made from what the runs left; what is said about them stands in
docs/results/lab-cit-study.remarks.md and is taken in as it is.
"""

import argparse
import shutil
from pathlib import Path

from claims import COMPARED, another_skill, gradients, noise_of
from verdicts import listed, read

from dragoman.report.tables.paper import tables
from dragoman.report.tables.table_formats import markdown

NUMBERS = ("1", "2", "3", "4", "5", "6", "7a", "7b", "7c", "8", "9")
PICTURES = ("gradients", "drift", "rationales")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--out", type=Path, default=Path("docs/results/lab-cit-study.md"))
    arguments = parser.parse_args()
    study, programs = (arguments.runs / name for name in ("cit-study", "cit-programs"))
    pictures = arguments.out.with_suffix("")
    pictures.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(study / "picture.svg", pictures / "plane.svg")
    for name in PICTURES:
        shutil.copyfile(study / "analysis" / f"{name}.svg", pictures / f"{name}.svg")
    arguments.out.write_text(document(study, programs, arguments.out), encoding="utf-8")
    print(arguments.out)


def document(study: Path, programs: Path, out: Path) -> str:
    card, code = read(study / "scorecard.json"), read(programs / "scorecard.json")
    claims = [claim(card) for claim in COMPARED]
    claims += [gradients(read(study / "analysis" / "gradients.json")), another_skill(code)]
    shown = tables(card)
    parts = [
        out.with_suffix(".remarks.md").read_text(encoding="utf-8").strip(),
        "## The paper's claims, and what was measured",
        "A difference counts where p < 0.05 (paired bootstrap over test items and seeds) and, of retention, where it "
        f"is larger than the noise floor: {noise_of(card)} points here, {noise_of(code)} with programs. In brackets: "
        "95 % intervals. The rules stand in `benchmarks/claims.py`.",
        listed(claims, NUMBERS),
        "## Translation against abilities",
        f"![Every method's translation against the abilities it kept]({out.stem}/plane.svg)",
        *(markdown(table) for key in ("translation", "abilities", "ablation", "cost") for table in shown.get(key, ())),
        "## Another skill: small programs",
        *(markdown(table) for key in ("skill", "cost") for table in tables(code).get(key, ())),
        "## Gradients of the two terms",
        f"![Cosine of the gradients of the two terms, layer by layer]({out.stem}/gradients.svg)",
        body(study / "analysis" / "gradients.md"),
        "## Drift from the backbone",
        f"![Retention against drift]({out.stem}/drift.svg)",
        body(study / "analysis" / "drift.md"),
        "## What the rationales are about",
        f"![Shares of the categories]({out.stem}/rationales.svg)",
        body(study / "analysis" / "rationales.md"),
    ]
    return "\n\n".join(parts) + "\n"


def body(path: Path) -> str:
    """A page without its own heading, its sections one level down."""
    lines = path.read_text(encoding="utf-8").strip().splitlines()
    kept = lines[1:] if lines and lines[0].startswith("# ") else lines
    return "\n".join(f"#{line}" if line.startswith("## ") else line for line in kept).strip()


if __name__ == "__main__":
    main()
