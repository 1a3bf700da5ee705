"""Running the command line in tests, and looking at what it left."""

import json
import subprocess
import sys
from pathlib import Path

RECIPE = """\
name: small
backbone: {backbone}
runs: {folder}/runs
data:
  train: {{corpus: lab, directions: [de-en, en-de], limit: 24}}
  test: {{corpus: lab, directions: [de-en, en-de], limit: 6}}
methods: [vanilla, {{radis: {{boundary: exact, rationale: {{max_tokens: 12}}}}}}]
generation: {{shard: 8, precision: fp32}}
training: {{epochs: 2, batch_size: 8, learning_rate: 1e-2, precision: fp32, save_every: 3}}
evaluate: [translation, lab]
evaluation: {{questions: 2, noise_seeds: 1, max_tokens: 8, translation_tokens: 8, bootstrap: 50}}
"""

DRAGOMAN = str(Path(sys.executable).with_name("dragoman"))


def start(*arguments: str | Path) -> subprocess.Popen[str]:
    command = [DRAGOMAN, *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def dragoman(*arguments: str | Path) -> str:
    """What a command prints; it must succeed."""
    process = start(*arguments)
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, said
    return said


def losses(runs: Path, row: str) -> list[float]:
    lines = (runs / "small" / f"{row}.jsonl").read_text().splitlines()
    return [json.loads(line)["loss"] for line in lines]


def artifacts(runs: Path) -> dict[str, float]:
    return {path.parent.name: path.stat().st_mtime_ns for path in runs.glob(".store/artifacts/*/manifest.json")}


def alive(group: int) -> bool:
    """Whether a process of the group still runs."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[2]) == group and fields[0] not in "ZX":
            return True
    return False
