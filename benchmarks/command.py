"""What the programs here have in common: a parser with --out, and results on the screen and in a file."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def parser(about: str | None) -> argparse.ArgumentParser:
    """A parser with the program's docstring as its help, and `--out` for the numbers."""
    made = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--out", type=Path, help="write the numbers here as JSON")
    return made


def lines(result: Mapping[str, Any]) -> str:
    return "\n".join(f"{key:28} {value}" for key, value in result.items())


def tell(result: Mapping[str, Any], out: Path | None, shown: str | None = None) -> None:
    """Prints the result, as JSON or as it is `shown`, and writes it to `out` as JSON."""
    text = json.dumps(result, indent=2, ensure_ascii=False)
    print(text if shown is None else shown)
    if out is not None:
        out.write_text(text + "\n", encoding="utf-8")
