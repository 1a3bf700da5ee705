"""`data translate` as a job, from file to file: asks the model through the door, and marks the result as translated.

Answers are cached as they come, so a killed run resumes from there. The result is written at the end, with a file
that says what it was translated by, and one with the entries that were set aside.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dragoman.corpora.records import Pair
from dragoman.corpora.translatable.content import Mark
from dragoman.corpora.translatable.detect import recognised
from dragoman.errors import DataError, EngineError
from dragoman.generation.ask import Ids
from dragoman.generation.door import drive
from dragoman.generation.local_engine import best_engine
from dragoman.models.config import context_of, taught_alone
from dragoman.models.loading import fingerprint
from dragoman.pipeline.models.cast import find_folder
from dragoman.pipeline.models.engines import ModelSpec, check_engine, open_door
from dragoman.pipeline.translate_file.entries import MODEL, Counts, translated
from dragoman.progress import note
from dragoman.prompts.languages import language_name
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker
from dragoman.recipe.engines import Generation
from dragoman.store import Digests, Store, sha256, write_atomic

WORDINGS = 8  # seeds that are tried for another wording of a request


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be translated, by what, and where to. `model` is a directory, a name on the hub, or `lab`."""

    file: Path
    output: Path
    source: str
    target: str
    model: str
    settings: Generation
    cache: Path
    adapter: Path | None = None
    system: str | None = None
    max_tokens: int = 1024
    limit: int | None = None
    force: bool = False

    @property
    def aside(self) -> Path:
        """The file with the entries that could not be used."""
        return self.output.with_name(f"{self.output.name}.set-aside.jsonl")

    @property
    def about(self) -> Path:
        """The file that says what the result was translated by."""
        return self.output.with_name(f"{self.output.name}.translation.json")


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of a job: the format that the file was found to be in, and the counts."""

    format: str
    counts: Counts


class Reworded:
    """Asks for a translation in other words than the first speaker does, if there are any."""

    def __init__(self, renderer: Renderer, alone: bool):
        self._first, *self._others = (Speaker(renderer, seed, alone=alone) for seed in range(WORDINGS + 1))
        self.stop = self._first.stop

    def translate(self, pair: Pair) -> Ids:
        first = self._first.translate(pair)
        return next((ids for one in self._others if (ids := one.translate(pair)) != first), first)


def translate_file(job: Job) -> Report:
    """Runs a job. DataError or EngineError if it is impossible, before anything is asked."""
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    _check(job)
    content = recognised(job.file)
    folder = find_folder(job.model)
    asked = ModelSpec(folder, folder, job.adapter, system=job.system)
    check_engine(job.settings, asked)
    renderer, alone = asked.renderer(), taught_alone(folder)
    making = translated(
        content,
        job.source,
        job.target,
        (Speaker(renderer, alone=alone), Reworded(renderer, alone)),
        max_tokens=job.max_tokens,
        context=_context(folder, job.settings),
        limit=job.limit,
    )
    in_use = Store(job.cache.parent, note).in_use()
    with in_use, open_door(job.settings, job.cache, {MODEL: asked}, served=MODEL) as door:
        outcome = drive(making, door)
    by = _name(job)
    about = {
        "machine-translated": True,
        "by": by,
        "model": None if job.settings.engine == "openai" else _digest(job, folder),
        "engine": best_engine()[0] if job.settings.engine == "auto" else job.settings.engine,
        "server": job.settings.openai.address if job.settings.engine == "openai" else None,
        "from": job.source,
        "to": job.target,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "source": {"file": job.file.name, "sha256": sha256(job.file), "limit": job.limit},
        "format": content.format,
        "marked in the file": content.marked or None,
        "system": job.system,
        "max_tokens": job.max_tokens,
        "counts": outcome.counts.to_json(),
    }
    if outcome.aside:
        write_atomic(job.aside, "".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in outcome.aside))
    else:
        job.aside.unlink(missing_ok=True)
    write_atomic(job.about, json.dumps(about, ensure_ascii=False, indent=1) + "\n")
    if not outcome.done:
        reasons = "; ".join(f"{count:,} × {reason}" for reason, count in outcome.counts.set_aside.most_common())
        raise EngineError(
            f"none of the {outcome.counts.entries:,} entries of {job.file} could be used ({reasons}), so {job.output} "
            f"is not written. What {by} said is in {job.aside}: does it speak {language_name(job.target)}?"
        )
    write_atomic(job.output, content.written(outcome.done, Mark(by, job.source, job.target)))
    return Report(content.format, outcome.counts)


def _check(job: Job) -> None:
    for code in (job.source, job.target):
        language_name(code)
    if job.source == job.target:
        raise DataError(f"from {job.source} to {job.target}: these are the same; name the file's language with --from")
    if job.output.resolve() == job.file.resolve():
        raise DataError(f"{job.output} is the file itself; name another one with --output")
    if job.output.exists() and not job.force:
        raise DataError(f"{job.output} is there already; name another file with --output, or replace it with --force")
    if job.output.is_dir():
        raise DataError(f"{job.output} is a folder; name a file with --output")


def _context(folder: Path, settings: Generation) -> int | None:
    """How many tokens the model sees at once, if that is known here."""
    if not (folder / "config.json").is_file():
        return None
    known = [context_of(folder), settings.vllm.max_length if settings.engine == "vllm" else None]
    return min((length for length in known if length is not None), default=None)


def _digest(job: Job, folder: Path) -> str:
    memo = Digests(job.cache / "weights.json")
    found = fingerprint(folder, adapter=job.adapter, digest_of=memo.of)
    memo.save()
    return found


def _name(job: Job) -> str:
    """The model as a person would name it."""
    if job.settings.engine == "openai" and job.settings.openai.model:
        return job.settings.openai.model
    name = Path(job.model).name if Path(job.model).is_dir() else job.model
    return f"{name} with {job.adapter.name}" if job.adapter else name
