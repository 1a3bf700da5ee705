"""Stages by the code that makes them: what is named is there, and what they import is named."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import dragoman
from dragoman.pipeline.analyses import gradients_and_drift as analyses
from dragoman.pipeline.plan import JOBS

ROOT = Path(dragoman.__file__).parent
ROOMS = ("corpora", "methods", "prompts", "rationales", "report", "scoring", "suites")
"""What lies in these rooms shapes results; the others are machinery (engines, training, the store)."""

CODE = {
    **{str(kind): job.made_by for kind, job in JOBS.items() if not isinstance(job.made_by, int)},
    "analyses": analyses.CODE,
}

BESIDE: Mapping[str, Mapping[str, str]] = {
    "examples": {
        "suites/__init__.py": "which suites speak to a model in its chat format is checked before work begins, no more"
    },
    "replay": {"suites/__init__.py": "tells which kinds of prompts the suites ask, which are among the inputs"},
    "analyses": {
        "methods/__init__.py": "tells which segment of an example is the regulariser's; the examples are in the name",
        "corpora/formats/text.py": "reads rows' files of instructions; an analysis asks as the backbone is asked",
        "suites/drift/suite.py": "the suite's texts; an analysis has its own, and measures them in the same way",
        "suites/__init__.py": "tells which questions are of a skill, which the recipe says",
    },
}
"""Of each kind of stage, what its code imports though it is not named, and why a change there changes no result."""


def files(*named: str) -> set[Path]:
    """The modules that paths below the package stand for, folders with all that is in them."""
    paths = [ROOT / name for name in named]
    return {file for path in paths for file in ([path] if path.suffix else path.rglob("*.py"))}


def imported(file: Path) -> Iterator[Path]:
    """The modules of this package that a file imports, at its top or in a function."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "dragoman":
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if alias.name.split(".")[0] == "dragoman"]
        else:
            continue
        for name in names:
            path = ROOT.parent / Path(*name.split("."))
            yield from (found for found in (path.with_suffix(".py"), path / "__init__.py") if found.is_file())


@pytest.mark.parametrize("kind", CODE)
def test_the_code_of_a_stage_is_there(kind: str) -> None:
    assert [name for name in CODE[kind] if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("kind", CODE)
def test_a_stage_is_named_after_all_code_that_makes_its_result(kind: str) -> None:
    """Else a result would keep its name when code that makes it changes, and the old would pass for the new."""
    named = files(*CODE[kind])
    reached = {path.relative_to(ROOT) for file in named for path in imported(file) if path not in named}
    missing = {path.as_posix() for path in reached if path.parts[0] in ROOMS}
    assert missing == set(BESIDE.get(kind, {}))
