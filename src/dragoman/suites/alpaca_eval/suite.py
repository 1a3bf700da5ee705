"""AlpacaEval 1 and 2: how often a judge prefers a model's answer to a baseline's.

Each instruction is answered greedily, and the judge sees that answer and the baseline's, in an order that the
instruction decides as it did for the published results. AlpacaEval 1 asks for a ranking; AlpacaEval 2 for one token,
and weighs `m` against `M` by their log-probabilities. Two equal answers are a draw without asking the judge.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from dragoman.generation.ask import Completion, Ids, Sampling
from dragoman.recipe.judging import Evaluation
from dragoman.suites._instructions import answer_tokens, answered, answers
from dragoman.suites._judge import judge_name, judge_prompt
from dragoman.suites._suite import Asking, JudgedOptions, JudgedSuite, Speaker
from dragoman.suites.alpaca_eval.files import Annotator, BaselineAnswer, Compared, read
from dragoman.suites.alpaca_eval.published import TASK
from dragoman.suites.alpaca_eval.win_rate import DRAW, Comparison, graded, interchanged, ranked, weighted

_FIELD = re.compile(r"\{(instruction|output_1|output_2)\}")


class Options(JudgedOptions):
    """AlpacaEval, with a judge and an annotator."""

    annotator: Literal["alpaca_eval_gpt4", "weighted_alpaca_eval_gpt4_turbo"] | None = None
    """The published annotator by whose prompt and settings the judge is asked; that of the leaderboard when absent."""


class AlpacaEval(JudgedSuite[Compared]):
    """The judge ranks the two answers."""

    kind = "alpaca-eval"
    title = "AlpacaEval"
    saved = (TASK,)
    side = "instruction"
    heading, rank = "instructions", 5
    takes = Options
    entry = "alpaca-eval"
    judged_by = "judge"
    options: Options

    def read(self, files: Sequence[Path]) -> Compared:
        return read(self.kind, files, self.options.annotator)

    def ask(self, model: str, material: Compared, speak: Speaker, settings: Evaluation) -> Asking:
        how, judge = material["judge"], speak.of("judge")
        rows = self.chosen(material["items"], settings, lambda row: row["instruction"])
        said = yield from answers(model, [row["instruction"] for row in rows], speak, settings)
        prompts = [_judge_prompt(judge, how, row, answer) for row, answer in zip(rows, said, strict=True)]
        # Where log-probabilities are what counts, which token is drawn does not: greedy asks for the same ones without
        # a seed, and vLLM's CPU backend ends when a seeded request has its prompt taken up in parts.
        drawn = 0.0 if how["logprobs"] else how["temperature"]
        sampling = Sampling(
            max_tokens=how["max_tokens"],
            stop=judge.stop,
            temperature=drawn,
            seed=settings.seed if drawn else 0,
            logprobs=how["logprobs"],
        )
        verdicts = yield from answered("judge", prompts, judge, sampling, "judgements")
        judged = [_judged(judge, how, *each) for each in zip(rows, said, verdicts, strict=True)]
        signature = (
            f"win-rate|annotator:{how['name']}|judge:{judge_name(settings.judge)}|baseline:{material['baseline']}"
            f"|decoding:greedy|tokens:{answer_tokens(settings)}"
        )
        cut = sum(not isinstance(answer, str) and answer.finish == "length" for answer in said)
        return [graded(self.kind, signature, judged, {"cut off": cut}, {})]


class AlpacaEval2(AlpacaEval):
    """The judge names the better answer with one token, weighed by log-probability."""

    kind = "alpaca-eval-2"
    title = "AlpacaEval 2"
    rank = 6


SUITES = (AlpacaEval, AlpacaEval2)


def _judge_prompt(judge: Speaker, how: Annotator, row: BaselineAnswer, said: Completion | str) -> Ids | None:
    """The judge's prompt about an answer; None if there is none, or it equals the baseline's."""
    if isinstance(said, str) or said.text.strip() == row["output"].strip():
        return None
    answer = said.text.strip()
    shown = (answer, row["output"]) if interchanged(row["instruction"]) else (row["output"], answer)
    words = {"instruction": row["instruction"], "output_1": shown[0], "output_2": shown[1]}
    # all at once, so that what an answer says is never taken for a field
    return judge_prompt(judge, how["system"], _FIELD.sub(lambda found: words[found[1]], how["prompt"]))


def _judged(
    judge: Speaker, how: Annotator, row: BaselineAnswer, said: Completion | str, verdict: Completion | str
) -> Comparison:
    instruction, baseline, subject = row["instruction"], row["output"], row["subject"]
    if isinstance(said, str):
        return Comparison(instruction, baseline, subject, why=said)
    answer = said.text.strip()
    if verdict == "":  # nobody was asked
        return Comparison(instruction, baseline, subject, answer, DRAW, told={"same": True})
    turned = interchanged(instruction)
    told: dict[str, object] = {"first": "model" if turned else "baseline"}
    if isinstance(verdict, str):
        return Comparison(instruction, baseline, subject, answer, None, f"{verdict} at the judge", told)
    told["judgement"] = verdict.text
    if how["logprobs"]:
        likely = [(judge.decode((token,)), value) for token, value in (verdict.logprobs or ((),))[0]]
        found = weighted(likely, turned, *how["tokens"])
        preference, told["mass"] = found or (None, 0.0)
        told["likely"] = [[text, value] for text, value in likely]
    else:
        preference = ranked(verdict.text, turned)
    return Comparison(instruction, baseline, subject, answer, preference, "" if preference else "no judgement", told)
