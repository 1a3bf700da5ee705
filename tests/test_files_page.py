"""The pages that name files name those that are there."""

import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import cast

from tests import ROOT, SOURCE

WRITER = runpy.run_path(str(ROOT / "docs" / "files.py"))


def test_the_page_lists_every_file_with_its_phrase() -> None:
    page = cast(Callable[[], str], WRITER["page"])()
    written = (ROOT / "docs" / "files.md").read_text(encoding="utf-8")
    assert written == page, "docs/files.md is not what the source says; `make files` writes it anew"


def test_every_file_begins_with_a_phrase() -> None:
    phrase = cast(Callable[[Path], str], WRITER["phrase"])
    found = {path.relative_to(SOURCE).as_posix(): phrase(path) for path in SOURCE.rglob("*.py")}
    assert {name: text for name, text in found.items() if not text.endswith(".") or len(text) > 120} == {}


def test_modules_that_the_pages_name_are_there() -> None:
    files = [f"/{path.relative_to(ROOT)}" for name in ("benchmarks", "docs", "src", "tests") for path in modules(name)]
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        named = set(re.findall(r"(?<![\w/.])[a-z][a-z0-9_/]*\.py\b", page.read_text(encoding="utf-8")))
        assert {name for name in named if not any(file.endswith(f"/{name}") for file in files)} == set(), page.name


def test_the_map_has_the_floors_that_are_checked() -> None:
    written = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    mapped = cast(Callable[[str], str], WRITER["mapped"])
    assert written == mapped(written), (
        "docs/architecture.md has other floors than pyproject.toml; `make files` mends it"
    )


def modules(folder: str) -> list[Path]:
    return list((ROOT / folder).rglob("*.py"))
