"""The system calls that a sandboxed program may make. All others are refused.

None of them creates a process or a thread, runs another program, opens a socket, reaches another process, or changes
a file's owner or mode. The numbers are Linux's.
"""

from typing import NamedTuple


class Rule(NamedTuple):
    """A rule for an argument: the bits in `mask` must equal one of some values."""

    argument: int
    values: tuple[int, ...]
    mask: int = 0xFFFFFFFF
    address: bool = False
    """Whether the argument has 64 bits, of which the upper half must be 0; of a number, the kernel uses only the
    lower half.
    """
    without_paths: bool = False
    """Needed only where Landlock does not watch over paths."""


# name, on x86_64, on aarch64
_TABLE = """
    read 0 63, write 1 64, close 3 57, fstat 5 80, lseek 8 62, mmap 9 222, mprotect 10 226, munmap 11 215, brk 12 214,
    mremap 25 216, madvise 28 233, rt_sigaction 13 134, rt_sigprocmask 14 135, rt_sigreturn 15 139,
    rt_sigpending 127 136, rt_sigtimedwait 128 137, rt_sigsuspend 130 133, sigaltstack 131 132, restart_syscall 219 128,
    pread64 17 67, pwrite64 18 68, readv 19 65, writev 20 66, preadv 295 69, pwritev 296 70, dup 32 23, dup3 292 24,
    dup2 33 -, pipe 22 -, pipe2 293 59, poll 7 -, ppoll 271 73, select 23 -, pselect6 270 72, fcntl 72 25, ioctl 16 29,
    flock 73 32, fsync 74 82, fdatasync 75 83, ftruncate 77 46, fadvise64 221 223, getdents 78 -, getdents64 217 61,
    sched_yield 24 124, sched_getaffinity 204 123, getcpu 309 168, nanosleep 35 101, clock_nanosleep 230 115,
    clock_gettime 228 113, clock_getres 229 114, gettimeofday 96 169, time 201 -, times 100 153, alarm 37 -,
    getitimer 36 102, setitimer 38 103, getpid 39 172, getppid 110 173, gettid 186 178, getuid 102 174,
    geteuid 107 175, getgid 104 176, getegid 108 177, getgroups 115 158, getresuid 118 148, getresgid 120 150,
    getpgrp 111 -, getpgid 121 155, getsid 124 156, uname 63 160, umask 95 166, sysinfo 99 179, getrlimit 97 163,
    getrusage 98 165, prlimit64 302 261, getrandom 318 278, futex 202 98, set_robust_list 273 99, rseq 334 293,
    membarrier 324 283, wait4 61 260, exit 60 93, exit_group 231 94, getcwd 79 17, chdir 80 49, fchdir 81 50,
    access 21 -, faccessat 269 48, faccessat2 439 439, stat 4 -, lstat 6 -, newfstatat 262 79, statx 332 291,
    statfs 137 43, fstatfs 138 44, readlink 89 -, readlinkat 267 78, open 2 -, openat 257 56,
    mkdir 83 -, mkdirat 258 34, rmdir 84 -, unlink 87 -, unlinkat 263 35, rename 82 -, renameat 264 38,
    renameat2 316 276
"""
CALLS: dict[str, tuple[int | None, int | None]] = {}
for _line in _TABLE.replace("\n", " ").split(","):
    _name, _x86, _arm = _line.split()
    CALLS[_name] = (int(_x86), None if _arm == "-" else int(_arm))

PATHS = ("mkdir", "mkdirat", "rmdir", "unlink", "unlinkat", "rename", "renameat", "renameat2", "ftruncate")
"""Calls that change a folder: allowed where Landlock limits them to one."""

_CHANGES = 0o3 | 0o100 | 0o1000 | 0o20000000  # to open for writing, making, emptying, without a name
RULES = {
    "open": (Rule(1, (0,), _CHANGES, without_paths=True),),
    "openat": (Rule(2, (0,), _CHANGES, without_paths=True),),
    "fcntl": (Rule(1, (0, 1, 2, 3, 4, 5, 6, 7, 1030)),),  # without the commands that make the kernel send signals
    "ioctl": (Rule(1, (0x5401, 0x5413, 0x541B, 0x5450, 0x5451)),),  # is it a terminal, how wide, closing at exec
    "prlimit64": (Rule(0, (0,)), Rule(2, (0,), address=True)),  # to read its own
}
