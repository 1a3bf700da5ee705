"""How busy a machine is: read from counters as the kernel writes them, of a machine and of a container."""

import os
import time
from pathlib import Path

import pytest

from dragoman.pipeline.forecast import busy

HERTZ = os.sysconf("SC_CLK_TCK")


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def of_machine(root: Path, seconds: float) -> None:
    """Each core was busy for so many seconds in user mode, and idle for a hundred."""
    ticks = round(seconds * HERTZ)
    lines = [f"cpu{core} {ticks} 0 0 {100 * HERTZ} 500 0 0 0 0 0" for core in sorted(os.sched_getaffinity(0))]
    write(root, "proc/stat", "cpu  1 2 3 4\n" + "\n".join(lines) + "\nintr 5\n")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which tests set; this process uses none of the processor's."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "process_time", lambda: 0.0)
    return now


def test_other_work_on_a_machine_is_what_its_cores_did_besides_us(
    tmp_path: Path, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = len(os.sched_getaffinity(0))
    of_machine(tmp_path, 10.0)
    before = busy.glance(tmp_path)
    clock[0] += 4
    of_machine(tmp_path, 12.0)
    assert busy.cores(tmp_path) == there
    assert busy.busy_since(before, tmp_path) == pytest.approx(there / 2)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert busy.slowdown(there / 2, tmp_path) == 1.5
    monkeypatch.setattr(time, "process_time", lambda: 2.0 * there)
    assert busy.busy_since(before, tmp_path) == 0


@pytest.mark.parametrize("kind", [1, 2])
def test_in_a_container_its_own_limit_and_counter_count(tmp_path: Path, clock: list[float], kind: int) -> None:
    of_machine(tmp_path, 10.0)
    if kind == 2:
        write(tmp_path, "sys/fs/cgroup/cpu.max", "50000 100000\n")
        write(tmp_path, "sys/fs/cgroup/cpu.stat", "usage_usec 7000000\nuser_usec 6000000\n")
    else:
        write(tmp_path, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000\n")
        write(tmp_path, "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n")
        write(tmp_path, "sys/fs/cgroup/cpuacct/cpuacct.usage", "7000000000\n")
    before = busy.glance(tmp_path)
    assert before is not None
    assert before.used == 7.0
    clock[0] += 2
    write(tmp_path, "sys/fs/cgroup/cpu.stat", "usage_usec 7600000\n")
    write(tmp_path, "sys/fs/cgroup/cpuacct/cpuacct.usage", "7600000000\n")
    assert busy.cores(tmp_path) == 0.5
    assert busy.busy_since(before, tmp_path) == pytest.approx(0.3)


def test_a_container_without_a_limit_is_the_machine(tmp_path: Path) -> None:
    of_machine(tmp_path, 10.0)
    write(tmp_path, "sys/fs/cgroup/cpu.max", "max 100000\n")
    found = busy.glance(tmp_path)
    assert found is not None
    assert found.used == pytest.approx(10.0 * len(os.sched_getaffinity(0)))


def test_without_counters_the_load_average_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (0.75, 5.0, 5.0))
    assert busy.glance(tmp_path) is None
    assert busy.busy(tmp_path) == 0.75
    monkeypatch.setattr(os, "getloadavg", lambda: (1e3, 5.0, 5.0))
    assert busy.busy(tmp_path) == busy.cores(tmp_path)


def test_only_what_is_in_the_way_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert busy.told(0.4, tmp_path) == ""
    assert busy.told(1.8, tmp_path) == (
        "1.8 of 2 cores are busy with other work: times are for an idle machine, now it takes about 1.9 times as long."
    )


def test_fewer_threads_are_less_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert [busy.slowdown(others, tmp_path) for others in (0.5, 1.0, 2.0)] == [1.0, 1.0, 1.5]


def test_here_it_is_some_of_the_cores() -> None:
    assert 0 <= busy.busy() <= busy.cores()
