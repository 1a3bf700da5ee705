"""Shared by all tests: where the real files are, and no network."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from tests import ROOT


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with real benchmark files and tokenizers; the test is skipped where there is none."""
    folder = Path(os.environ.get("DRAGOMAN_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set DRAGOMAN_TEST_DATA to have these tests run")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Modules with slow tests come first: at the end, two workers then share what is quick."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
