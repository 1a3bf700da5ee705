"""Tests mirror the source: those of `dragoman/ROOM/FILE.py` are `tests/ROOM/test_FILE.py`."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import dragoman

ROOT = Path(__file__).resolve().parents[1]
SOURCE = Path(dragoman.__file__).parent
DATA = Path(os.environ.get("DRAGOMAN_TEST_DATA", ROOT.parent / "shared" / "data"))
NO_DATA = f"no real data at {DATA}; set DRAGOMAN_TEST_DATA to have these tests run"


def real_ones(*names: Any) -> Sequence[Any]:
    """Parameters that need the real files; where there are none, one skipped test stands for all of them."""
    if DATA.is_dir():
        return names
    first = names[0] if isinstance(names[0], tuple) else (names[0],)
    return [pytest.param(*first, marks=pytest.mark.skip(NO_DATA), id=f"{len(names)} real")]
