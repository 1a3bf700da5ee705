"""Writes docs/files.md, every file with the first phrase of its docstring, and the floors in docs/architecture.md.

`make files` calls it.
"""

import ast
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "dragoman"
PAGE = ROOT / "docs" / "files.md"
MAP = ROOT / "docs" / "architecture.md"
HEAD = """# Every file

`make files` writes this page from the first phrase of each module's docstring; a test compares them.
[The architecture](architecture.md) says how the rooms work together.
"""


def phrase(path: Path) -> str:
    """The first paragraph of a module's docstring, on one line; empty where it has none."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return " ".join(text.split("\n\n")[0].split())


def page(source: Path = SOURCE) -> str:
    """The whole page: a table for each folder, its heading the folder's name and phrase."""
    parts = [HEAD]
    for folder in sorted({path.parent for path in source.rglob("*.py")}):
        name = folder.relative_to(source).as_posix()
        lines = [f"## `{'dragoman' if name == '.' else name}/`", "", phrase(folder / "__init__.py"), ""]
        files = sorted(path for path in folder.glob("*.py") if path.name != "__init__.py")
        rows = [f"| `{path.name}` | {phrase(path).replace('|', chr(92) + '|')} |" for path in files]
        parts.append(
            "\n".join([*lines, "| file | what it does |", "|---|---|", *rows]) + "\n" if rows else "\n".join(lines)
        )
    return "\n".join(parts)


def mapped(text: str) -> str:
    """The text of the map, with the floors that import-linter checks."""
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    floors = [floor.replace("dragoman.", "").replace("|", "·") for floor in linter["contracts"][0]["layers"]]
    return re.sub(r"```\ncli\n.*?```", "\n".join(["```", *floors, "```"]), text, flags=re.DOTALL)


if __name__ == "__main__":
    MAP.write_text(mapped(MAP.read_text(encoding="utf-8")), encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")
