"""Where files lie: written whole or not at all, on a disk or at an address; what goes wrong is a sentence."""

import os
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from dragoman.errors import StoreError
from dragoman.generation.cache.storage import BucketShelf, LocalShelf, Shelf, shelf_at


class Bucket(MemoryFileSystem):
    """A bucket of fsspec's that can be told to refuse, and that has no folder until it is made."""

    protocol = "bucket"
    store: ClassVar[dict[str, object]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    refuses: Exception | None = None
    asked: ClassVar[list[int]] = []

    def pipe_file(self, path: str, value: bytes, **more: object) -> None:
        if self.refuses is not None:
            raise self.refuses
        if not self.isdir(self._parent(path)):
            raise FileNotFoundError(path)
        super().pipe_file(path, value, **more)

    def cat(self, path: list[str], **more: object) -> object:
        self.asked.append(len(path))
        if self.refuses is not None:
            raise self.refuses
        return super().cat(path, **more)

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return MemoryFileSystem._strip_protocol(path.replace("bucket://", "memory://"))


@pytest.fixture
def bucket() -> Iterator[type[Bucket]]:
    fsspec.register_implementation("bucket", Bucket, clobber=True)
    yield Bucket
    Bucket.store.clear()
    Bucket.pseudo_dirs[:] = [""]
    Bucket.refuses = None
    Bucket.asked.clear()


@pytest.fixture(params=["local", "memory", "bucket"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path, bucket: type[Bucket]) -> Shelf:
    if request.param == "local":
        return shelf_at(tmp_path / "deep" / "cache", "group")
    return shelf_at(f"{request.param}://{tmp_path.name}/", "group")


def test_files_are_written_read_and_set_aside(shelf: Shelf) -> None:
    assert shelf.names() == []
    assert list(shelf.read(["a"])) == [("a", None)]
    shelf.write("b", b"two")
    shelf.write("a", b"one")
    shelf.write("a", b"one again")
    assert shelf.names() == ["a", "b"]
    assert list(shelf.read(["b", "gone", "a"])) == [("b", b"two"), ("gone", None), ("a", b"one again")]
    shelf.set_aside("a", "a.damaged")
    shelf.set_aside("a", "a.damaged")  # another process was quicker
    assert shelf.names() == ["a.damaged", "b"]
    assert dict(shelf.read(["a.damaged", "a"])) == {"a.damaged": b"one again", "a": None}
    with fsspec.open(shelf.path("b")) as file:
        assert file.read() == b"two"


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("cache", LocalShelf),
        ("file:///cache", LocalShelf),
        ("local:///cache", LocalShelf),
        ("memory://cache", BucketShelf),
        ("dir::memory://cache", BucketShelf),
    ],
)
def test_addresses(address: str, kind: type) -> None:
    assert isinstance(shelf_at(address, "group"), kind)
    if kind is LocalShelf:
        assert shelf_at(address, "group").path("x") == ("/cache/group/x" if "/" in address else "cache/group/x")


def test_a_bucket_is_asked_for_several_files_at_once(bucket: type[Bucket]) -> None:
    shelf = shelf_at("bucket://b", "group")
    names = [f"{number:03d}" for number in range(70)]
    for name in names:
        shelf.write(name, name.encode())
    assert dict(shelf.read(names)) == {name: name.encode() for name in names}
    assert bucket.asked == [32, 32, 6]


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("nowhere://x", "nowhere://x cannot be opened: Protocol not known: nowhere. Name a local folder, or"),
        ("tos://bucket/x", r"tos://bucket/x cannot be opened: Install tosfs to access .* \(pip install it\)\."),
    ],
)
def test_an_address_that_cannot_be_opened_is_a_sentence(address: str, sentence: str) -> None:
    with pytest.raises(StoreError, match=sentence):
        shelf_at(address, "group")


def test_a_bucket_that_refuses_is_a_sentence(bucket: type[Bucket]) -> None:
    shelf = shelf_at("bucket://b/", "group")
    shelf.write("a", b"1")
    bucket.refuses = RuntimeError("Unable to locate credentials")
    with pytest.raises(StoreError) as told:
        shelf.write("b", b"2")
    assert str(told.value) == (
        "bucket://b could not be written: Unable to locate credentials. What was there is whole."
    )
    with pytest.raises(StoreError, match="bucket://b could not be read: Unable to locate credentials"):
        list(shelf.read(["a"]))


def test_a_full_disk_is_a_sentence_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    shelf = shelf_at(tmp_path, "group")
    shelf.write("a", b"1" * 10)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(StoreError, match=r"group could not be written: File too large. What was there is whole"):
            shelf.write("b", b"2" * 1_000_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert os.listdir(tmp_path / "group") == ["a"]


def test_a_file_that_may_not_be_read_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "group" / "a").mkdir(parents=True)
    with pytest.raises(StoreError, match="group/a could not be read: Is a directory"):
        list(shelf_at(tmp_path, "group").read(["a"]))


def test_files_may_be_read_by_whom_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        shelf_at(tmp_path, "group").write("a", b"1")
    finally:
        os.umask(before)
    assert (tmp_path / "group" / "a").stat().st_mode & 0o777 == 0o640
