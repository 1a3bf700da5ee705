"""What `make` does beside calling pip."""

import os
import subprocess
import sys
from pathlib import Path

from tests import ROOT


def test_what_is_imported_is_compiled_even_where_python_writes_no_byte_code(tmp_path: Path) -> None:
    files = (
        "torch/__init__.py",
        "torch/nn/linear.py",
        "torch/tests/many.py",
        "vllm/__init__.py",
        "unknown/__init__.py",
    )
    for name in files:
        path = tmp_path / ".venv/lib/python3.11/site-packages" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    (tmp_path / "src").mkdir()
    (tmp_path / "src/broken.py").write_text("def f[T")  # for a newer Python, say
    subprocess.run(
        ["make", "--file", ROOT / "Makefile", "compile", f"BIN={Path(sys.executable).parent}"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": ""},
        check=True,
    )
    compiled = {path.parent.parent.name for path in tmp_path.rglob("*.pyc")}
    assert compiled == {"torch", "nn", "vllm"}
