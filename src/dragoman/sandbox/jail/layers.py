"""The layers of the sandbox: what a process gives up, for good, before it runs a foreign program.

Five layers, none of which needs a privilege: namespaces of its own, limits, no capabilities, Landlock (files), and a
filter of system calls. Each is used if the kernel has it; `sandbox.protections` tests what that amounts to.
"""

import ctypes
import os
import resource
import signal
import struct
import sys
from collections.abc import Collection, Mapping, Sequence

from dragoman.sandbox.jail.calls import CALLS, PATHS, RULES, Rule

MEBIBYTE = 1 << 20
SCRATCH = 16 * MEBIBYTE  # of the folder that is the only place to write to
ENTRIES = 1024  # in it
FILES = 32  # open at once

_NEW_USER, _NEW_PID, _NEW_NET, _NEW_MOUNT, _NEW_IPC = 0x10000000, 0x20000000, 0x40000000, 0x00020000, 0x08000000
_PRIVATE = (1 << 14) | (1 << 18)  # MS_REC | MS_PRIVATE
_PLAIN = 2 | 4 | 8  # MS_NOSUID | MS_NODEV | MS_NOEXEC

_DEATH_SIGNAL, _SET_DUMPABLE, _SET_SECCOMP, _SUBREAPER, _NO_NEW_PRIVILEGES = 1, 4, 22, 36, 38
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446  # on every processor
_LIST = 1 << 3
_READ = (1 << 2) | _LIST
_READ_WRITE = _READ | (1 << 1)
_OF_FILES = 0b111 | (1 << 14) | (1 << 15)  # what may be allowed of a path that is no folder

_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000 | 1, 0x80000000  # refused: EPERM
_LOAD, _EQUAL, _AND, _RETURN = 0x20, 0x15, 0x54, 0x06
_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

Readable = Mapping[str, Sequence[str]]
"""Paths by what may be done there: `read` (everything below as well), or `list` (only the names in a folder)."""

Step = tuple[int, int, int, int]
"""A step of the filter: what to do, how far to jump if it is so or not, and a number."""

linux = sys.platform == "linux"
_libc = ctypes.CDLL(None, use_errno=True)


def apart(folder: str) -> list[str]:
    """Own namespaces for everything that is forked from here: users, processes, network, mounts.

    Returns the names of those that were made. An in-memory file system covers `folder`, if mounts can be made; the
    first forked process is the namespace's init, and all others die with it.
    """
    if not linux:
        return []
    user, group = os.geteuid(), os.getegid()
    if _libc.unshare(_NEW_USER | _NEW_PID | _NEW_NET | _NEW_MOUNT | _NEW_IPC):
        return []
    told = ["namespaces"]
    try:  # some systems allow namespaces, but no rights in them
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"65534 {user} 1")
        _write("/proc/self/gid_map", f"65534 {group} 1")
    except OSError:
        return told
    options = f"size={SCRATCH},nr_inodes={ENTRIES},mode=0700".encode()
    if not _libc.mount(b"none", b"/", None, _PRIVATE, None) and not _libc.mount(
        b"tmpfs", folder.encode(), b"tmpfs", _PLAIN, options
    ):
        told.append("scratch")
    return told


def dies_with_parent() -> None:
    """This process is killed when its parent ends."""
    if linux:
        _libc.prctl(_DEATH_SIGNAL, int(signal.SIGKILL), 0, 0, 0)


def adopts() -> None:
    """Orphaned descendants of this process become its children."""
    if linux:
        _libc.prctl(_SUBREAPER, 1, 0, 0, 0)


def unreadable() -> None:
    """Prevents other processes of the same user from looking into this one."""
    if linux:
        _libc.prctl(_SET_DUMPABLE, 0, 0, 0, 0)


def lock(
    folder: str, readable: Readable, memory: int, cpu: int, writable: bool, without: Collection[str] = ()
) -> list[str]:
    """Locks this process in: it keeps its open files, reads `readable`, and may write below `folder` if `writable`.

    Returns the names of the layers in place; those in `without` are left out.
    """
    told = ["limits"]
    limits = (
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, SCRATCH if writable else 0),
        (resource.RLIMIT_NOFILE, FILES),
        (resource.RLIMIT_CORE, 0),
    )
    for limit, value in limits:
        hard = resource.getrlimit(limit)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        try:
            resource.setrlimit(limit, (value, value))
        except (OSError, ValueError):  # macOS knows no limit of addresses
            told = []
    if not linux:
        return told
    _libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    # version 3, no process in particular; two sets of effective, permitted, inheritable
    if not _libc.capset(struct.pack("Ii", 0x20080522, 0), bytes(24)):
        told.append("no capabilities")
    version = 0 if "Landlock" in without else _landlock(folder, readable, writable)
    if version:
        told.append(f"Landlock {version}")
    if "seccomp" not in without and _filter(paths=writable and version > 0):
        told.append("seccomp")
    return told


def _landlock(folder: str, readable: Readable, writable: bool) -> int:
    """Puts files out of reach except a few; returns Landlock's version, 0 if the kernel does not have it."""
    version = int(_libc.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1))
    if version < 1:
        return 0
    files = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)) - 1
    network = 3 if version >= 4 else 0
    scoped = 3 if version >= 6 else 0
    handled = struct.pack("QQQ", files, network, scoped)[: 24 if version >= 6 else 16 if version >= 4 else 8]
    rules = int(_libc.syscall(_LANDLOCK_CREATE, handled, ctypes.c_size_t(len(handled)), 0))
    if rules < 0:
        return 0
    allowed = [(path, _READ) for path in readable["read"]]
    allowed += [(path, _LIST) for path in readable["list"]]
    allowed += [(path, _READ_WRITE) for path in ("/dev/null", "/dev/zero")]
    allowed += [(path, _READ) for path in ("/dev/urandom", "/dev/random")]
    allowed.append((folder, files if writable else _READ))
    for path, rights in allowed:
        if not os.path.exists(path):
            continue
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
        rights &= files if os.path.isdir(path) else _OF_FILES & files
        _libc.syscall(_LANDLOCK_ADD, rules, 1, struct.pack("=Qi", rights, opened), 0)
        os.close(opened)
    refused = _libc.syscall(_LANDLOCK_RESTRICT, rules, 0)
    os.close(rules)
    return 0 if refused else version


def _filter(paths: bool) -> bool:
    """Allows only harmless system calls: no process, program, socket or signal to others; files if `paths`.

    Without `paths`, nothing can be opened for writing, created, renamed or removed.
    """
    machine = os.uname().machine
    if machine not in _ARCHITECTURES:
        return False
    column = list(_ARCHITECTURES).index(machine)
    body: list[Step] = []
    for name, numbers in CALLS.items():
        number = numbers[column]
        if number is not None and (paths or name not in PATHS):
            body += _allowed(number, [rule for rule in RULES.get(name, ()) if not (paths and rule.without_paths)])
    program = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 1, 0, _ARCHITECTURES[machine]),
        (_RETURN, 0, 0, _KILL),
        *body,
        (_RETURN, 0, 0, _REFUSE),
    ]
    packed = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
    head = struct.pack("HxxxxxxP", len(program), ctypes.addressof(packed))
    return not _libc.prctl(_SET_SECCOMP, 2, head, 0, 0)


def _allowed(number: int, rules: Sequence[Rule]) -> list[Step]:
    """The steps that allow one call, if its arguments follow the rules."""
    inner: list[Step] = []
    for rule in rules:
        low = 16 + 8 * rule.argument  # offset of the argument's lower half
        inner += [(_LOAD, 0, 0, low), (_AND, 0, 0, rule.mask), *_one_of(rule.values)]
        if rule.address:
            inner += [(_LOAD, 0, 0, low + 4), *_one_of((0,))]
    inner.append((_RETURN, 0, 0, _ALLOW))
    return [(_LOAD, 0, 0, 0), (_EQUAL, 0, len(inner), number), *inner]


def _one_of(values: Sequence[int]) -> list[Step]:
    """Refuses the loaded value unless it is one of `values`."""
    steps = [(_EQUAL, len(values) - at, 0, value) for at, value in enumerate(values)]
    return [*steps, (_RETURN, 0, 0, _REFUSE)]


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)
