"""How long a finished run takes when it is run again, how quickly the commands answer, and what each step needs.

The demo is run for real, small, into a temporary folder; times are the best of some rounds.
`python benchmarks/again.py`.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

DRAGOMAN = str(Path(sys.executable).with_name("dragoman"))
SMALL = (
    "data.train.limit=64",
    "data.test.limit=16",
    "evaluation.questions=10",
    "training.epochs=1",
)


def measure(rounds: int = 3) -> dict[str, Any]:
    """Seconds of a finished run run again and of `--help`; peak memory of each kind of stage."""
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder) / "runs"
        demo = [DRAGOMAN, "demo", f"runs={runs}", *SMALL]
        subprocess.run(demo, check=True, capture_output=True)
        facts = {
            path.parent.name.rpartition("-")[0]: json.loads(path.read_text(encoding="utf-8"))["facts"]
            for path in runs.glob(".store/artifacts/*/manifest.json")
        }
        return {
            "finished_run_again_seconds": _best(demo, rounds),
            "help_seconds": _best([DRAGOMAN, "--help"], rounds),
            "peak_mib": {
                stage: round(found["peak_memory"] / 2**20)
                for stage, found in sorted(facts.items())
                if "peak_memory" in found
            },
        }


def _best(command: list[str], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return round(min(times), 2)


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
