"""A GGUF file becomes a backbone's folder: weights in bf16, tokenizer, chat template, settings, and a card.

What cannot be relied on is refused: a tokenizer that cuts texts in an unknown way, a template that alters answers, a
model that lacks numbers of the file. The folder appears at its place when it is finished.
"""

import os
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from dragoman import __version__
from dragoman.corpora.records import Turn
from dragoman.disk import beside, in_bytes, open_as_usual, sha256
from dragoman.errors import EngineError, TemplateError
from dragoman.generation.ask import Ids, Sampling
from dragoman.models.catalog import ModelEntry
from dragoman.models.gguf.header import Header, read_header
from dragoman.pipeline.models import against_llama_cpp
from dragoman.progress import progress
from dragoman.prompts.render import Renderer

QUESTIONS = (
    "What is the capital of France?",
    "How many days does a week have?",
    "Translate into German: Good morning!",
)
STEPS = ("tokenizer and chat template are sound", "weights are whole", "it answers")
LONGEST = 48  # tokens of an answer
LIBRARIES = ("gguf", "torch", "transformers")


@dataclass(frozen=True, slots=True)
class Imported:
    """What was made of a GGUF file."""

    folder: Path
    weights: str
    """As in `dequantised from Q4_1`."""
    answers: tuple[tuple[str, str], ...]
    """Plain questions, with its greedy answers."""


def import_gguf(file: Path, out: Path, *, model: ModelEntry | None = None) -> Imported:
    """Makes a backbone's folder of a GGUF file; as a model of the catalogue, its weights must be those described.

    EngineError or TemplateError if that is impossible, or the folder exists.
    """
    if out.exists():
        raise EngineError(f"{out} exists already. Name a folder that does not; nothing is overwritten.")
    header = read_header(file)
    out.parent.mkdir(parents=True, exist_ok=True)
    free, needed = shutil.disk_usage(out.parent).free, 2 * header.numbers
    if free < needed:
        raise EngineError(
            f"{out} will take {in_bytes(needed)}, and its disk has {in_bytes(free)} left. Make room, or name a folder "
            "on another disk."
        )
    work = beside(out)
    work.mkdir()
    try:
        made = _make(header, work, out, model)
        open_as_usual(work)
        for path in work.iterdir():
            with path.open("rb") as written:
                os.fsync(written.fileno())
        work.rename(out)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return made


def _make(header: Header, work: Path, out: Path, model: ModelEntry | None) -> Imported:
    from dragoman.models.gguf.tokenizer import write_tokenizer
    from dragoman.models.gguf.weights import check_supported, tensors_digest, write_weights

    with progress(f"reading {header.path.name}", len(STEPS), "steps") as bar:
        check_supported(header)
        write_tokenizer(header, work)
        renderer = _renderer(header, work)
        bar.advance(remark=STEPS[0])
        write_weights(header, work)
        bar.advance(remark=STEPS[1])
        answers, texts = _answers(renderer, work)
        compared = _compared(header, work, texts)
        bar.advance(remark=STEPS[2])
    if model and (found := tensors_digest(work)) != model.tensors:
        raise EngineError(
            f"The weights made of {header.path.name} are not those that the catalogue describes for {model.name}: "
            f"their checksum is {found} and should be {model.tensors}. Another version of transformers or gguf may "
            "read the file otherwise: install those of constraints.txt."
        )
    weights = f"dequantised from {header.quantised}" if header.quantised else "as in the file, in bf16"
    (work / "README.md").write_text(_card(header, weights, answers, compared, model), encoding="utf-8")
    return Imported(out, weights, answers)


def _renderer(header: Header, work: Path) -> Renderer:
    """The renderer of the new folder. Its errors name the file."""
    try:
        return Renderer.load(work)
    except (EngineError, TemplateError) as error:
        raise type(error)(str(error).replace(str(work), str(header.path))) from error


def _answers(renderer: Renderer, work: Path) -> tuple[tuple[tuple[str, str], ...], list[Ids]]:
    """Plain questions with the model's greedy answers, and the ids of each with its answer."""
    from dragoman.generation.hf.engine import HfEngine

    engine = HfEngine(work, decode=renderer.decode)
    prompts = [renderer.prompt([Turn("user", question)]) for question in QUESTIONS]
    said = dict(engine.complete(prompts, Sampling(LONGEST, renderer.stop)))
    engine.close()
    answers = tuple((question, said[at].text.strip()) for at, question in enumerate(QUESTIONS))
    return answers, [prompt + said[at].ids for at, prompt in enumerate(prompts)]


def _compared(header: Header, work: Path, texts: list[Ids]) -> str:
    """How the model compares with llama.cpp's reading of the file, in words."""
    if (other := against_llama_cpp.load(header.path, max(map(len, texts)))) is None:
        return "not held against llama.cpp, whose Python binding is not installed"
    return str(against_llama_cpp.compare(work, other, texts))


def _card(
    header: Header, weights: str, answers: tuple[tuple[str, str], ...], compared: str, model: ModelEntry | None
) -> str:
    types = ", ".join(f"{count} tensors in {kind}" for kind, count in header.types.items())
    title = model.name if model else header.text("general.name") or header.path.stem
    licence = model.licence if model else header.text("general.license") or "not stated in the file"
    lines = [
        f"# {title}",
        "",
        f"Made by dragoman {__version__} of the GGUF file `{header.path.name}`. The weights are {weights}: scores of "
        "the model that the file was made of are not this one's.",
        "",
        f"- file: sha256 `{sha256(header.path)}`, {header.path.stat().st_size:,} bytes",
        f"- in it: {header.architecture}, {header.numbers:,} numbers; {types}",
        "- here: every number in bf16",
        *([f"- from: the wheel `{model.wheel.file}` (sha256 `{model.wheel.sha256}`)"] if model else []),
        *([f"- the original: {model.original}"] if model else []),
        f"- licence: {licence}",
        f"- {compared}",
        f"- versions: {', '.join(f'{name} {version(name)}' for name in LIBRARIES)}",
        "",
        "Greedy answers:",
        "",
        *(f"- {question} → {' '.join(answer.split())}" for question, answer in answers),
    ]
    return "\n".join(lines) + "\n"
