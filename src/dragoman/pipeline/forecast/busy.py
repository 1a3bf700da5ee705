"""How busy this machine is with other work: processor time by the system's own counters, and the cores that we may use.

In a container with a limit, both are the container's. Where there are no counters, as on macOS, the load average of
the last minute counts instead.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/")
GLANCE = 0.25  # seconds
NOTABLE = 0.25  # of the cores, busy with other work


@dataclass(frozen=True, slots=True)
class Glance:
    """A moment, the processor time that was used until then, in seconds, and how much of it by this process."""

    moment: float
    used: float
    own: float


def cores(root: Path = ROOT) -> float:
    """The cores that this process may use: those it is bound to, or fewer by the limit of its container."""
    bound = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    limit = _limit(root)
    return min(len(bound), limit) if limit else len(bound)


def glance(root: Path = ROOT) -> Glance | None:
    """The counters of this moment; None where there are none."""
    used = _of_container(root) if _limit(root) else _of_machine(root)
    return None if used is None else Glance(time.monotonic(), used, time.process_time())


def busy_since(before: Glance | None, root: Path = ROOT) -> float:
    """The cores that were busy with other work since then, or in the last minute where there are no counters."""
    after = glance(root)
    if before is None or after is None or after.moment <= before.moment:
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
        return min(load, cores(root))
    others = (after.used - before.used) - (after.own - before.own)
    return min(max(0.0, others / (after.moment - before.moment)), cores(root))


def busy(root: Path = ROOT) -> float:
    """The cores that are busy with other work now."""
    before = glance(root)
    if before is not None:
        time.sleep(GLANCE)
    return busy_since(before, root)


def slowdown(others: float, root: Path = ROOT) -> float:
    """How many times as long our threads take beside this much other work, if all get their share."""
    there = cores(root)
    named = os.environ.get("OMP_NUM_THREADS", "")
    threads = min(there, int(named)) if named.isdigit() and int(named) else there
    return max(1.0, (threads + others) / there)


def told(others: float, root: Path = ROOT) -> str:
    """A sentence if other work is in the way; otherwise empty."""
    there = cores(root)
    if others < NOTABLE * there:
        return ""
    return (
        f"{others:.1f} of {there:g} cores are busy with other work: times are for an idle machine, now it takes about "
        f"{slowdown(others, root):.1f} times as long."
    )


def _limit(root: Path) -> float | None:
    """The container's limit in cores, of either kind of control group; None if there is none."""
    quota, period = _words(root / "sys/fs/cgroup/cpu.max")[:2] or ["max", ""]
    if quota == "max":
        quota, period = (
            "".join(_words(root / "sys/fs/cgroup/cpu" / name)) for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us")
        )
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() and int(period) else None


def _of_container(root: Path) -> float | None:
    words = _words(root / "sys/fs/cgroup/cpu.stat")
    if "usage_usec" in words:
        return int(words[words.index("usage_usec") + 1]) / 1e6
    nanoseconds = "".join(_words(root / "sys/fs/cgroup/cpuacct/cpuacct.usage"))
    return int(nanoseconds) / 1e9 if nanoseconds.isdigit() else None


def _of_machine(root: Path) -> float | None:
    """All but idle time and waiting of the cores that we are bound to."""
    try:
        lines = (root / "proc/stat").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    bound = {f"cpu{core}" for core in os.sched_getaffinity(0)}
    counts = [line.split()[1:9] for line in lines if line.split(" ", 1)[0] in bound]
    ticks = sum(int(count) for words in counts for at, count in enumerate(words) if at not in (3, 4))
    return ticks / os.sysconf("SC_CLK_TCK") if counts else None


def _words(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii").split()
    except OSError:
        return []
