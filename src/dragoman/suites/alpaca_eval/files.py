"""AlpacaEval's files: instructions with a baseline's outputs, the judges' prompts, published annotations.

    model_outputs.json   [{"instruction": "…", "output": "…", "generator": "text_davinci_003", "dataset": "koala"}, …]
    configs.yaml         how a judge is asked; its prompt lies beside, with turns between <|im_start|> and <|im_end|>
    annotations.json     [{"instruction", "output_1", "output_2", "generator_2", "preference", "raw_completion"}, …]

The user's own file has the form of `model_outputs.json`, or one such object per line; `prompt` may replace
`instruction`. If answers are compared with those of another model that is asked as well, it needs no `output`.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

from dragoman.corpora.catalog import find, local
from dragoman.corpora.formats.text import decoded, whole
from dragoman.corpora.formats.values import json_records, yaml_file
from dragoman.errors import DataError, refuse
from dragoman.json_values import JsonObject
from dragoman.suites._instructions import Instruction, Instructions
from dragoman.suites._suite import Material

ENTRY = "alpaca-eval"
BASELINES: Mapping[str, str] = {"alpaca-eval": "text_davinci_003", "alpaca-eval-2": "gpt4_1106_preview"}
"""The models whose outputs a model's answers are compared with."""
JUDGES: Mapping[str, str] = {"alpaca-eval": "alpaca_eval_gpt4", "alpaca-eval-2": "weighted_alpaca_eval_gpt4_turbo"}
"""The published annotator of each leaderboard, whose prompt and settings the judge gets."""
_INSTRUCTIONS = BASELINES["alpaca-eval"]  # whose file is read for its instructions alone
_OUTPUTS, _SETTINGS = "model_outputs.json", "configs.yaml"
_TURN = re.compile(r"<\|im_start\|>\s*(system|user|assistant)\s*\n(.*?)<\|im_end\|>", re.DOTALL)


class BaselineAnswer(Instruction):
    """An instruction with the baseline's answer."""

    output: str


class Annotator(TypedDict):
    """How a published annotator is asked."""

    name: str
    system: str
    prompt: str
    max_tokens: int
    temperature: float
    logprobs: int
    """How many of the most likely tokens are weighed; 0 if the annotator writes its judgement."""
    tokens: list[str]
    """The tokens that stand for the two answers, if tokens are weighed."""


class Compared(Material):
    """What a leaderboard asks: instructions with a baseline's answers, and how the judge is asked to compare."""

    items: list[BaselineAnswer]
    baseline: str
    judge: Annotator


def read(kind: str, place: Sequence[Path], annotator: str | None = None) -> Compared:
    """What a leaderboard asks.

    The judge is asked as by `annotator`, or the leaderboard's own if that is None. `place` is the catalogue's files,
    a folder that contains them somewhere, or the user's own file. `DataError` says what is missing or invalid.
    """
    files = _below(place)
    items, generators = _items(_outputs(files, place, BASELINES[kind]), with_output=True)
    return {
        "texts": [item["instruction"] for item in items],
        "items": items,
        "baseline": "+".join(generators) or "own",
        "judge": _judge(annotator or JUDGES[kind], files),
    }


def read_instructions(place: Sequence[Path]) -> Instructions:
    """Only the instructions, found as by `read`; the user's own file needs no outputs."""
    items, _ = _items(_outputs(_below(place), place, _INSTRUCTIONS), with_output=False)
    told: list[Instruction] = [{"instruction": item["instruction"], "subject": item["subject"]} for item in items]
    return {"texts": [item["instruction"] for item in told], "items": told}


def _below(place: Sequence[Path]) -> list[Path]:
    return [file for path in place for file in (sorted(path.rglob("*")) if path.is_dir() else [path])]


def annotations(path: Path) -> list[JsonObject]:
    """The records of a published file of annotations. `DataError` if it is not one."""
    found, faults = [], []
    for place, record in json_records(path):
        missing = [name for name in ("instruction", "output_1", "output_2") if not isinstance(record.get(name), str)]
        if missing or "preference" not in record:
            faults.append(f"{place}: needs {', '.join(missing or ['preference'])}, as AlpacaEval's annotations have")
        found.append(record)
    refuse(faults)
    if not found:
        raise DataError(f"{path} has no annotations in it")
    return found


def turns(text: str, name: str = "the prompt") -> list[tuple[str, str]]:
    """The turns of a prompt written with <|im_start|> and <|im_end|>; `DataError` if there are none."""
    found = [(role, content.strip()) for role, content in _TURN.findall(text)]
    if not found or _TURN.sub("", text).strip():
        raise DataError(f"{name} is no prompt of AlpacaEval: turns stand between <|im_start|>ROLE and <|im_end|>")
    return found


def _outputs(files: Sequence[Path], place: Sequence[Path], generator: str) -> Path:
    """The file of outputs: the only one, or that of a generator, which its folder is named after."""
    known = [file for file in files if file.name == _OUTPUTS]
    own = [file for file in files if file.suffix in (".json", ".jsonl") and file.is_file()]
    for found in ([file for file in known if file.parent.name == generator], known, own):
        if len(found) == 1:
            return found[0]
    there = ", ".join(str(path) for path in place)
    raise DataError(
        f"AlpacaEval needs one file of instructions, such as {generator}/{_OUTPUTS}; in {there} there are "
        f"{len(known) or len(own)} that could be it"
    )


def _items(path: Path, with_output: bool) -> tuple[list[BaselineAnswer], list[str]]:
    """The instructions of a file, and who wrote the outputs; outputs are empty if not wanted."""
    items: dict[str, BaselineAnswer] = {}
    generators: dict[str, None] = {}
    faults = []
    for place, record in json_records(path):
        name = "instruction" if "instruction" in record else "prompt"
        text = record.get(name)
        if not isinstance(text, str) or not text.strip():
            faults.append(f"{place}: 'instruction' (or 'prompt') must be some text")
            continue
        if record.get("input"):
            text = f"{text}\n\n{record['input']}"
        if text in items:
            faults.append(f"{place}: the same instruction again: {text[:60]!r}")
        if with_output and not isinstance(record.get("output"), str):
            faults.append(f"{place}: 'output' is missing, the answer to compare with")
        output = str(record.get("output", "")) if with_output else ""
        items[text] = {"instruction": text, "subject": str(record.get("dataset") or ""), "output": output}
        if with_output:
            generators.setdefault(str(record.get("generator") or "own"))
    refuse(faults)
    if not items:
        raise DataError(f"{path} has no instructions in it")
    return list(items.values()), list(generators)


def _judge(name: str, files: Sequence[Path]) -> Annotator:
    """How a published annotator is asked: its prompt, and its configuration's token limit and sampling."""
    path = _configuration(f"{name}/{_SETTINGS}", files)
    try:
        configuration: Any = yaml_file(path)
        told = configuration[name]
        sampling, parser = told["completions_kwargs"], told.get("completion_parser_kwargs", {})
        longest, temperature = int(sampling["max_tokens"]), float(sampling["temperature"])
        logprobs, tokens = int(sampling.get("top_logprobs", 0)), list(parser.get("denominator_tokens", ()))
        template = _configuration(str(told["prompt_template"]), files)
    except DataError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise DataError(f"{path} is no configuration of the annotator {name}: {error!r}") from error
    spoken = turns(decoded(whole(template), str(template)), str(template))
    if [role for role, _ in spoken] != ["system", "user"]:
        raise DataError(f"{template}: a system prompt and one turn of the user are needed")
    return {
        "name": name,
        "max_tokens": longest,
        "temperature": temperature,
        "logprobs": logprobs,
        "tokens": tokens,
        "system": spoken[0][1],
        "prompt": spoken[1][1],
    }


def _configuration(path: str, files: Sequence[Path]) -> Path:
    """A file of the annotators' configurations: among those given, or from the catalogue."""
    ending = Path(path).parts
    given = next((file for file in files if file.parts[-len(ending) :] == ending), None)
    return given or local(find(ENTRY), f"evaluators_configs/{path}")
