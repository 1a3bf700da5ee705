"""What may import what, how large a folder and a module may be, and how little it takes to look at a recipe."""

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Set
from graphlib import TopologicalSorter
from pathlib import Path
from statistics import median

import pytest

from dragoman.suites import available
from dragoman.suites.lab import Abilities
from tests import ROOT

SOURCE = ROOT / "src" / "dragoman"
ROOMY = {
    "lab/families",
    "lab/grammar",
    "methods",
    "pipeline/stages",
}  # one file a family, word class, method, stage
HEAVY = {"torch", "transformers", "peft", "accelerate", "datasets", "sacrebleu", "numpy", "pandas"}


def imported(code: str) -> set[str]:
    """The top-level modules that are loaded after some code ran in a fresh interpreter."""
    tail = "\nimport sys; print('\\n' + ' '.join({name.partition('.')[0] for name in sys.modules}))"
    ran = subprocess.run([sys.executable, "-c", code + tail], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(ran.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "code",
    [
        "import dragoman.recipe.load, dragoman.recipe.write",
        "import dragoman.cli",
        "from typer.testing import CliRunner; from dragoman.cli import app; CliRunner().invoke(app, ['--help'])",
    ],
)
def test_nothing_heavy_is_imported(code: str) -> None:
    assert imported(code) & HEAVY == set()


def test_help_is_shown_without_what_reads_files() -> None:
    code = "from typer.testing import CliRunner; from dragoman.cli import app; CliRunner().invoke(app, ['--help'])"
    assert imported(code) & {"yaml", "xml", "pydantic"} == set()


def test_methods_and_a_recipe_need_no_torch() -> None:
    code = "from dragoman.commands.recipes import DEMO, recipe; recipe(DEMO)"
    assert imported(code) & (HEAVY - {"numpy"}) == set()


def test_what_plans_and_runs_stages_leaves_torch_to_their_own_processes() -> None:
    """A job imports heavy libraries when it runs: the process that plans and waits does without, and starts at once."""
    analyses = "import dragoman.pipeline.analyses.gradients_and_drift, dragoman.pipeline.analyses.topics"
    code = f"import dragoman.pipeline.run, dragoman.commands.recipes; {analyses}"
    assert imported(code) & (HEAVY - {"numpy"}) == set()


def test_rooms_import_only_from_the_floors_below() -> None:
    checker = Path(sys.executable).with_name("lint-imports")
    ran = subprocess.run([checker, "--no-cache"], capture_output=True, text=True, cwd=ROOT)
    assert ran.returncode == 0, ran.stdout
    assert " 0 broken." in ran.stdout


def module(path: Path) -> str:
    name = ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts)
    return name.removesuffix(".__init__")


def imports(path: Path, known: Set[str]) -> set[str]:
    """The modules of this package that one imports, also inside its functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = {f"{node.module}.{name.name}" for name in node.names}
            found |= {name if name in known else node.module for name in inside}
    return (found & known) - {module(path)}


def test_no_modules_import_each_other_in_a_circle() -> None:
    paths = {module(path): path for path in SOURCE.rglob("*.py")}
    sorter = TopologicalSorter({name: imports(path, paths.keys()) for name, path in paths.items()})
    sorter.prepare()  # says which modules make a circle
    assert len(list(sorter.get_ready())) > 10


def test_a_suite_knows_no_other_suite() -> None:
    """It takes what several share from a helper, whose name begins with `_`."""
    paths = {module(path): path for path in SOURCE.rglob("*.py")}
    known: set[tuple[str, str]] = set()
    for name in sorted(paths):
        if (suite := suite_of(name)) and not suite.startswith("_"):
            taken = {suite_of(other) for other in imports(paths[name], paths.keys())}
            known |= {(suite, other) for other in taken if other and other != suite and not other.startswith("_")}
    assert known == {
        ("pairwise", "alpaca_eval"),  # it asks AlpacaEval's instructions
        ("probes", "questions"),  # they are question files of our own
        ("questions", "humaneval"),  # questions with unit tests are judged as HumanEval's programs are
        ("questions", "translation"),  # the language of talk is identified as that of translations is
    }


def suite_of(name: str) -> str:
    return name.removeprefix("dragoman.suites.").partition(".")[0] if name.startswith("dragoman.suites.") else ""


def test_folders_and_modules_are_small() -> None:
    paths = list(SOURCE.rglob("*.py"))
    folders = Counter(path.parent.relative_to(SOURCE).as_posix() for path in paths)
    assert {name: count for name, count in folders.items() if count > 12 and name not in ROOMY} == {}
    lengths = {module(path): len(path.read_text(encoding="utf-8").splitlines()) for path in paths}
    assert {name: length for name, length in lengths.items() if length > 400} == {}
    assert median(lengths.values()) <= 150


def test_tests_lie_as_the_source_does() -> None:
    """So that one is found from the other; each a package, so that two may have the same name."""
    folders = {path.parent.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py")}
    assert {str(folder) for folder in folders if not (SOURCE / folder).is_dir()} == set()
    assert {str(folder) for folder in folders if not (ROOT / "tests" / folder / "__init__.py").is_file()} == set()


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        module(path)
        for path in SOURCE.rglob("*.py")
        if path.name != "__init__.py" and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_no_other_room_names_a_suite() -> None:
    """Save `translation`, which all of this is about, and words that mean something else as well."""
    words = {"translation", "questions", "lab", "programs", "harness", "safety"}  # corpora, kinds of data, sides
    words |= {"drift"}  # an analysis
    names = {name for suite in available().values() for name in (suite.kind, *suite.names(), *suite.shown())} - words
    families = set(Abilities.families)
    found = {
        (path.relative_to(SOURCE).as_posix(), node.value)
        for path in SOURCE.rglob("*.py")
        if path.relative_to(SOURCE).parts[0] not in ("suites", "lab")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in names - families
    }
    assert found == set()
