"""AlpacaEval 1 and 2: how often another model prefers an answer to that of a baseline.

Each instruction is answered greedily, and the judge sees that answer and the baseline's, in an order that the
instruction decides as it did for the published results. The first asks for a ranking; the second for one token, and
weighs `m` against `M` by their log-probabilities. Two answers that are the same are a draw without a judge.

A preference is 1 for the baseline, 2 for the model, 1.5 for a draw, or anything between; the win rate is the mean of
what lies above 1. The length-controlled rate needs difficulties of the instructions that are not published with the
data, so the difference of the lengths stands beside instead.
"""

import ast
import math
import random
import re
import warnings
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path
from typing import Any

from dragoman import __version__
from dragoman.corpora.records import content_key, draw
from dragoman.generation.ask import Ask, Completion, Ids, Sampling
from dragoman.prompts.speak import Speaker
from dragoman.recipe.judging import Evaluation
from dragoman.suites.alpaca_eval.files import BASELINES, JUDGES, annotations
from dragoman.suites.graded import Graded, Item
from dragoman.suites.verdicts import fits, judge_name, judge_prompt

Asking = Generator[Ask, list[Completion], list[Graded]]
Answering = Generator[Ask, list[Completion], list[Completion | str]]
ANSWER_TOKENS = 2048
"""Longest answer, as most published models were given."""
DRAW = 1.5
_FIRST_MODEL = "model_1"  # as AlpacaEval 1 calls the answer that is shown first
_FIELD = re.compile(r"\{(instruction|output_1|output_2)\}")


@dataclass(frozen=True, slots=True)
class Judged:
    """One instruction: the model's answer, the baseline's, and which was preferred; None and why where that is open."""

    instruction: str
    baseline: str
    subject: str = ""
    answer: str | None = None
    preference: float | None = None
    why: str = ""
    told: Mapping[str, Any] = field(default_factory=dict)


def alpaca_eval(model: str, material: Mapping[str, Any], speak: Speaker, settings: Evaluation) -> Asking:
    """AlpacaEval 1: the judge ranks the two answers."""
    return (yield from _compared("alpaca-eval", model, material, speak, settings))


def alpaca_eval_2(model: str, material: Mapping[str, Any], speak: Speaker, settings: Evaluation) -> Asking:
    """AlpacaEval 2: the judge names the better answer with one token, weighed by log-probability."""
    return (yield from _compared("alpaca-eval-2", model, material, speak, settings))


def published(file: Path) -> list[Graded]:
    """Every model that a published file of annotations is about, by the preferences in it; `facts` names the `system`.

    Two answers that were compared more than once count each time, and `notes` says how often that is.

    Where log-probabilities stand beside, preferences are computed from them again, and `facts` says for how many
    records that went, in which order answers had been shown, and how far it is from what is stored.
    """
    found: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for record in annotations(file):
        by, model, baseline = (str(record.get(key, "unknown")) for key in ("annotator", "generator_2", "generator_1"))
        found.setdefault((by, model, baseline), []).append(record)
    return [_published(*who, records) for who, records in found.items()]


def asked(model: str, prompts: Sequence[Ids | None], speak: Speaker, sampling: Sampling, purpose: str) -> Answering:
    """The completions of prompts; or instead of one why there is none. A prompt of None is passed over."""
    given = [prompt is not None and fits(speak, prompt) for prompt in prompts]
    wanted = [prompt for prompt in compress(prompts, given) if prompt is not None]
    completions = iter((yield Ask(model, wanted, sampling, purpose)) if wanted else [])
    found: list[Completion | str] = []
    for prompt, room in zip(prompts, given, strict=True):
        if room:
            completion = next(completions)
            found.append("failed" if completion.finish == "failed" else completion)
        else:
            found.append("" if prompt is None else "no room")
    return found


def answers(model: str, instructions: Sequence[str], speak: Speaker, settings: Evaluation) -> Answering:
    """Greedy answers to instructions."""
    prompts = [speak.chat(instruction) for instruction in instructions]
    sampling = Sampling(max_tokens=answer_tokens(settings), stop=speak.stop)
    return (yield from asked(model, prompts, speak, sampling, "instructions"))


def chosen(material: Mapping[str, Any], settings: Evaluation) -> Sequence[Mapping[str, str]]:
    """All instructions, or as many as the recipe wants, drawn by the seed and in the order of the file."""
    items: Sequence[Mapping[str, str]] = material["items"]
    order = sorted(range(len(items)), key=lambda at: draw(items[at]["instruction"], "asked", settings.seed))
    kept = set(order[: material.get("limit")])
    return [item for at, item in enumerate(items) if at in kept]


def answer_tokens(settings: Evaluation) -> int:
    return max(settings.max_tokens, ANSWER_TOKENS)


def interchanged(instruction: str) -> bool:
    """Whether the judge sees the model's answer first: by the instruction alone, as in the published results."""
    return random.Random(f"is_switched_outputs{instruction}0").random() >= 0.5


def ranked(judgement: str, turned: bool) -> float | None:
    """The preference that a ranking means: a Python list of dictionaries, of which one ranks `model_1` first or second.

    None where it is anything else.
    """
    try:  # what another model wrote
        with warnings.catch_warnings(action="ignore"):
            found = ast.literal_eval(judgement.strip())
        rank = next(entry["rank"] for entry in found if entry["model"] == _FIRST_MODEL)
    except (ValueError, SyntaxError, TypeError, KeyError, StopIteration, MemoryError, RecursionError):
        return None
    if rank not in (1, 2):
        return None
    return float(3 - rank if turned else rank)


def weighted(
    likely: Sequence[tuple[str, float]], turned: bool, first: str = "m", second: str = "M"
) -> tuple[float, float] | None:
    """The preference by the log-probabilities of the first token, and the probability that either word has.

    A token counts where it reads exactly as the word; the probabilities of several that do, as a vocabulary may have
    them for the beginning of a word and for its inside, are added. A word that is not among the most likely has none.
    None where neither word is, or what stands there is no log-probability.
    """
    if not all(value < 1 for _, value in likely):  # as NaN is not; rounding may lift one a little above 0
        return None
    one, other = (math.fsum(math.exp(value) for text, value in likely if text == token) for token in (first, second))
    if not one + other:
        return None
    share = one / (one + other)
    return (1 + share if turned else 2 - share), one + other


def _compared(name: str, model: str, material: Mapping[str, Any], speak: Speaker, settings: Evaluation) -> Asking:
    rows, how, judge = chosen(material, settings), material["judge"], speak.of("judge")
    said = yield from answers(model, [row["instruction"] for row in rows], speak, settings)
    prompts: list[Ids | None] = []
    for row, answer in zip(rows, said, strict=True):
        text = None if isinstance(answer, str) else answer.text.strip()
        alone = text is None or text == row["output"].strip()
        prompts.append(None if alone else _judge_prompt(judge, how, row, text or ""))
    # Where log-probabilities are what counts, which token is drawn does not: greedy asks for the same ones without a
    # seed, and vLLM's CPU backend ends when a seeded request has its prompt taken up in parts.
    drawn = 0.0 if how["logprobs"] else how["temperature"]
    sampling = Sampling(
        max_tokens=how["max_tokens"],
        stop=judge.stop,
        temperature=drawn,
        seed=settings.seed if drawn else 0,
        logprobs=how["logprobs"],
    )
    verdicts = yield from asked("judge", prompts, judge, sampling, "judgements")
    judged = [_judged(judge, how, *each) for each in zip(rows, said, verdicts, strict=True)]
    signature = (
        f"win-rate|annotator:{how['name']}|judge:{judge_name(settings.judge)}|baseline:{material['baseline']}"
        f"|decoding:greedy|tokens:{answer_tokens(settings)}"
    )
    cut = sum(not isinstance(answer, str) and answer.finish == "length" for answer in said)
    return [_graded(name, signature, judged, {"cut off": cut}, {})]


def _judge_prompt(judge: Speaker, how: Mapping[str, Any], row: Mapping[str, str], answer: str) -> Ids:
    shown = (answer, row["output"]) if interchanged(row["instruction"]) else (row["output"], answer)
    words = {"instruction": row["instruction"], "output_1": shown[0], "output_2": shown[1]}
    # all at once, so that what an answer says is never taken for a field
    return judge_prompt(judge, how["system"], _FIELD.sub(lambda found: words[found[1]], how["prompt"]))


def _judged(
    judge: Speaker, how: Mapping[str, Any], row: Mapping[str, str], said: Completion | str, verdict: Completion | str
) -> Judged:
    instruction, baseline, subject = row["instruction"], row["output"], row["subject"]
    if isinstance(said, str):
        return Judged(instruction, baseline, subject, why=said)
    answer = said.text.strip()
    if verdict == "":  # nobody was asked
        return Judged(instruction, baseline, subject, answer, DRAW, told={"same": True})
    turned = interchanged(instruction)
    told: dict[str, Any] = {"first": "model" if turned else "baseline"}
    if isinstance(verdict, str):
        return Judged(instruction, baseline, subject, answer, None, f"{verdict} at the judge", told)
    told["judgement"] = verdict.text
    if how["logprobs"]:
        likely = [(judge.decode((token,)), value) for token, value in (verdict.logprobs or ((),))[0]]
        found = weighted(likely, turned, *how["tokens"])
        preference, told["mass"] = found or (None, 0.0)
        told["likely"] = [[text, value] for text, value in likely]
    else:
        preference = ranked(verdict.text, turned)
    return Judged(instruction, baseline, subject, answer, preference, "" if preference else "no judgement", told)


def _published(by: str, model: str, baseline: str, records: Sequence[Mapping[str, Any]]) -> Graded:
    judged = []
    for record in records:
        stored = record["preference"]
        number = float(stored) if isinstance(stored, int | float) else math.nan
        preference = DRAW if number == 0 else number if 1 <= number <= 2 else None
        why = "" if preference else "no judgement"
        subject = str(record.get("dataset") or "")
        judged.append(Judged(record["instruction"], record["output_1"], subject, record["output_2"], preference, why))
    twice = len(records) - len({(one.instruction, one.baseline, one.answer) for one in judged})
    name = next((name for name, judge in JUDGES.items() if (judge, BASELINES[name]) == (by, baseline)), by)
    signature = f"win-rate|annotator:{by}|baseline:{baseline}|judgements:given"
    return _graded(name, signature, judged, {"judged twice": twice}, {"system": model} | _computed_again(records))


def _computed_again(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What stored log-probabilities come to by our own rule. Which order a record had, its preference tells."""
    apart: list[float] = []
    turned = as_here = 0
    for record in records:
        try:  # whatever a server said
            top = record["raw_completion"]["logprobs"]["content"][0]["top_logprobs"]
            likely = [(str(other["token"]), float(other["logprob"])) for other in top]
        except (KeyError, TypeError, IndexError, ValueError):
            continue
        both = [weighted(likely, way) for way in (False, True)]
        gaps = [abs(found[0] - record["preference"]) for found in both if found]
        if gaps:
            apart.append(min(gaps))
            turned += gaps[1] < gaps[0]
            as_here += (gaps[1] < gaps[0]) == interchanged(record["instruction"])
    if not apart:
        return {}
    orders = {"in order": len(apart) - turned, "interchanged": turned, "in the order of this program": as_here}
    return {"computed again": {"records": len(apart), "largest difference": max(apart), **orders}}


def _graded(
    name: str, signature: str, judged: Sequence[Judged], notes: Mapping[str, int], facts: Mapping[str, Any]
) -> Graded:
    keys, seen = [], Counter[str]()
    for each in judged:
        key = content_key(each.instruction)
        seen[key] += 1
        keys.append(f"{key}#{seen[key]}" if seen[key] > 1 else key)
    items = tuple(
        Item(
            key,
            None if each.preference is None else 100 * (each.preference - 1),
            each.subject,
            {"instruction": each.instruction, "answer": each.answer, "preference": each.preference}
            | ({"why": each.why} if each.why else {})
            | dict(each.told),
        )
        for key, each in zip(keys, judged, strict=True)
    )
    counted = Counter(each.why for each in judged if each.why) + Counter(notes)
    signature = f"{signature}|version:dragoman-{__version__}"
    return Graded(name, "instruction", signature, items, notes=dict(counted), facts={**facts, **_facts(judged)})


def _facts(judged: Sequence[Judged]) -> dict[str, Any]:
    """What a leaderboard has beside the win rate."""
    gains = [each.preference - 1 for each in judged if each.preference is not None]
    wins, losses = sum(gain > 0.5 for gain in gains), sum(gain < 0.5 for gain in gains)
    draws = len(gains) - wins - losses
    facts: dict[str, Any] = {"wins": wins, "losses": losses, "draws": draws, "n": len(gains)}
    if gains:
        facts["discrete win rate"] = 100 * (wins / len(gains) + 0.5 * draws / len(gains))
    if len(gains) > 1:
        mean = math.fsum(gains) / len(gains)
        variance = math.fsum((gain - mean) ** 2 for gain in gains) / (len(gains) - 1)
        facts["standard error"] = math.sqrt(variance) / math.sqrt(len(gains)) * 100
    lengths = [(len(each.answer), len(each.baseline)) for each in judged if each.answer is not None]
    if lengths:
        own, other = (sum(side) / len(lengths) for side in zip(*lengths, strict=True))
        facts |= {"characters": own, "baseline characters": other, "length difference": own - other}
    masses = [each.told["mass"] for each in judged if "mass" in each.told]
    if masses:
        facts["probability of a verdict"] = sum(masses) / len(masses)
    return facts
