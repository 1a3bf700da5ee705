"""Tests mirror the source: those of `dragoman/ROOM/FILE.py` are `tests/ROOM/test_FILE.py`."""

from pathlib import Path

import dragoman

ROOT = Path(__file__).resolve().parents[1]
SOURCE = Path(dragoman.__file__).parent
