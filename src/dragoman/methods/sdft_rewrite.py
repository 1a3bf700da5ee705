"""SDFT: the backbone first rewrites each reference in its own words, and the rewrite is trained instead.

The wording of the request and the rules for keeping an original are those of SDFT's code (github.com/sail-sg/sdft,
`alpaca_distill_using` in main.py and eval/gen_distilled_data.py).
"""

import re
from collections import Counter
from collections.abc import Sequence
from textwrap import dedent
from typing import Annotated, Literal

from pydantic import Field

from dragoman.corpora.amounts import Amounts
from dragoman.corpora.records import Dialogue, Record
from dragoman.generation.ask import Ask, Asking, Completion, Ids, Sampling
from dragoman.methods import Expected, Forecast, Lesson, Making, MethodOptions
from dragoman.prompts.speak import Adopted, Speaker
from dragoman.rationales.faults import is_empty
from dragoman.recipe.fields import Positive

TITLE, PLACE = "SDFT", 3

SYSTEM = (
    "Below are an instruction that describes a task along with a reference answer. "
    "Using the reference answer as a guide, write your own response."
)
BODY = "### Instruction:\n{request}\n\n### Reference Answer:\n{reference}\n\n### Response:\n"

# What tells that the model spoke of the task instead of doing it, in small print.
TELLTALES = ("reference answer", "your response", "my response", "your own response", "now it's your turn")
OPENING = "Your turn"
ADDED = 60  # tokens that the request to rewrite a reference adds to it, roughly

_FENCED = re.compile(r"^[ \t]*```[^\n]*\n(.*?)(?:^[ \t]*```|\Z)", re.DOTALL | re.MULTILINE)
_BARE = re.compile(r"@\w|(?:async )?def \w+\(|class \w+[^\n]*:\n|import [\w., ]+\n|from [\w.]+ import ")


class Options(MethodOptions):
    template: Literal["chat", "paper"] = "chat"
    """`paper`: as raw text without chat format, as SDFT does it. `chat`: the same words as a user's turn."""
    max_tokens: Positive = 512
    """Longest rewrite; of one that is cut off here the original is kept."""
    temperature: Annotated[float, Field(ge=0)] = 0.0
    """0 is greedy."""
    seed: int = 0
    """Seed of sampled rewrites."""


def sdft_rewrite(records: Sequence[Record], speak: Speaker, options: Options) -> Making:
    """L = -log P(ỹ | x, I) with ỹ ~ P(y, x, I; θ), the reference y as the backbone would phrase it itself.

    The rewrite is learnt as the answer to the record's own request, not to the request to rewrite. If a rewrite is no
    good, the original is kept; the notes count why (`reason_to_keep`).
    """
    prompts = [prompt_of(record, speak, options.template) for record in records]
    fitting = [n for n, prompt in enumerate(prompts) if speak.context is None or len(prompt) < speak.context]
    sampling = Sampling(options.max_tokens, speak.stop, options.temperature, seed=options.seed)
    answers = yield Ask("backbone", [prompts[n] for n in fitting], sampling, "rewritten references")
    rewrites = dict(zip(fitting, answers, strict=True))

    lesson = Lesson([], Counter())
    for n, record in enumerate(records):
        prefix, rewrite = speak.prefix(record), rewrites.get(n)
        reason = reason_to_keep(record, rewrite) if rewrite else "too long for the model's context"
        if rewrite is None or reason:
            lesson.notes[f"originals kept: {reason}"] += 1
            lesson.examples.append(speak.example(prefix))
            continue
        lesson.notes["rewritten"] += 1
        lesson.notes["rewritten to the same words"] += rewrite.text.strip() == speak.texts(record)[1]
        # raw text may end with another token than a turn
        written = rewrite if options.template == "chat" else Adopted(rewrite.body, speak.renderer.end)
        lesson.examples.append(speak.own(prefix.key, prefix.prompt, written))
    return lesson


def forecast(learnt: Amounts, options: Options, expected: Expected) -> Forecast:
    base = learnt.total
    answered = base.records * expected.own_answer(base, options.max_tokens)
    return Forecast(
        base.records,
        base.asked + answered,
        answered,
        Asking(base.records, base.asked + base.answered + ADDED * base.records, answered),
        "rewrites",
        longer=answered / base.answered if base.answered else 1.0,
        alike=options.model_dump_json(),
    )


def prompt_of(record: Record, speak: Speaker, template: Literal["chat", "paper"]) -> Ids:
    """The request to rewrite a record's reference.

    SDFT's code puts nothing, not even a blank line, between the system's text and the body: it encodes the two
    separately and joins the ids, with no begin-of-text token. SentencePiece, which the vocabularies of Llama-2 and
    Mistral are made with, puts a space before a text, so the models saw one space there; `paper` has that space with
    every vocabulary, and so the same ids with those two. Unlike SDFT's code, it begins with the begin-of-text token
    if the model has one, as an engine that is given text does.
    """
    request, reference = speak.texts(record)
    body = BODY.format(request=request, reference=reference)
    return speak.plain(f"{SYSTEM} {body}") if template == "paper" else speak.chat(f"{SYSTEM}\n\n{body.rstrip()}")


def reason_to_keep(record: Record, rewrite: Completion) -> str:
    """Why the original is kept instead of its rewrite; empty if the rewrite is good.

    SDFT's rules: the rewrite mentions the task (`TELLTALES`), or begins with "Your turn". Two more: it is empty, or
    was cut off at the limit. If a conversation's reference has code, the rewrite must have the same code
    (`same_code`). SDFT's own rule there is another: a rewrite of its code data must have a block fenced as Python,
    and begin with "I have", "Here is" or "I implemented".
    """
    text = rewrite.text.strip()
    said = [telltale for telltale in TELLTALES if telltale in text.lower()]
    if rewrite.finish == "failed":
        return "failed"
    if is_empty(text):
        return "empty"
    if rewrite.finish == "length":
        return "cut off at the limit"
    if said:
        return f"says “{said[0]}”"
    if text.startswith(OPENING):
        return f"begins “{OPENING}”"
    if isinstance(record, Dialogue) and not same_code(record.turns[-1].text, text):
        return "other code"
    return ""


def same_code(reference: str, rewrite: str) -> bool:
    """Whether a rewrite has all code of the reference, line by line.

    Code is what stands in fenced blocks; without any, a whole text that begins like a Python program. Blank lines,
    spaces within a line, and the indentation of the whole block are ignored; indentation relative to the other lines
    counts, since in Python it is part of the program. True if there is no code.
    """
    wanted = _FENCED.findall(reference) or ([reference.strip()] if _BARE.match(reference.strip()) else [])
    found = [_lines(block) for block in _FENCED.findall(rewrite) or [rewrite]]
    return all(any(_holds(block, _lines(code)) for block in found) for code in wanted)


def _lines(code: str) -> list[tuple[int, str]]:
    """The lines of some code, each as its indentation and its text without spaces."""
    lines = dedent(code.expandtabs(4)).splitlines()
    return [(len(line) - len(line.lstrip()), "".join(line.split())) for line in lines if line.strip()]


def _holds(block: list[tuple[int, str]], code: list[tuple[int, str]]) -> bool:
    return any(block[start : start + len(code)] == code for start in range(len(block) - len(code) + 1))
