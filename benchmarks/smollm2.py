"""Writes docs/results/smollm2.md, with its pictures, from the finished study on a real model.

    dragoman run recipes/smollm2/study.yaml
    python benchmarks/smollm2.py

Tables, pictures and verdicts are made from what the run left, and what the rationales are about from the labels in
docs/results/smollm2/rationales.jsonl. What is said about them stands in docs/results/smollm2.remarks.md and is taken in
as it is.
"""

import argparse
import json
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from claims import close_to_vanilla, gradients, keeps_more, loses_most, noise_of, sdft, seq_kd
from study import body
from verdicts import listed, read

from dragoman.analysis.rationales import CATEGORIES
from dragoman.report import drift
from dragoman.report.compare import methods
from dragoman.report.tables.paper import tables
from dragoman.report.tables.table_formats import markdown
from dragoman.scoring.scorecard.schema import Scorecard

CLAIMS = {"2": loses_most, "3": close_to_vanilla, "4": keeps_more, "5": seq_kd, "6": sdft}
"""The claims that can be tested into English and without other writers, by their numbers in the study on the lab."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, default=Path("runs/smollm2-study"))
    parser.add_argument("--out", type=Path, default=Path("docs/results/smollm2.md"))
    arguments = parser.parse_args()
    pictures = arguments.out.with_suffix("")
    pictures.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(arguments.run / "picture.svg", pictures / "plane.svg")
    for drawn in (arguments.run / "analysis").glob("*.svg"):
        shutil.copyfile(drawn, pictures / drawn.name)
    arguments.out.write_text(document(arguments.run, arguments.out), encoding="utf-8")
    print(arguments.out)


def document(run: Path, out: Path) -> str:
    card, analysis, pictures = read(run / "scorecard.json"), run / "analysis", out.with_suffix("")
    claims = {number: claim(card) for number, claim in CLAIMS.items()}
    if (analysis / "gradients.json").is_file():
        claims["8"] = gradients(read(analysis / "gradients.json"))
    shown = tables(card)
    parts = [
        out.with_suffix(".remarks.md").read_text(encoding="utf-8").strip(),
        "## The paper's claims, and what was measured",
        "Numbers are those of [the study on the lab](lab-cit-study.md), by the same rules (`benchmarks/claims.py`): a "
        "difference counts where p < 0.05 (paired bootstrap over test items and seeds). In brackets: 95 % intervals. "
        f"Noise floor of retention, in points: {noise_of(card)}.",
        listed([*claims.values()], [*claims], on="SmolLM2-135M"),
        "## Translation against abilities",
        f"![Every method's translation against the abilities it kept]({pictures.name}/plane.svg)",
        *(markdown(table) for key in ("translation", "abilities", "cost") for table in shown.get(key, ())),
    ]
    parts += ["## Drift from the backbone", *moved(card)]
    if (analysis / "gradients.md").is_file():
        title = "Gradients of the two terms"
        parts += [f"## {title}", f"![{title}]({pictures.name}/gradients.svg)", body(analysis / "gradients.md")]
    if (labels := pictures / "rationales.jsonl").is_file():
        read_by_hand = [json.loads(line) for line in labels.read_text(encoding="utf-8").splitlines()]
        parts += ["## What the rationales are about", *rationales(read_by_hand, f"{pictures.name}/{labels.name}")]
    return "\n\n".join(parts) + "\n"


def moved(card: Scorecard) -> list[str]:
    """How far each row's next-token distributions are from the backbone's, beside what it kept."""
    kinds = drift.kinds(card)
    lines = [f"| | {' | '.join(kinds.values())} | kept (RP), % |", f"|---|{'--:|' * (len(kinds) + 1)}"]
    for row in methods(card):
        found = [drift.drift_on(row, kind) for kind in kinds]
        cells = [f"{one['forward']['mean']:.3f}" if one else "–" for one in found]
        lines.append(f"| {row['name']} | {' | '.join(cells)} | {row['retention']:.0f} |")
    return [f"KL(backbone \\|\\| row), {drift.UNIT}.", "\n".join(lines)]


def rationales(labelled: Sequence[dict[str, Any]], path: str) -> list[str]:
    """What the rationales that were read by hand are about, what they do, and how many of them are right."""
    counts = Counter(label for one in labelled for label in one["labels"])
    sound = Counter(one["sound"] for one in labelled)
    told = [
        f"{len(labelled)} rationales of the quick recipe's everyday pairs, drawn at random, read and sorted by hand "
        f"into the categories of `dragoman analyze rationales` (one may be in several). All, with their labels, "
        f"stand in [{Path(path).name}]({path}). What they say is right in {sound['right']}, partly so in "
        f"{sound['partly']}, wrong or beside the point in {sound['wrong']}."
    ]
    about = [(category.title, counts[category.name]) for category in CATEGORIES]
    for head, found in (("is about", about), ("does", Counter(one["does"] for one in labelled).most_common())):
        told.append(
            "\n".join([f"| what it {head} | of {len(labelled)} |", "|---|--:|", *(f"| {a} | {n} |" for a, n in found)])
        )
    return told


if __name__ == "__main__":
    main()
