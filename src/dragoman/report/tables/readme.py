"""The README table: the comparison in one Markdown table."""

from dragoman.report import drift, replay
from dragoman.report.abilities import abilities, comparisons, digits, skills, unit
from dragoman.report.compare import baseline, floor, methods, of_backbone
from dragoman.report.families import benchmarks, by_language, heading, score
from dragoman.report.phrases import number, plain, signed, significant, spread, trainings
from dragoman.report.terminal import ACROSS, taught
from dragoman.report.translation import group_score, groups, learnt_metrics, metric_title, metrics
from dragoman.scoring.divergence import TextDrift
from dragoman.scoring.scorecard.schema import Ability, Score, Scorecard


def markdown(card: Scorecard) -> str:
    """A column for each row of the scorecard; if there are many rows, a line for each."""
    rows = card["rows"]
    lines = [["", *(row["name"] for row in rows)]]
    for metric in metrics(card):
        for key, title in groups(card) if metric != "bleu" else ():
            cells = (_words(group_score(row, key, metric)) for row in rows)
            lines.append([f"translation {title}, {metric_title(card, metric)}", *cells])
    for skill in skills(card):
        lines.append([f"{plain(skill)}, % passed", *(_words(row["skills"].get(skill), 0) for row in rows)])
    for family in abilities(card):
        cells = (_words(row["abilities"].get(family), digits(card, family)) for row in rows)
        lines.append([f"{plain(family)}, {unit(card, family)}", *cells])
    for title, some in by_language(benchmarks(card)).items():
        for parts in some:
            lines.append([f"{heading(parts)} {title}, %", *(_words(score(row, parts.family), 0) for row in rows)])
    if of_backbone(card) and any(row["retention"] is not None for row in methods(card)):
        kept = [_kept(row["retention"], row["retention_interval"]) for row in rows]
        lines.append(["**abilities kept (RP), %**", *(f"**{text}**" for text in kept)])
        for part, title in replay.parts(card).items():
            found = [replay.part_of(row, part) for row in rows]
            lines.append(
                [f"kept {title}, %", *(_kept(one["retention"], one["interval"]) if one else "–" for one in found)]
            )
    for family in comparisons(card):
        lines.append([f"{plain(family)}, % (50: a draw)", *(_words(row["abilities"].get(family)) for row in rows)])
    for kind, title in drift.kinds(card).items():
        cells = (_moved(drift.drift_on(row, kind)) for row in rows)
        lines.append([f"drift on {title}, {drift.UNIT}", *cells])
    if len(methods(card)) > ACROSS:
        lines = [list(line) for line in zip(*lines, strict=True)]
    lines.insert(1, ["---", *("---:" for _ in lines[0][1:])])
    table = "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
    return "\n\n".join([table, _legend(card), *taught(card)]) + "\n"


def _kept(kept: float | None, interval: list[float] | None) -> str:
    """A share with its interval, but for the backbone's own."""
    low, high = interval or (0.0, 0.0)
    return f"{number(kept, 0)} ({spread(interval, 0)})" if low < high else number(kept, 0)


def _words(score: Score | Ability | None, digits: int = 1) -> str:
    if score is None or score["score"] is None:
        return "–"
    if score["delta"] is None:
        return number(score["score"], digits)
    mark = "\\*" if significant(score["p"]) else ""
    return f"{number(score['score'], digits)} ({signed(score['delta'], digits)}{mark})"


def _moved(found: TextDrift | None) -> str:
    return number(found["forward"]["mean"] if found else None, drift.DIGITS)


def _legend(card: Scorecard) -> str:
    parts = (
        [f"\\* differs from {baseline(card)} with p < 0.05; without it no difference was found."]
        if methods(card)
        else []
    )
    parts += [f"{learnt_metrics(card)}."] if learnt_metrics(card) else []
    if several := trainings(card):
        parts.append(f"{several[0].upper()}{several[1:]}.")
    if (least := floor(card)) is not None:
        parts.append(f"Noise floor of RP: ±{least:.1f}.")
    return " ".join(parts)
