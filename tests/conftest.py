"""Shared by all tests: where the real files are, and no network."""

import os
import signal
from collections import Counter
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # as in a shell's background, where tests of Ctrl-C would wait for ever
    signal.signal(signal.SIGINT, signal.default_int_handler)

from tests import DATA, NO_DATA
from tests import our_data as our_data_files

COUNTED = ("passed", "failed", "error", "skipped", "xfailed", "xpassed")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with real benchmark files and tokenizers; the test is skipped where there is none."""
    if not DATA.is_dir():
        pytest.skip(NO_DATA)
    return DATA


@pytest.fixture(scope="session")
def our_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with files of our own, under the names that the real ones have in theirs."""
    return our_data_files.write(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session", params=["ours", "real"])
def any_data(request: pytest.FixtureRequest) -> Path:
    """The folder with our own files, and then that with the real ones."""
    return Path(request.getfixturevalue(f"{'our' if request.param == 'ours' else 'real'}_data"))


@pytest.fixture(scope="session")
def some_data(request: pytest.FixtureRequest) -> Path:
    """For what takes long: the real files where they are, else our own."""
    return Path(request.getfixturevalue("real_data" if DATA.is_dir() else "our_data"))


@pytest.fixture(scope="session")
def our_comet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """COMET models of our own, with the scores that they should give."""
    from tests.scoring.comet import tiny_comet

    return tiny_comet.write(tmp_path_factory.mktemp("comet") / "tiny")


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
