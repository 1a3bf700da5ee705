"""`dragoman init`: a starter recipe for the user's own parallel files, with some of the pairs held out for testing."""

import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dragoman.commands.init.model_settings import MAX_TOKENS, settings_for
from dragoman.corpora.formats.parallel import ParallelText, read
from dragoman.corpora.pair_sample import PairSample
from dragoman.corpora.records import Pair, content_key, draw
from dragoman.errors import DataError, from_here
from dragoman.pipeline.data.mix_ups import MixUp, mix_ups, refuse_mix_ups
from dragoman.prompts.languages import language_name
from dragoman.suites.questions.question_files import read_questions

TEST_SENTENCES = 500
TEST_SHARE = 0.1

STARTER = """\
# Teaches {backbone} to translate from {source} into {target}{and_back}, in three ways, and shows
# what each gained and what it kept. `dragoman run {recipe} --dry-run` shows the plan, without it all is done.
name: {name}
backbone: {backbone}  # a directory, or a chat model on the Hugging Face hub

data:
  train:
    files:
      - {train}
        direction: {direction}
        both: {both}
  test:  # {test_from}
    files:
      - {test}
        direction: {direction}{test_both}
{dev}  max_tokens: {max_tokens}  # longer examples are left out, and counted{context}
{mix_ups}
methods:  # each is trained, judged and compared
  - keep  # learns the translations, and holds what the backbone says to general prompts: gains much, forgets little
  - vanilla  # learns the translations alone: what there is to gain, and to lose
  - radis: {{rationale: {{max_tokens: {rationale}}}}}  # also learns what the backbone goes on to say: takes longer

training:
  epochs: 3
  batch_size: {batch_size}
  learning_rate: {learning_rate}{size}
  lora: {{rank: 16}}

{evaluate}
"""
ONE_WAY = "false  # true: learn the other direction from the same pairs as well"
BOTH_WAYS = "true  # the other direction is learnt from the same pairs as well"
PROBES = """\
# The probes, questions in English, measure the abilities that should be kept; a file of your own (.jsonl) may be added.
evaluate: [translation, probes]"""
OF_THE_LAB = """\
# The lab's questions measure the abilities that should be kept; a file of your own (.jsonl) may be added.
evaluate: [translation, lab]"""
QUESTIONS = """\
# The questions measure the abilities that should be kept.
evaluate: [translation, {files}]"""
DEV = """\
  dev:  # the loss on these pairs is logged while training; what they share with the training pairs is left out of these
    files:
      - {files}
        direction: {direction}{both}
"""
NO_DEV = "  # dev: {share: 0.02}  # holds some of train out, and logs the loss on them while training\n"
MIXED_UP = "  mix_ups: warn  # don't refuse files that look mixed up\n"


@dataclass(frozen=True, slots=True)
class Starter:
    """What was written, and how many pairs there are; `doubts` are warnings.

    `folder` has the training and the test part; it is None where the recipe names the person's own files.
    """

    recipe: Path
    folder: Path | None
    train: int
    test: int
    empty: int
    doubts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person wants of the recipe, beside the pairs to learn from and the model to teach.

    `test` is a text of its own to be judged on; else `held_out` source sentences are (a tenth, at most 500, when None).
    `dev` is one to validate on. `mixed_up` takes files that are certainly mixed up; `force` overwrites.
    """

    test: ParallelText | None = None
    dev: ParallelText | None = None
    held_out: int | None = None
    both: bool = False
    questions: tuple[Path, ...] = ()
    mixed_up: bool = False
    force: bool = False


def write_starter(text: ParallelText, backbone: str, output: Path, folder: Path, wishes: Wishes = Wishes()) -> Starter:
    """Writes the recipe to `output`, and the pairs, split, to `folder`/train.jsonl and test.jsonl.

    With a test of its own, nothing is split, and the recipe names the files as they are. Raises DataError if files
    cannot be read, are certainly mixed up or have too few pairs to split, and if something would be overwritten.
    """
    files = {part: folder / f"{part}.jsonl" for part in ("train", "test")} if wishes.test is None else {}
    there = [str(path) for path in (output, *files.values()) if path.exists()]
    if there and not wishes.force:
        raise DataError(f"{', '.join(there)}: there already. Take another --output or --data, or say --force")
    for path in wishes.questions:
        read_questions(path)
    named = [one for one in (text, wishes.test, wishes.dev) if one is not None]
    given = [_given(one) for one in named]
    if empty_files := [_place(one) for one, read_in in zip(named, given, strict=True) if not read_in.pairs]:
        raise DataError(f"{'; '.join(empty_files)}: there are no pairs in there")
    doubts = refuse_mix_ups(
        [one for read_in in given for one in read_in.found], "warn" if wishes.mixed_up else "refuse"
    )
    if backbone.startswith((".", "/")) and not Path(backbone).is_dir():
        doubts = [*doubts, f"there is no model at {backbone}{from_here(backbone)}; `run` needs it there"]
    pairs = given[0].pairs
    if wishes.test is None:
        sides = _split(pairs, wishes.held_out)
        folder.mkdir(parents=True, exist_ok=True)
        for path, chosen in zip(files.values(), sides, strict=True):
            records = ({"source": pair.source, "target": pair.target} for pair in chosen)
            lines = "".join(f"{json.dumps(record, ensure_ascii=False)}\n" for record in records)
            path.write_text(lines, encoding="utf-8")
        train, test = (f"table: {_yaml(str(path))}" for path in files.values())
        test_from = f"{len(sides[1])} of {len(pairs)} pairs; none of their source sentences is in the training part"
    else:
        sides = (pairs, given[1].pairs)
        train, test = _files(text), _files(wishes.test)
        test_from = f"{len(sides[1])} pairs; what they share with the training pairs is left out of these"
    output.parent.mkdir(parents=True, exist_ok=True)
    recipe = _recipe(text, backbone, output, wishes)
    recipe |= {"train": train, "test": test, "test_from": test_from}
    output.write_text(STARTER.format(**recipe, batch_size=128 if len(sides[0]) >= 10_000 else 32), encoding="utf-8")
    empty = sum(read_in.empty for read_in in given)
    return Starter(output, None if wishes.test else folder, len(sides[0]), len(sides[1]), empty, tuple(doubts))


def _recipe(text: ParallelText, backbone: str, output: Path, wishes: Wishes) -> dict[str, object]:
    """What the recipe says beside its files and batches."""
    source, target = map(language_name, text.languages)
    suited = settings_for(backbone)
    files = ", ".join(_yaml(str(path)) for path in wishes.questions)
    short = suited.context is not None and suited.max_tokens < MAX_TOKENS
    return {
        "name": text.direction if output.stem == "recipe" else re.sub(r"[^A-Za-z0-9]+", "-", output.stem).strip("-"),
        "backbone": _yaml(backbone),
        "recipe": output,
        "direction": text.direction,
        "source": source,
        "target": target,
        "and_back": " and back" if wishes.both else "",
        "both": BOTH_WAYS if wishes.both else ONE_WAY,
        "test_both": "\n        both: true" if wishes.both else "",
        "dev": DEV.format(
            files=_files(wishes.dev), direction=text.direction, both="\n        both: true" if wishes.both else ""
        )
        if wishes.dev
        else NO_DEV,
        "max_tokens": suited.max_tokens,
        "context": f"; the model's context is {suited.context:,}, and a rationale follows" if short else "",
        "mix_ups": MIXED_UP if wishes.mixed_up else "",
        "rationale": suited.rationale,
        "learning_rate": suited.learning_rate,
        "size": f"  # for {suited.size} parameters; a larger model wants less, a smaller one more"
        if suited.size
        else "",
        "evaluate": QUESTIONS.format(files=files) if files else OF_THE_LAB if backbone == "lab" else PROBES,
    }


@dataclass(frozen=True, slots=True)
class _Given:
    """The pairs of some files, how many were left out for an empty side, and what looks mixed up, with its place."""

    pairs: list[Pair]
    empty: int
    found: list[tuple[str, MixUp]]


def _given(text: ParallelText) -> _Given:
    dropped: Counter[str] = Counter()
    sample = PairSample(text.direction)
    pairs = list(sample.watch(read(text, dropped)))
    return _Given(pairs, dropped["empty"], [(_place(text), found) for found in mix_ups(sample)])


def _place(text: ParallelText) -> str:
    return ", ".join(map(str, text.paths))


def _files(text: ParallelText) -> str:
    """The fields of a recipe that name some files."""
    named = {"source": text.source, "target": text.target, "table": text.table}
    return "\n        ".join(f"{name}: {_yaml(str(path))}" for name, path in named.items() if path is not None)


def _split(pairs: Sequence[Pair], held_out: int | None) -> tuple[list[Pair], list[Pair]]:
    sentences = len({pair.source for pair in pairs})
    wanted = held_out or min(TEST_SENTENCES, math.ceil(sentences * TEST_SHARE))
    if sentences <= wanted:
        raise DataError(
            f"{sentences} different source sentences are too few to be judged on {wanted} and to learn from others"
        )
    return hold_out(pairs, wanted)


def hold_out(pairs: Sequence[Pair], wanted: int) -> tuple[list[Pair], list[Pair]]:
    """The training part and the test part, the latter with `wanted` source sentences.

    The draw depends only on the source sentence, so all its copies go to the same side, and the same sentences are
    held out whatever the order of the file.
    """
    keys = sorted({content_key(pair.source) for pair in pairs}, key=lambda key: draw(key, "held out"))
    held = set(keys[:wanted])
    sides: tuple[list[Pair], list[Pair]] = ([], [])
    for pair in pairs:
        sides[content_key(pair.source) in held].append(pair)
    return sides


def _yaml(text: str) -> str:
    """The text as a YAML value, quoted if necessary (a JSON string is valid YAML)."""
    return text if re.fullmatch(r"[A-Za-z/.~][\w/.~-]*", text) else json.dumps(text, ensure_ascii=False)
