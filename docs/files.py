"""Writes docs/files.md: every file of the source with the first phrase of its docstring. `make files` calls it."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "dragoman"
PAGE = ROOT / "docs" / "files.md"
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


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
