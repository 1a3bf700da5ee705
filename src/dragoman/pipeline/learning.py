"""What a method makes of so much data: examples, their tokens, and what is asked of a model for them.

The methods of this package are known here by what they do. One that is not is taken to make the
examples it says it makes, of references alone, and to ask for nothing that could be foreseen.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dragoman.methods import available
from dragoman.pipeline.estimate import Asking
from dragoman.pipeline.geometry import machines
from dragoman.pipeline.volumes import Volume

QUIET = ("vanilla", "multitask")  # ask for nothing
REWRITING = 60  # tokens that the request to rewrite a reference adds


@dataclass(frozen=True, slots=True)
class Learning:
    """Examples, the tokens in them, those with a loss, and what is asked for them. `longer`: what the model
    will answer, in lengths of the reference. `known`: whether it is known what the method asks for."""

    examples: float
    tokens: float
    trained: float
    asking: Asking | None = None
    what: str = ""
    longer: float = 1.0
    known: bool = True


def learning(
    method: str, options: Mapping[str, Any], base: Volume, mixed: Volume, measured: float | None = None
) -> Learning:
    """What a method learns of what is to be learnt, and what is mixed in. `measured`: tokens of an answer that it
    was given before, with this backbone."""
    count = base.records
    if options.get("rationale"):
        return _with_rationales(options, base, measured)
    if method == "seq_kd":
        answered = count * _length(base, options, measured)
        asking = Asking(count, base.asked, answered)
        tokens, trained = 2 * base.asked + base.answered + answered, base.answered + answered
        return Learning(2 * count, tokens, trained, asking, "own answers", _longer(trained / 2, base))
    if method == "sdft_rewrite":
        answered = count * _length(base, options, measured)
        asking = Asking(count, base.asked + base.answered + REWRITING * count, answered)
        return Learning(count, base.asked + answered, answered, asking, "rewrites", _longer(answered, base))
    copies = available()[method].examples
    whole = base.of(copies * count) + mixed
    tokens = whole.asked + whole.answered
    return Learning(whole.records, tokens, whole.answered, known=method in QUIET)


def asked_alike(method: str, options: Mapping[str, Any]) -> str:
    """The same for two rows that ask a model the same, or one a part of what the other asks."""
    said = {name: value for name, value in options.items() if name not in ("label", "rationale_fraction", "filters")}
    if said.get("rationale"):
        said["rationale"] = {name: value for name, value in said["rationale"].items() if name != "weight"}
    return json.dumps([method, said], sort_keys=True)


def _with_rationales(options: Mapping[str, Any], base: Volume, measured: float | None) -> Learning:
    """Rationales of a share of the records, one or several of each."""
    rationale = options["rationale"]
    samples = rationale.get("samples_per_pair", 1)
    chosen = round(base.records * options.get("rationale_fraction", 1))
    asked = chosen * samples
    prompts = base.of(chosen)
    length = min(rationale["max_tokens"], measured or machines()["assumed"]["rationale"])
    asking = Asking(asked, samples * (prompts.asked + prompts.answered), asked * length)
    examples = base.of(base.records - chosen + asked)
    trained = examples.answered + asking.answered
    longer = _longer(base.answered + chosen * length, base)
    return Learning(examples.records, examples.asked + trained, trained, asking, "rationales", longer)


def _length(base: Volume, options: Mapping[str, Any], measured: float | None) -> float:
    """Tokens of the backbone's own answer to a record."""
    assumed: float = machines()["assumed"]["explained"] * base.answered / max(1, base.records)
    return min(float(options.get("max_tokens", assumed)), measured or assumed)


def _longer(answered: float, base: Volume) -> float:
    return answered / base.answered if base.answered else 1.0


def measured_length(finished: Sequence[Mapping[str, Any]], method: str, digest: str) -> float | None:
    """Tokens of what a method was answered, by the newest examples that it made with this backbone."""
    known = [facts for facts in finished if facts["rate"]["of"] == ["examples", method, digest]]
    newest = max(known, key=lambda facts: str(facts["finished"]), default=None)
    report = newest and newest.get("rationales")
    if report and report["used"]:
        return float(report["tokens"] / report["used"])
    generated = newest and newest.get("generated")
    return float(generated["tokens"] / generated["answers"]) if generated and generated["answers"] else None
