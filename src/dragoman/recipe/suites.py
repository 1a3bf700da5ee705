"""Suite names in `evaluate`: our own suites, and shorthands for published benchmarks in a language.

`xquad-de` is XQuAD with German texts and questions, `mlqa-de-en` MLQA with German texts and English questions.
"""

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches

from dragoman.recipe.judging import Benchmark

CHATS = ("mt-bench", "alpaca-eval", "alpaca-eval-2", "pairwise", "safety", "xstest")
"""Benchmarks whose answers another model judges, or a rule about refusals."""
SUITES = ("translation", "lab", "lab-languages", "programs", "humaneval", *CHATS)
HARNESS = (
    "gsm8k",
    "ifeval",
    "mmlu",
    "mmlu_pro",
    "bbh",
    "mgsm",
    "global_mmlu",
    "xquad",
    "mlqa",
    "belebele",
    "truthfulqa",
)
"""Tasks of lm-evaluation-harness that need no prefix; any other is `harness:NAME`."""
PREFIX = "harness:"
CROSSED = ("xquad", "mlqa")
"""Benchmarks whose text and question may be in two languages."""
LANGUAGES: Mapping[str, tuple[str, ...]] = {
    "xquad": ("ar", "de", "el", "en", "es", "hi", "ro", "ru", "th", "tr", "vi", "zh"),
    "mlqa": ("ar", "de", "en", "es", "hi", "vi", "zh"),
}
"""What a benchmark was published in, where that is settled; of the others the catalogue has what it has."""
TITLES = {"xquad": "XQuAD", "mlqa": "MLQA", "mmlu": "MMLU", "bbh": "BBH"}
EXAMPLES = "xquad-de, mlqa-de-en, mmlu-de, bbh-de"

_SHORT = re.compile(rf"({'|'.join(TITLES)})-([a-z]{{2,3}}(?:_[A-Za-z]+)?)(?:-([a-z]{{2,3}}(?:_[A-Za-z]+)?))?")


def harness_task(name: str) -> str | None:
    """The lm-evaluation-harness task that a suite's name stands for; None if it is another suite."""
    if name.startswith(PREFIX):
        return name.removeprefix(PREFIX)
    return name if name in HARNESS else None


def shorthand(name: str) -> Benchmark | None:
    """The benchmark that a name such as `xquad-de` or `mlqa-de-en` stands for; None if it is no shorthand."""
    if name in CHATS:
        return Benchmark.model_validate({"kind": name})
    found = _SHORT.fullmatch(name)
    if found is None:
        return None
    kind, first, second = found.groups()
    known = LANGUAGES.get(kind)
    if (second and kind not in CROSSED) or (known and {first, second or first} - set(known)):
        return None
    if second in (None, first):
        return Benchmark.model_validate({"kind": kind, "language": first})
    return Benchmark.model_validate({"kind": kind, "language": second, "context": first})


def fault(name: str, suites: Collection[str], own: Collection[str]) -> str | None:
    """What is wrong with a suite's name, or None; `own` are the benchmarks that the recipe itself describes."""
    if name in suites or name in own or name.endswith(".jsonl") or shorthand(name) or harness_task(name):
        return None
    kind = name.split("-")[0]
    told = f"no suite '{name}'; "
    short = {f"{kind}-{language}" for kind, languages in LANGUAGES.items() for language in languages}
    near = get_close_matches(name, sorted({*suites, *own, *short, *HARNESS}), n=1, cutoff=0.6)
    if kind in LANGUAGES and name != kind:
        told += f"{TITLES[kind]} is in {', '.join(LANGUAGES[kind])}; a file of one's own goes under `benchmarks`"
    elif kind in TITLES:
        told += f"say in which language, as in {EXAMPLES}; a file of one's own goes under `benchmarks`"
    elif near:
        told += f"did you mean '{near[0]}'?"
    else:
        there = ", ".join(sorted({*suites, *own, *HARNESS}))
        told += f"there are: {there}, other tasks of lm-evaluation-harness as in {PREFIX}arc_easy, "
        told += f"and benchmarks in a language, as in {EXAMPLES}"
    return f"{told} (a file of questions ends in .jsonl)"
