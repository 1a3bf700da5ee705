"""Generation through the command line: killed twenty times, in parts, refreshed, and what is too long."""

import json
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from tests.pipeline.running import alive, artifacts, dragoman, losses, start

Write = Callable[[Path], Path]

# bf16 where the processor has it, real weights, and many shards: as a user's run is, only smaller.
LONG = """\
name: long
backbone: lab
runs: {folder}/runs
data:
  train: {{corpus: lab, directions: [de-en, en-de], limit: 800}}
  test: {{corpus: lab, directions: [de-en], limit: 1}}
methods: [{{radis: {{rationale: {{max_tokens: 40}}}}}}]
generation: {{engine: hf, shard: 32}}
"""
KILLS = 20


def made(folder: Path, kind: str) -> dict[str, Any]:
    """The files of the one artifact of a kind, with their checksums; notes as they are, but for the time it took."""
    (manifest,) = folder.glob(f"runs/.store/artifacts/{kind}-*/manifest.json")
    files: dict[str, Any] = json.loads(manifest.read_text())["files"]
    for name in [name for name in files if name.startswith("notes/")]:
        files[name] = json.loads((manifest.parent / name).read_text())
        assert files[name]["generated"].pop("seconds") > 0
    return files


def kept(folder: Path) -> list[bytes]:
    """The keys of all completions on disk, group by group."""
    shards = folder.glob("runs/.store/completions/*/*.parquet")
    return [shard.parent.name.encode() + key for shard in shards for key in _keys(shard)]


def _keys(shard: Path) -> Any:
    return parquet.read_table(shard, columns=["key"])["key"].to_pylist()


@pytest.mark.slow
def test_killed_at_twenty_random_moments_it_ends_as_if_never_killed(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    for folder in (whole, cut):
        folder.mkdir()
        (folder / "recipe.yaml").write_text(LONG.format(folder=folder))
    began = time.monotonic()
    process = start("generate", whole / "recipe.yaml")
    while not kept(whole):
        assert process.poll() is None
        time.sleep(0.05)
    starting = time.monotonic() - began
    assert process.wait(300) == 0

    dice, known = random.Random(20), 0
    for number in range(KILLS):
        process = start("generate", cut / "recipe.yaml")
        if number % 2:  # in the middle of generating
            while len(kept(cut)) == known:
                assert process.poll() is None, process.communicate()[0]
                time.sleep(0.02)
            time.sleep(dice.uniform(0, 0.6))
        else:  # anywhere
            time.sleep(dice.uniform(0, starting))
        process.send_signal(signal.SIGKILL)
        process.wait()
        while alive(process.pid):
            time.sleep(0.05)
        assert len(kept(cut)) >= known
        known = len(kept(cut))
    assert known < len(kept(whole)), "the kills came too late to cut anything"
    said = dragoman("generate", cut / "recipe.yaml")
    assert "going on from there" in said
    assert sorted(kept(cut)) == sorted(kept(whole))
    assert len(set(kept(cut))) == len(kept(cut)), "a prompt was generated twice"
    assert made(cut, "examples-radis") == made(whole, "examples-radis")


def test_parts_together_are_the_whole(tmp_path: Path, small_recipe: Write) -> None:
    many = ("data.train.limit=1100", "methods=[{radis: {rationale: {max_tokens: 2}}}]", "generation.shard=512")
    whole, apart = small_recipe(tmp_path / "whole"), small_recipe(tmp_path / "apart")
    dragoman("generate", whole, *many)
    shared = f"generation.cache={tmp_path / 'shared'}"  # as machines share a folder or a bucket, and nothing else
    for number in (1, 2):
        runs = f"runs={tmp_path / f'machine-{number}'}"
        said = dragoman("generate", apart, f"--shard={number}/2", *many, shared, runs)
        examples = {1: 1024 + 152, 2: 1024}[number]
        assert f"part {number} of 2" in said
        assert f"answered for {examples:,} examples" in said
        assert not list((tmp_path / f"machine-{number}").glob(".store/artifacts/examples-*"))
    before = sorted(path.name for path in (tmp_path / "shared").rglob("*.parquet"))
    assert len(before) > 2
    dragoman("generate", apart, *many, shared)
    assert sorted(path.name for path in (tmp_path / "shared").rglob("*.parquet")) == before, "something was asked again"
    assert made(tmp_path / "apart", "examples-radis") == made(tmp_path / "whole", "examples-radis")


@pytest.mark.parametrize("shard", ["3/2", "0/2", "2", "a/b"])
def test_a_part_that_is_none(shard: str, tmp_path: Path, small_recipe: Write) -> None:
    process = start("generate", small_recipe(tmp_path), "--shard", shard)
    said, _ = process.communicate(timeout=60)
    assert (process.returncode, said) == (2, f"--shard: '{shard}' should look like 2/8: the second of eight parts\n")


def test_refreshed_rationales_are_of_the_model_as_it_has_become(tmp_path: Path, small_recipe: Write) -> None:
    recipe = small_recipe(tmp_path)
    method = "methods=[{radis: {refresh: true, rationale: {max_tokens: 12}}}]"
    fast = "training.learning_rate=0.3"  # the first epoch must change what the random model says
    dragoman("train", recipe, method, fast)
    names = {name.rpartition("-")[0]: name for name in artifacts(tmp_path / "runs")}
    assert set(names) == {"data", "examples-radis@1", "train-radis@1", "examples-radis", "train-radis"}
    found = losses(tmp_path / "runs", "radis")
    assert len(found) == 12, "one course of both epochs"
    dragoman("train", recipe, "methods=[{radis: {label: once, rationale: {max_tokens: 12}}}]", fast)
    once = losses(tmp_path / "runs", "once")
    assert found[:6] == once[:6], "the first epoch is the same"
    assert found[6:] != once[6:], "the second has other rationales"
    assert made(tmp_path, "examples-radis@1") != made(tmp_path, "examples-radis")
    process = start("generate", recipe, method, fast, "--shard=1/2")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "cannot be made in parts" in said


def test_what_is_too_long_is_told_before_anything_is_generated(tmp_path: Path, small_recipe: Write) -> None:
    recipe, table = small_recipe(tmp_path), tmp_path / "pairs.jsonl"
    lines = [{"source": f"Haus {number}", "target": "house " * (600 if number < 3 else 2)} for number in range(9)]
    table.write_text("".join(json.dumps(line) + "\n" for line in lines))
    train = f"data.train={{files: [{{table: {table}, direction: de-en}}]}}"
    said = dragoman("generate", recipe, train)
    assert "3 training pairs are longer than 511 tokens" in said
    assert said.index("3 training pairs") < said.index("… examples")
    assert "3 left out: longer than 511 tokens" in said
    turned = tmp_path / "turned.jsonl"
    turned.write_text(
        "".join(json.dumps({"source": line["target"], "target": line["source"]}) + "\n" for line in lines)
    )
    process = start("run", recipe, f"data.test={{files: [{{table: {turned}, direction: en-de}}]}}")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "3 of the test sentences leave no room" in said
    assert "… evaluate" not in said


def test_another_model_writes_the_rationales_and_they_can_be_looked_at(tmp_path: Path, small_recipe: Write) -> None:
    recipe = small_recipe(tmp_path)
    method = "methods=[{radis: {rationale: {model: lab, max_tokens: 24, keep_logprobs: 20}}}]"
    planned = dragoman("run", recipe, method, "--dry-run")
    assert "0.2 MB" in planned, "48 rationales of 24 tokens, 20 pairs of 8 bytes each"
    dragoman("generate", recipe, method)
    said = dragoman("data", "inspect", recipe, method, "--count=1")
    assert "lab: 48 completions, greedy, at most 24 tokens; healed; 20 log-probabilities a token" in said
    assert said.index("[prompt]") < said.index("[reference]") < said.index("[rationale]")
    shard = max(tmp_path.glob("runs/.store/completions/*/*.parquet"), key=lambda path: path.stat().st_size)
    table = parquet.read_table(shard)
    assert len(table["logprobs"][0]) == 20 * len(table["ids"][0])
    process = start("data", "inspect", recipe)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "holds nothing of" in said
