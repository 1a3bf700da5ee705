"""A scorecard of schema 3, written by hand: a backbone and seven methods, three trainings of each.

The numbers are made up. A difference has p < 0.05 where it is larger than 2.0 points, so that what a table
marks can be checked by eye.
"""

from itertools import combinations
from typing import Any

from dragoman.suites.translation.suite import RATES
from tests.plain_card import Card

DIRECTIONS = ("en-de", "en-it", "de-en", "it-en")
FAMILIES = ("arithmetic", "facts", "follow_up", "harmless", "instructions", "reading", "refusal")
SEEDS = (0, 1, 2)
CHRF = "chrf++|nrefs:1|bs:1000|seed:12345|case:mixed|eff:yes|nc:6|nw:2|space:no|version:2.6.0"
BLEU = "bleu|nrefs:1|bs:1000|seed:12345|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0"
COMET = "comet:wmt22-comet-da"
COMET_SIGNATURE = "comet|model:wmt22-comet-da|times:100|bs:1000|seed:12345|version:dragoman-1"
SIDES = {"follow_up": "instruction", "instructions": "instruction", "harmless": "safety", "refusal": "safety"}
CHECKS = {"arithmetic": "number", "facts": "equals", "reading": "equals", "refusal": "refusal", "harmless": "harmless"}

# row → method, writer, score of each direction, of each family, and of the skill
ROWS: dict[str, tuple[str, str | None, tuple[float, ...], tuple[float, ...], float]] = {
    "backbone": ("backbone", None, (31.0, 33.0, 52.0, 54.0), (60.0, 80.0, 90.0, 95.0, 88.0, 75.0, 99.0), 12.0),
    "vanilla": ("vanilla", None, (61.0, 63.5, 66.0, 68.0), (20.0, 61.0, 31.0, 70.0, 22.0, 50.0, 9.0), 55.0),
    "radis": ("radis", None, (60.0, 62.2, 65.1, 67.3), (55.0, 77.0, 80.0, 94.0, 79.0, 72.0, 81.0), 52.0),
    "seq_kd": ("seq_kd", None, (38.0, 39.0, 55.0, 57.0), (57.0, 78.5, 82.0, 94.0, 80.5, 73.0, 92.0), 18.0),
    "sdft_rewrite": ("sdft_rewrite", None, (48.0, 50.0, 60.0, 61.0), (50.0, 72.0, 66.0, 90.0, 63.0, 69.0, 60.0), 41.0),
    "multitask": ("multitask", None, (60.5, 62.9, 65.8, 67.1), (36.0, 70.0, 60.0, 88.0, 57.0, 64.0, 44.0), 53.5),
    "radis-weaker": ("radis", "lab-small", (58.1, 59.9, 64.0, 66.0), (50.0, 74.0, 71.0, 92.0, 66.0, 69.0, 66.0), 49.0),
    "radis-stronger": (
        "radis",
        "models/lab-large",
        (62.4, 64.0, 66.2, 68.1),
        (53.0, 76.0, 75.0, 93.0, 72.0, 71.0, 70.0),
        54.0,
    ),
}
SHIFTS = (-0.6, 0.0, 0.6)  # of the three trainings, around their mean


def study_card(*, skill: bool = False, comet: bool = False) -> Card:
    """The card; with `skill`, the lab's programs were judged as well, and with `comet` translations by a model."""
    rows = [_row(name, skill, comet) for name in ROWS]
    families = {f: {"scores": [80.0], "retention": 4.0} for f in FAMILIES}
    noise = {"draws": 2, "left_out": 0, "retention": 2.5, "families": families}
    pairs = [_pair(a, b) for a, b in combinations(rows, 2)]
    return {"schema": 3, "backbone": "backbone", "rows": rows, "noise": noise, "pairs": pairs}


def _row(name: str, skill: bool, comet: bool) -> dict[str, Any]:
    method, writer, directions, families, learnt = ROWS[name]
    first, before = name == "backbone", ROWS["backbone"]
    kept = [100 * score / base for score, base in zip(families, before[3], strict=True)]
    several = [] if first else [sum(kept) / len(kept) + shift for shift in SHIFTS]
    card: dict[str, Any] = {
        "name": name,
        "method": method,
        "writer": writer,
        "seeds": [] if first else list(SEEDS),
        "translation": _translation(directions, None if first else before[2], comet),
        "abilities": {
            family: _ability(family, score, None if first else base)
            for family, score, base in zip(FAMILIES, families, before[3], strict=True)
        },
        "skills": {"programs": _ability("programs", learnt, None if first else before[4])} if skill else {},
        "retention": sum(kept) / len(kept),
        "retention_interval": [sum(kept) / len(kept) - 3, sum(kept) / len(kept) + 3] if not first else [100.0, 100.0],
        "retention_seeds": several,
        "retention_signature": f"RP|mean over:{len(kept)}|of:score/backbone|interval:bs:1000|version:dragoman-1",
        "retention_without": [],
        "inside_noise": None if first else abs(sum(kept) / len(kept) - 100) <= 2.5,
        "trace": None if first else _trace(families, before[3]),
        "rationales": None,
        "settings": {},
        "hints": [],
        "cost": None,
    }
    if not first:
        steps = 375 if method != "multitask" else 450
        written = 248_000 if method == "radis" else 96_000 if method in ("seq_kd", "sdft_rewrite") else 0
        card["cost"] = {
            "examples": 8000,
            "example_tokens": 400_000 + written,
            "generated_tokens": written,
            "generating_seconds": written / 1000,
            "trained_tokens": 3 * (150_000 + written),
            "training_seconds": 81.5,
            "steps": steps,
        }
    return card


def _trace(scores: tuple[float, ...], base: tuple[float, ...]) -> dict[str, Any]:
    changes = {}
    for side in ("general", "instruction", "safety"):
        gaps = {f: a - b for f, a, b in zip(FAMILIES, scores, base, strict=True) if SIDES.get(f, "general") == side}
        mean = sum(gaps.values()) / len(gaps)
        changes[side] = {"families": list(gaps), "delta": mean, "interval": [mean - 2, mean + 2]}
    return changes


def _score(value: float, base: float | None, n: int, signature: str) -> dict[str, Any]:
    delta = None if base is None else value - base
    return {
        "score": value,
        "interval": [value - 1.5, value + 1.5],
        "n": n,
        "signature": signature,
        "delta": delta,
        "delta_interval": None if delta is None else [delta - 2, delta + 2],
        "p": None if delta is None else _p(delta),
        "seeds": [] if base is None else [value + shift for shift in SHIFTS],
        "sd": None if base is None else 0.6,
    }


def _ability(family: str, value: float, base: float | None) -> dict[str, Any]:
    signature = f"passed|check:{CHECKS.get(family, 'contains')}|decoding:greedy|tokens:160|version:dragoman-1"
    against = value if base is None else base
    return _score(value, base, 200, signature) | {
        "passed": round(2 * value),
        "side": SIDES.get(family, "skill" if family == "programs" else "general"),
        "unit": "%",
        "kept": family != "programs",
        "notes": {},
        "facts": {},
        "f1": None,
        "subjects": {},
        "subject_mean": None,
        "retention": 100 * value / against,
        "retention_interval": [100 * value / against - 5, 100 * value / against + 5],
        "inside_noise": None if base is None else abs(100 * value / against - 100) <= 4,
        "not_extracted": 3,
        "cut_off": 1,
    }


def _metrics(value: float, base: float | None, n: int, comet: bool, of: str = "") -> dict[str, Any]:
    """BLEU is half of chrF++, and COMET is 50 and a quarter of it."""
    made = {
        "chrf++": _score(value, base, n, of + CHRF),
        "bleu": _score(value / 2, None if base is None else base / 2, n, of + BLEU),
    }
    if comet:
        before = None if base is None else 50 + base / 4
        made[COMET] = _score(50 + value / 4, before, n, of + COMET_SIGNATURE)
    return made


def _translation(scores: tuple[float, ...], base: tuple[float, ...] | None, comet: bool) -> dict[str, Any]:
    by_name = dict(zip(DIRECTIONS, scores, strict=True))
    before = dict(zip(DIRECTIONS, base, strict=True)) if base else None

    def group(names: list[str]) -> dict[str, Any]:
        mean = sum(by_name[name] for name in names) / len(names)
        reference = sum(before[name] for name in names) / len(names) if before else None
        of = f"mean of {len(names)} directions: "
        return {"directions": names, **_metrics(mean, reference, 100 * len(names), comet, of)}

    return {
        "out_of_english": group([name for name in DIRECTIONS if name.startswith("en")]),
        "into_english": group([name for name in DIRECTIONS if name.endswith("en")]),
        "all": group(list(DIRECTIONS)),
        "mean": sum(scores) / len(scores),
        "directions": {
            name: _metrics(score, before[name] if before else None, 100, comet) for name, score in by_name.items()
        },
        "rates": {
            rate: {"count": 4, "n": 400, "rate": 1.0, "interval": [0.4, 2.5], "signature": f"rate|{rate}"}
            for rate in RATES
        },
    }


def _p(delta: float) -> float:
    return 0.001 if abs(delta) > 2 else 0.3


def _diff(a: float, b: float) -> dict[str, Any]:
    return {"delta": a - b, "interval": [a - b - 2, a - b + 2], "p": _p(a - b)}


def _pair(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
    def of(key: str, metric: str) -> dict[str, Any]:
        return _diff(*(row["translation"][key][metric]["score"] for row in (a, b)))

    def directions(metric: str) -> dict[str, Any]:
        scores = ({n: row["translation"]["directions"][n][metric]["score"] for n in DIRECTIONS} for row in (a, b))
        ours, theirs = scores
        return {name: _diff(ours[name], theirs[name]) for name in DIRECTIONS}

    others = [metric for metric in a["translation"]["all"] if metric not in ("directions", "chrf++")]
    groups = ("into_english", "out_of_english")
    return {
        "row": a["name"],
        "other": b["name"],
        "translation": of("all", "chrf++"),
        **{key: of(key, "chrf++") for key in groups},
        "directions": directions("chrf++"),
        "metrics": {
            metric: {key: of(key, metric) for key in (*groups, "all")} | {"directions": directions(metric)}
            for metric in others
        },
        "retention": _diff(a["retention"], b["retention"]),
        "families": {f: _diff(a["abilities"][f]["score"], b["abilities"][f]["score"]) for f in FAMILIES},
        "skills": {s: _diff(a["skills"][s]["score"], b["skills"][s]["score"]) for s in a["skills"]},
    }
