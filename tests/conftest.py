"""Shared by all tests: where the real files are, and no network."""

import os
from collections import Counter
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from tests import DATA, NO_DATA

COUNTED = ("passed", "failed", "error", "skipped", "xfailed", "xpassed")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with real benchmark files and tokenizers; the test is skipped where there is none."""
    if not DATA.is_dir():
        pytest.skip(NO_DATA)
    return DATA


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Modules with slow tests come first: at the end, two workers then share what is quick."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was skipped, and why; pytest's own line with all the counts stays the last."""
    skipped = terminalreporter.stats.get("skipped", [])
    if not skipped:
        return
    total = sum(len(reports) for kind, reports in terminalreporter.stats.items() if kind in COUNTED)
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    terminalreporter.section(f"skipped: {len(skipped):,} of {total:,} tests")
    for reason, count in reasons.most_common():
        terminalreporter.line(f"{count:6,}  {reason.splitlines()[0]}")
