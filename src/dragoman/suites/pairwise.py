"""Pairwise comparison with the backbone on the same instructions: which of two answers a judge prefers.

The judge sees each pair in both orders, and a win counts only if both verdicts name the same answer; otherwise it is
a tie. That removes a judge's bias for a position, which is large in small judges; how large it was is given beside
the score. So are lengths: judges like long answers, and a win rate without lengths says little.

The prompt is our own, in one turn and short, with a verdict that is easy to write and to read.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dragoman import __version__
from dragoman.corpora.records import content_key
from dragoman.generation.ask import Completion, Ids, Sampling
from dragoman.recipe.judging import Evaluation
from dragoman.suites._graded import Graded, Item
from dragoman.suites._instructions import Instruction, Instructions, answer_tokens, answered, answers
from dragoman.suites._judge import counted, judge_name, judge_prompt
from dragoman.suites._suite import Asking, JudgedOptions, JudgedSuite, Speaker
from dragoman.suites.alpaca_eval.files import read_instructions

Side = Literal["model", "backbone", "tie"]

JUDGEMENT_TOKENS = 2048
PROMPT = """\
Two assistants, A and B, were given the same instruction. Which of them answered it better?

Judge whether the answer does what the instruction asks for, is correct, and is in the language that it should be in. \
A longer answer is not a better one, and it does not matter which answer comes first.

[Instruction]
{instruction}
[End of the instruction]

[Answer of A]
{first}
[End of the answer of A]

[Answer of B]
{second}
[End of the answer of B]

Give your reason in one sentence. After it write your verdict, and nothing more: [[A]] if A is better, [[B]] if B is \
better, [[C]] if neither is."""
SHOWN: tuple[Mapping[str, Side], Mapping[str, Side]] = (
    {"A": "model", "B": "backbone", "C": "tie"},
    {"A": "backbone", "B": "model", "C": "tie"},
)
"""Who a verdict means, in one order and in the other."""
VALUES: Mapping[Side, float] = {"model": 100.0, "tie": 50.0, "backbone": 0.0}

_VERDICT = re.compile(r"\[\[([ABC])\]\]")
_FIELD = re.compile(r"\{(instruction|first|second)\}")


@dataclass(frozen=True, slots=True)
class Duel:
    """An instruction with both answers, and two verdicts: with the model's answer shown first, and shown second."""

    model: str | None
    backbone: str | None
    verdicts: tuple[Side | None, Side | None] = (None, None)
    why: str = ""
    same: bool = False

    @property
    def winner(self) -> Side | None:
        """Who won; a tie unless both verdicts agree, and None if one of them is missing."""
        if self.same:
            return "tie"
        one, other = self.verdicts
        if one is None or other is None:
            return None
        return one if one == other else "tie"


class Pairwise(JudgedSuite[Instructions]):
    """Asks the model and the backbone, greedily, then the judge about each pair in both orders.

    The backbone is not compared with itself. Equal answers are a tie without asking the judge.
    """

    kind = "pairwise"
    title = "preferred to the backbone"
    side = "instruction"
    takes = JudgedOptions
    entry = "alpaca-eval"
    judged_by = "judge"
    compares = True

    def read(self, files: Sequence[Path]) -> Instructions:
        return read_instructions(files)

    def ask(self, model: str, material: Instructions, speak: Speaker, settings: Evaluation) -> Asking:
        if model == "backbone":
            return []
        rows = self.chosen(material["items"], settings, lambda row: row["instruction"])
        instructions = [row["instruction"] for row in rows]
        ours = yield from answers(model, instructions, speak, settings)
        theirs = yield from answers("backbone", instructions, speak.of("backbone"), settings)
        judge = speak.of("judge")
        prompts: list[Ids | None] = []
        for instruction, own, other in zip(instructions, ours, theirs, strict=True):
            pair = _texts(own, other)
            shown = [pair, pair[::-1]] if pair and pair[0] != pair[1] else [None, None]
            prompts += [two and judge_prompt(judge, "", _filled(instruction, *two)) for two in shown]
        longest = settings.judge.max_tokens if settings.judge else JUDGEMENT_TOKENS
        sampling = Sampling(max_tokens=longest, stop=judge.stop)
        said = yield from answered("judge", prompts, judge, sampling, "judgements")
        found = [
            _duel(own, other, said[2 * at : 2 * at + 2])
            for at, (own, other) in enumerate(zip(ours, theirs, strict=True))
        ]
        items = tuple(map(_item, rows, found, zip(said[::2], said[1::2], strict=True)))
        signature = (
            f"{self.kind}|against:backbone|judge:{judge_name(settings.judge)}|prompt:own-{content_key(PROMPT)[:6]}|orders:both"
            f"|decoding:greedy|tokens:{answer_tokens(settings)}|judgement:{longest}|version:dragoman-{__version__}"
        )
        notes = Counter(duel.why for duel in found if duel.why)
        for name, given in (("cut off", ours), ("cut off at the backbone", theirs)):
            notes[name] = sum(not isinstance(one, str) and one.finish == "length" for one in given)
        notes["verdicts that could not be read"] = sum(
            not isinstance(one, str) and verdict(one.text) is None for one in said
        )
        return [
            Graded(self.kind, "instruction", signature, items, kept=False, notes=counted(notes), facts=_facts(found))
        ]


SUITES = (Pairwise,)


def verdict(judgement: str) -> str | None:
    """`A`, `B` or `C` (a tie); None if a judgement names none of them, or several."""
    named = set(_VERDICT.findall(judgement))
    return named.pop() if len(named) == 1 else None


def _filled(instruction: str, first: str, second: str) -> str:
    words = {"instruction": instruction, "first": first, "second": second}
    return _FIELD.sub(lambda found: words[found[1]], PROMPT)


def _texts(own: Completion | str, other: Completion | str) -> tuple[str, str] | None:
    if isinstance(own, str) or isinstance(other, str):
        return None
    return own.text.strip(), other.text.strip()


def _duel(ours: Completion | str, theirs: Completion | str, said: Sequence[Completion | str]) -> Duel:
    texts = _texts(ours, theirs)
    if texts is None:
        own, other = (None if isinstance(answer, str) else answer.text.strip() for answer in (ours, theirs))
        return Duel(own, other, why=ours if isinstance(ours, str) else f"{theirs} at the backbone")
    if texts[0] == texts[1]:
        return Duel(*texts, same=True)
    first, second = (_side(judgement, names) for judgement, names in zip(said, SHOWN, strict=True))
    lost = next((judgement for judgement in said if isinstance(judgement, str)), "")
    why = f"{lost} at the judge" if lost else "no judgement" if None in (first, second) else ""
    return Duel(*texts, (first, second), why)


def _side(judgement: Completion | str, names: Mapping[str, Side]) -> Side | None:
    named = None if isinstance(judgement, str) else verdict(judgement.text)
    return names[named] if named else None


def _item(row: Instruction, duel: Duel, said: tuple[Completion | str, Completion | str]) -> Item:
    judgements = [one if isinstance(one, str) else one.text for one in said]
    told = {"instruction": row["instruction"], "answer": duel.model, "backbone": duel.backbone} | (
        {"same": True} if duel.same else {"verdicts": list(duel.verdicts), "judgements": judgements}
    )
    if duel.why:
        told["why"] = duel.why
    value = VALUES[duel.winner] if duel.winner else None
    return Item(content_key(row["instruction"]), value, row["subject"], told)


def _facts(duels: Sequence[Duel]) -> dict[str, float]:
    """Counts, the effect of the order, and that of length."""
    winners = Counter(duel.winner for duel in duels if duel.winner)
    wins, losses = winners["model"], winners["backbone"]
    facts: dict[str, float] = {
        "wins": wins,
        "ties": winners["tie"],
        "losses": losses,
        "same answers": sum(duel.same for duel in duels),
    }
    if winners:
        facts["wins less losses"] = 100 * (wins - losses) / winners.total()
    both = [duel for duel in duels if None not in duel.verdicts]
    if both:
        facts["verdicts that change with the order"] = (
            100 * sum(len(set(duel.verdicts)) > 1 for duel in both) / len(both)
        )
        places = [
            side == first
            for duel in both
            for side, first in zip(duel.verdicts, ("model", "backbone"), strict=True)
            if side != "tie"
        ]
        if places:
            facts["verdicts for the first answer"] = 100 * sum(places) / len(places)
    pairs = [
        (len(duel.model), len(duel.backbone)) for duel in duels if duel.model is not None and duel.backbone is not None
    ]
    if pairs:
        facts["characters"], facts["characters of the backbone"] = (
            sum(side) / len(pairs) for side in zip(*pairs, strict=True)
        )
    decided = [
        (duel.winner == "model") == (len(duel.model or "") > len(duel.backbone or ""))
        for duel in duels
        if duel.winner in ("model", "backbone") and len(duel.model or "") != len(duel.backbone or "")
    ]
    if decided:
        facts["wins of the longer answer"] = 100 * sum(decided) / len(decided)
    return facts
