"""Writes docs/results/lab-prior-systems.md from the finished run of recipes/lab/prior-systems.yaml.

    dragoman run recipes/lab/prior-systems.yaml
    python benchmarks/prior_systems.py

Tables and verdicts are made from what the run left; what is said about them stands in
docs/results/lab-prior-systems.remarks.md and is taken in as it is.
"""

import argparse
import shutil
from pathlib import Path

from claims import noise_of
from prior_systems_claims import CLAIMS
from verdicts import listed, read

from dragoman.report.tables.paper import tables
from dragoman.report.tables.table_formats import markdown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, default=Path("runs/lab-prior-systems"))
    parser.add_argument("--out", type=Path, default=Path("docs/results/lab-prior-systems.md"))
    arguments = parser.parse_args()
    pictures = arguments.out.with_suffix("")
    pictures.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(arguments.run / "picture.svg", pictures / "plane.svg")
    arguments.out.write_text(document(arguments.run, arguments.out), encoding="utf-8")
    print(arguments.out)


def document(run: Path, out: Path) -> str:
    card = read(run / "scorecard.json")
    shown = tables(card)
    parts = [
        out.with_suffix(".remarks.md").read_text(encoding="utf-8").strip(),
        "## The claims, and what was measured",
        "A difference counts where p < 0.05 (paired bootstrap over test items and seeds) and, of retention, where it "
        f"is larger than the noise floor: {noise_of(card)} points. In brackets: 95 % intervals. The rules stand in "
        "`benchmarks/prior_systems_claims.py`.",
        listed([claim(card) for claim in CLAIMS], [str(number) for number, _ in enumerate(CLAIMS, start=1)]),
        "## Translation against abilities",
        f"![Every system's translation against the abilities it kept]({out.stem}/plane.svg)",
        *(markdown(table) for key in ("translation", "abilities", "cost") for table in shown.get(key, ())),
    ]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    main()
