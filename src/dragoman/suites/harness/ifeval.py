"""IFEval: whether an answer follows its instructions, by lm-evaluation-harness's own checkers.

Four accuracies are published: of prompts whose instructions were all followed, and of instructions; each strict, and
loose (the answer also without its first line, its last line, and asterisks).

Two kinds of instructions are about sentences and words as NLTK's `punkt_tab` splits them. The harness downloads it
when its checkers are imported; here nothing is downloaded, and an error asks for it if a question needs it.
"""

import io
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path
from types import ModuleType

from dragoman.corpora.formats.outputs import matched, read_outputs, read_records
from dragoman.errors import DataError, EngineError, refuse
from dragoman.suites._saved import Mean, Result, Saved, SavedTask, Share, Tell

ACCURACIES = ("prompt_level_strict_acc", "inst_level_strict_acc", "prompt_level_loose_acc", "inst_level_loose_acc")
"""The accuracies, by their names in the harness."""
CUT = ("length_constraints:number_sentences", "change_case:capital_word_frequency")
"""Instructions that need `punkt_tab`."""


@dataclass(frozen=True, slots=True)
class Instructed:
    """A prompt of IFEval with its instructions and their arguments."""

    key: str
    prompt: str
    instructions: tuple[str, ...]
    arguments: tuple[Mapping[str, object], ...]
    where: str = field(default="a question", compare=False)
    """The file and the line, for messages."""


def read_ifeval(path: Path) -> list[Instructed]:
    """The questions of IFEval's file (`input_data.jsonl`). `DataError` names each invalid line."""
    found: list[Instructed] = []
    faults: list[str] = []
    for number, record in read_records(path):
        names, arguments = record.get("instruction_id_list"), record.get("kwargs")
        prompt = record.get("prompt")
        if not isinstance(prompt, str) or not isinstance(record.get("key"), int | str):
            faults.append(
                f"{path}, line {number}: 'key' and 'prompt' are needed, as in IFEval; it has {', '.join(record)}"
            )
        elif not (isinstance(names, list) and isinstance(arguments, list) and names and len(names) == len(arguments)):
            faults.append(f"{path}, line {number}: 'instruction_id_list' and 'kwargs' must be lists of the same length")
        elif len(known := [one for one in names if isinstance(one, str)]) < len(names) or len(
            given := [one for one in arguments if isinstance(one, dict)]
        ) < len(arguments):
            faults.append(f"{path}, line {number}: 'instruction_id_list' must hold names, and 'kwargs' objects")
        else:
            where = f"{path}, line {number}"
            found.append(Instructed(str(record["key"]), prompt, tuple(known), tuple(given), where))
    refuse(faults)
    return found


def followed(questions: Sequence[Instructed], answers: Sequence[str]) -> dict[str, list[tuple[bool, ...]]]:
    """Accuracy → for each question its verdicts: one if prompts are counted, otherwise one per instruction.

    The language of an answer is guessed by a library that draws at random, as in the harness; here always with the
    same result. If a checker can't cope with an answer, as with JSON that is nested too deep, that instruction was
    not followed.

    `EngineError` if the harness, or `punkt_tab` for a question that needs it, is missing; `DataError`, before an
    answer is looked at, if an instruction is unknown to the harness, or its arguments are not what it takes.
    """
    utils, known = _harness()
    unknown = sorted({name for question in questions for name in question.instructions} - known)
    if unknown:
        raise DataError(f"unknown instructions of IFEval: {', '.join(unknown)}. There are: {', '.join(sorted(known))}")
    _need_cutting(questions)
    with _same_draws():
        refuse([fault for question in questions for fault in _faults(utils, question)])
    found: dict[str, list[tuple[bool, ...]]] = {name: [] for name in ACCURACIES}
    with _same_draws():
        for question, answer in zip(questions, answers, strict=True):
            for name, verdict in _verdicts(utils, question, answer).items():
                found[name].append(verdict)
    return found


def _verdicts(utils: ModuleType, question: Instructed, answer: str) -> dict[str, tuple[bool, ...]]:
    """The harness's verdicts on an answer; if it breaks off at one of several instructions, on each separately."""
    try:
        found = _processed(utils, question, answer)
        return {name: tuple(one) if isinstance(one, list) else (bool(one),) for name, one in found.items()}
    except Exception:  # the checkers are others' code, and an answer may be anything
        if len(question.instructions) == 1:
            return dict.fromkeys(ACCURACIES, (False,))
    parts = [_verdicts(utils, part, answer) for part in _parts(question)]
    each = {name: tuple(part[name][0] for part in parts) for name in ACCURACIES}
    return {name: each[name] if name.startswith("inst_level") else (all(each[name]),) for name in ACCURACIES}


def _faults(utils: ModuleType, question: Instructed) -> Iterator[str]:
    """Instructions with arguments that their checker does not take, which some only notice at an answer."""
    for part in _parts(question):
        try:
            _processed(utils, part, "Yes.")
        except Exception as error:
            given = json.dumps(part.arguments[0], ensure_ascii=False)
            what = f"{type(error).__name__}: {error}"
            yield f"{question.where}: {part.instructions[0]} can't be checked with the arguments {given} ({what})"


def _parts(question: Instructed) -> list[Instructed]:
    """A question as several, each with one of its instructions."""
    pairs = zip(question.instructions, question.arguments, strict=True)
    return [replace(question, instructions=(name,), arguments=(given,)) for name, given in pairs]


def _processed(utils: ModuleType, question: Instructed, answer: str) -> dict[str, bool | list[bool]]:
    record = {
        "key": question.key,
        "prompt": question.prompt,
        "instruction_id_list": list(question.instructions),
        "kwargs": [dict(one) for one in question.arguments],
    }
    found: dict[str, bool | list[bool]] = utils.process_results(record, [answer])
    return found


def harness_version() -> str:
    """The installed version of lm-evaluation-harness."""
    return metadata.version("lm_eval")


def _harness() -> tuple[ModuleType, set[str]]:
    """The harness's scoring module, and the names of its instructions."""
    try:
        import nltk
    except ImportError as error:
        raise EngineError(_MISSING.format(error=error)) from error
    download = nltk.download
    nltk.download = lambda *_, **__: False  # importing the checkers would go to the network
    try:
        with redirect_stdout(io.StringIO()):  # and say on standard output that it did
            from lm_eval.tasks.ifeval import instructions_registry, utils
    except ImportError as error:
        raise EngineError(_MISSING.format(error=error)) from error
    finally:
        nltk.download = download
    return utils, set(instructions_registry.INSTRUCTION_DICT)


_MISSING = (
    "IFEval is scored with lm-evaluation-harness' own checkers, which are not here ({error}). Install them with: "
    "pip install 'dragoman[harness]'"
)


def _need_cutting(questions: Sequence[Instructed]) -> None:
    import nltk

    concerned = [question.key for question in questions if set(question.instructions) & set(CUT)]
    if not concerned:
        return
    try:
        nltk.data.find("tokenizers/punkt_tab/english/")
    except LookupError as error:
        raise EngineError(
            f"{len(concerned):,} of {len(questions):,} questions of IFEval (key {concerned[0]} is the first) have "
            f"instructions that are checked with NLTK's punkt_tab ({', '.join(CUT)}), and it is not on this machine. "
            "Get it once, where there is a network, with: python -m nltk.downloader punkt_tab. Elsewhere, name the "
            "folder that has tokenizers/punkt_tab in the variable NLTK_DATA."
        ) from error


@contextmanager
def _same_draws() -> Iterator[None]:
    """Within the block, the guess of languages, and arguments that a question leaves open, are always the same."""
    from langdetect import DetectorFactory

    seed, state = DetectorFactory.seed, random.getstate()
    DetectorFactory.seed = 0
    random.seed(0)
    try:
        yield
    finally:
        DetectorFactory.seed = seed
        random.setstate(state)


# Saved answers


def _score(saved: Saved, tell: Tell) -> list[Result]:
    assert saved.data is not None
    questions = read_ifeval(saved.data)
    ids = [question.key for question in questions]
    told = {"task": "ifeval", "rule": f"lm-eval-{harness_version()}", "langdetect": "seed-0"}
    found: list[Result] = []
    for system, path in saved.files.items():
        read = read_outputs(path, ("id", "key"), ("output", "response"))
        outputs = matched(path, read, ids, str(saved.data))
        for name, verdicts in followed(questions, [text for (text,) in outputs]).items():
            if name.startswith("inst_level"):
                found.append(Share(name, system, verdicts, told))
            else:
                found.append(Mean(name, system, [100.0 * verdict for (verdict,) in verdicts], told))
    return found


TASK = SavedTask("ifeval", _score)
