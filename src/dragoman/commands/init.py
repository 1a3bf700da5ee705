"""A starter recipe for one's own parallel files, with a part of them held out to be judged on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from dragoman.corpora.parallel import read_files
from dragoman.corpora.records import Pair, content_key, draw
from dragoman.errors import DataError
from dragoman.prompts.languages import language_name
from dragoman.recipe.schema import Files

TEST_PAIRS = 500
TEST_SHARE = 0.1

STARTER = """\
# Teaches {backbone} to translate from {source_language} into {target_language}, in two ways, and shows
# what it gained and what it kept. `dragoman run {recipe}` does all of it; `--dry-run` shows the plan first.
name: {name}
backbone: {backbone}  # a directory, or a chat model on the Hugging Face hub

data:
  train:
    files:
      - source: {train_source}
        target: {train_target}
        direction: {direction}
        both: false  # true: learn the other direction from the same pairs as well
  test:  # {test} of {total} pairs, held out: none of their source sentences is in the training part
    files:
      - source: {test_source}
        target: {test_target}
        direction: {direction}
  max_tokens: 1024  # longer examples are left out, and counted

methods:  # each is trained, judged and compared
  - vanilla  # learns the translations alone
  - radis: {{rationale: {{max_tokens: 256}}}}  # also learns what the backbone itself says next, and so forgets less

training:
  epochs: 3
  batch_size: {batch_size}
  learning_rate: 1e-4
  lora: {{rank: 16}}

# A file of questions (.jsonl) beside `translation` measures the abilities that should be kept.
evaluate: [translation]
"""


@dataclass(frozen=True, slots=True)
class Starter:
    """What was written: the recipe, and how many pairs went where."""

    recipe: Path
    train: int
    test: int
    folder: Path


def files(source: Path | None, target: Path | None, table: Path | None, direction: str) -> Files:
    """The files that the command line names. DataError where they are not one table or two files."""
    if (table is None) == (source is None) or (source is None) != (target is None):
        raise DataError("which text? Name --source and --target, or one --table")
    given = {name: str(path) for name, path in (("source", source), ("target", target), ("table", table)) if path}
    given["direction"] = direction or guess_direction(source, target)
    try:
        return Files.model_validate(given)
    except ValidationError as error:
        raise DataError(f"--direction: {error.errors()[0]['ctx']['error']}") from None


def guess_direction(source: Path | None, target: Path | None) -> str:
    """`de-en` from files that end in .de and .en. DataError where the names do not tell."""
    codes = [path.suffix.lstrip(".") for path in (source, target) if path is not None]
    if len(codes) != 2:
        raise DataError("which languages are these? Say so, as in --direction de-en")
    for code in codes:
        try:
            language_name(code)
        except DataError:
            raise DataError(f"which languages are these? '.{code}' is no language; say --direction de-en") from None
    return "-".join(codes)


def write_starter(
    files: Files, backbone: str, output: Path, folder: Path, *, test_pairs: int | None = None, force: bool = False
) -> Starter:
    """Splits the pairs into `folder`/train.* and test.*, and writes the recipe to `output`.

    Pairs with the same source sentence stay on one side. Raises DataError where the files cannot be
    read, are too few to be split, or where something would be overwritten without `force`.
    """
    source, target = files.direction.split("-")
    names = {part: [folder / f"{part}.{language}" for language in (source, target)] for part in ("train", "test")}
    written = [output, *names["train"], *names["test"]]
    if not force and (there := [str(path) for path in written if path.exists()]):
        raise DataError(f"{', '.join(there)}: there already; take another --output or --data, or say --force")
    pairs = list(read_files(files))
    wanted = test_pairs or min(TEST_PAIRS, math.ceil(len(pairs) * TEST_SHARE))
    train, test = hold_out(pairs, wanted)
    if not train or not test:
        raise DataError(
            f"{len(pairs)} pairs of {len({pair.source for pair in pairs})} different source sentences are too few to "
            f"train on some and to be judged on {wanted} others"
        )
    for part, chosen in (("train", train), ("test", test)):
        for path, lines in zip(names[part], (lambda p: p.source, lambda p: p.target), strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(f"{lines(pair)}\n" for pair in chosen), encoding="utf-8", newline="\n")
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(
        STARTER.format(
            name=f"{output.stem}-{files.direction}" if output.stem == "recipe" else output.stem,
            backbone=backbone,
            recipe=output,
            direction=files.direction,
            source_language=language_name(source),
            target_language=language_name(target),
            train_source=names["train"][0],
            train_target=names["train"][1],
            test_source=names["test"][0],
            test_target=names["test"][1],
            test=len(test),
            total=len(pairs),
            batch_size=128 if len(train) >= 10_000 else 32,
        ),
        encoding="utf-8",
    )
    return Starter(output, len(train), len(test), folder)


def hold_out(pairs: Sequence[Pair], wanted: int) -> tuple[list[Pair], list[Pair]]:
    """Training and test part. The draw depends on the source sentence alone, so copies stay together."""
    keys = sorted({content_key(pair.source) for pair in pairs}, key=lambda key: draw(key, "held out"))
    held = set(keys[:wanted])
    sides: tuple[list[Pair], list[Pair]] = ([], [])
    for pair in pairs:
        sides[content_key(pair.source) in held].append(pair)
    return sides
