"""`dragoman init`: a starter recipe for the user's own parallel files, with some of the pairs held out for testing."""

import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dragoman.corpora.formats.parallel import ParallelText, read
from dragoman.corpora.pair_sample import PairSample
from dragoman.corpora.records import Pair, content_key, draw
from dragoman.errors import DataError
from dragoman.pipeline.data.mix_ups import mix_ups, refuse_mix_ups
from dragoman.prompts.languages import language_name

TEST_SENTENCES = 500
TEST_SHARE = 0.1

STARTER = """\
# Teaches {backbone} to translate from {source} into {target}, in two ways, and shows
# what each gained and what it kept. `dragoman run {recipe} --dry-run` shows the plan, without it all is done.
name: {name}
backbone: {backbone}  # a directory, or a chat model on the Hugging Face hub

data:
  train:
    files:
      - table: {train_file}
        direction: {direction}
        both: false  # true: learn the other direction from the same pairs as well
  test:  # {test} of {total} pairs; none of their source sentences is in the training part
    files:
      - table: {test_file}
        direction: {direction}
  max_tokens: 1024  # longer examples are left out, and counted
{mix_ups}
methods:  # each is trained, judged and compared
  - vanilla  # learns the translations alone
  - radis: {{rationale: {{max_tokens: 256}}}}  # also learns what the backbone itself goes on to say, and forgets less

training:
  epochs: 3
  batch_size: {batch_size}
  learning_rate: 1e-4
  lora: {{rank: 16}}

# A file of questions (.jsonl) beside `translation` measures the abilities that should be kept.
evaluate: [translation]
"""

MIXED_UP = "  mix_ups: warn  # don't refuse files that look mixed up\n"


@dataclass(frozen=True, slots=True)
class Starter:
    """What was written: the recipe, the files with the pairs, and how many there are; `doubts` are warnings."""

    recipe: Path
    folder: Path
    train: int
    test: int
    empty: int
    doubts: tuple[str, ...]


def write_starter(
    text: ParallelText,
    backbone: str,
    output: Path,
    folder: Path,
    *,
    test: int | None = None,
    mixed_up: bool = False,
    force: bool = False,
) -> Starter:
    """Splits the pairs into `folder`/train.jsonl and test.jsonl, and writes the recipe to `output`.

    Raises DataError if the files cannot be read, are certainly mixed up (without `mixed_up`) or have too few pairs to
    split, and if something would be overwritten without `force`.
    """
    files = {part: folder / f"{part}.jsonl" for part in ("train", "test")}
    there = [str(path) for path in (output, *files.values()) if path.exists()]
    if there and not force:
        raise DataError(f"{', '.join(there)}: there already. Take another --output or --data, or say --force")
    dropped: Counter[str] = Counter()
    sample = PairSample(text.direction)
    pairs = list(sample.watch(read(text, dropped)))
    place = ", ".join(map(str, text.paths))
    doubts = refuse_mix_ups([(place, found) for found in mix_ups(sample)], "warn" if mixed_up else "refuse")
    sentences = len({pair.source for pair in pairs})
    wanted = test or min(TEST_SENTENCES, math.ceil(sentences * TEST_SHARE))
    if sentences <= wanted:
        raise DataError(
            f"{sentences} different source sentences are too few to be judged on {wanted} and to learn from others"
        )
    sides = hold_out(pairs, wanted)
    folder.mkdir(parents=True, exist_ok=True)
    for path, chosen in zip(files.values(), sides, strict=True):
        records = ({"source": pair.source, "target": pair.target} for pair in chosen)
        lines = "".join(f"{json.dumps(record, ensure_ascii=False)}\n" for record in records)
        path.write_text(lines, encoding="utf-8")
    source, target = map(language_name, text.languages)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(
        STARTER.format(
            name=text.direction if output.stem == "recipe" else re.sub(r"[^A-Za-z0-9]+", "-", output.stem).strip("-"),
            backbone=_yaml(backbone),
            recipe=output,
            direction=text.direction,
            source=source,
            target=target,
            train_file=_yaml(str(files["train"])),
            test_file=_yaml(str(files["test"])),
            mix_ups=MIXED_UP if mixed_up else "",
            test=len(sides[1]),
            total=len(pairs),
            batch_size=128 if len(sides[0]) >= 10_000 else 32,
        ),
        encoding="utf-8",
    )
    return Starter(output, folder, len(sides[0]), len(sides[1]), dropped["empty"], tuple(doubts))


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
