"""Files are written whole by whoever writes them, and known by their contents."""

import json
import multiprocessing
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dragoman import disk
from dragoman.disk import TEMPORARY, Digests, sha256, write_atomic
from dragoman.errors import StoreError

WRITE = """
import sys
from pathlib import Path
from dragoman.disk import write_atomic
from dragoman.generation.cache.storage import shelf_at
for number in range(300):
    write_atomic(Path(sys.argv[1]) / "file", str(number) * 1000)
    shelf_at(Path(sys.argv[1]), "group").write("shard", b"1" * 1000)
print(__import__("os").getpid())
"""


def in_containers(*command: str) -> list[subprocess.Popen[str]] | None:
    """The same command in two containers, where it has the same process id; None where there are none."""
    lent = ["unshare", "--map-root-user", "--pid", "--fork", "--mount-proc"]
    if shutil.which("unshare") is None or subprocess.run([*lent, "true"], capture_output=True).returncode:
        return None
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return [subprocess.Popen([*lent, *command], **pipes) for _ in range(2)]  # type: ignore[call-overload]


def test_two_containers_with_equal_process_ids_write_the_same_files(tmp_path: Path) -> None:
    processes = in_containers(sys.executable, "-c", WRITE, str(tmp_path))
    if processes is None:
        pytest.skip("this machine lends no process ids of one's own")
    said = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    assert said[0][0] == said[1][0] == "1\n"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "group", "shard"]
    assert (tmp_path / "file").read_text() == "299" * 1000


def test_what_could_not_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        write_atomic(tmp_path / "folder", "text")
    assert os.listdir(tmp_path) == ["folder"]
    write_atomic(tmp_path / ("n" * 255), "a name as long as can be")


def changed_in_place(path: Path) -> None:
    """Other contents of the same size, under the same time and inode."""
    state = path.stat()
    with path.open("r+b") as file:
        file.write(b"X")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def test_what_is_remembered_is_doubted_where_that_is_asked(tmp_path: Path) -> None:
    path, memo = tmp_path / "weights", tmp_path / "memo.json"
    path.write_text("one")
    digests = Digests(memo)
    first = digests.of(path)
    digests.save()
    changed_in_place(path)
    later = Digests(memo)
    assert later.of(path) == first
    with later.doubted(), pytest.raises(StoreError, match=r"weights is not what it was: .* `touch` it"):
        later.of(path)
    assert later.of(path) == first
    assert later.remembered() == {path: first}
    assert later.read(path) == sha256(path) != first
    with later.doubted():
        assert later.of(path) == sha256(path)  # which this process has read

    touched = Digests(memo)
    os.utime(path)
    with touched.doubted():
        assert touched.of(path) == sha256(path)


def test_thousands_of_files_cost_one_memo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Path] = []
    write = disk.write_atomic

    def write_and_count(path: Path, text: str) -> None:
        written.append(path)
        write(path, text)

    monkeypatch.setattr(disk, "write_atomic", write_and_count)
    for number in range(1000):
        (tmp_path / str(number)).write_text(str(number))
    digests = Digests(tmp_path / "memo.json")
    for path in tmp_path.iterdir():
        digests.of(path)
    assert written == []
    digests.save()
    digests.save()
    assert len(written) == 1
    assert len(Digests(tmp_path / "memo.json").remembered()) == 1000

    monkeypatch.setattr(disk, "UNSAVED", 10)  # bytes that a kill may cost
    (tmp_path / "large").write_text("more than that")
    digests.of(tmp_path / "large")
    assert len(written) == 2


def test_two_runs_remember_what_either_has_read(tmp_path: Path) -> None:
    one, other = Digests(tmp_path / "memo.json"), Digests(tmp_path / "memo.json")
    for digests, name in ((one, "a"), (other, "b")):
        (tmp_path / name).write_text(name)
        digests.of(tmp_path / name)
    one.save()
    other.save()
    assert set(Digests(tmp_path / "memo.json").remembered()) == {tmp_path / "a", tmp_path / "b"}


MALFORMED: dict[str, Callable[[Path], bytes]] = {
    "a list": lambda _: b"[1, 2]",
    "nothing": lambda _: b"",
    "no UTF-8": lambda _: b'{"a": "\xff"}',
    "deep": lambda _: b"[" * 100_000,
    "a long number": lambda _: b'{"a": ' + b"9" * 5000 + b"}",
    "entries of other types": lambda path: json.dumps({str(path): 7, "b": [1, 2], "c": ["1", 2, 3, "4"]}).encode(),
    "no digest": lambda path: json.dumps({str(path): [*[path.stat().st_size] * 3, None]}).encode(),
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_a_memo_that_is_none_is_written_anew(kind: str, tmp_path: Path) -> None:
    path, memo = tmp_path / "weights", tmp_path / "memo.json"
    path.write_text("one")
    memo.write_bytes(MALFORMED[kind](path))
    digests = Digests(memo)
    assert digests.of(path) == sha256(path)
    digests.save()
    assert set(json.loads(memo.read_text())) == {str(path), "checksum"}


def test_a_memo_whose_bits_flipped_is_not_believed(tmp_path: Path) -> None:
    path, memo = tmp_path / "weights", tmp_path / "memo.json"
    path.write_text("one")
    digests = Digests(memo)
    found = digests.of(path)
    digests.save()
    memo.write_text(memo.read_text().replace(found, found[1:] + "0"))
    assert Digests(memo).of(path) == found


def _write(folder: Path) -> None:
    write_atomic(folder / "file", "text")


def test_files_are_as_readable_as_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        process = multiprocessing.Process(target=_write, args=(tmp_path,))
        process.start()
        process.join()
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640
    (tmp_path / "sealed").write_text("as safetensors leaves it")
    (tmp_path / "sealed").chmod(0o600)
    disk.open_as_usual(tmp_path)
    assert (tmp_path / "sealed").stat().st_mode & 0o777 == 0o666 & ~before
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(TEMPORARY)]
