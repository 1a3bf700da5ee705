"""Which files a model's weights are read from, and which are refused: indexes and pickles are somebody's files."""

import json
import pickle
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from dragoman.errors import EngineError
from dragoman.models.loading import fingerprint, load_model, locate
from dragoman.models.outline import outline
from dragoman.models.weights import companions, deciding_files, header, weight_bytes, weight_files


@pytest.fixture
def parted(tiny: Any, tmp_path: Path) -> Path:
    """A model whose weights lie in several files, with an index."""
    folder = tmp_path / "parted"
    tiny.save_pretrained(folder, max_shard_size="20KB")
    assert len(list(folder.glob("*.safetensors"))) > 2
    return folder


@pytest.fixture
def pickled(tiny: Any, tmp_path: Path) -> Path:
    """A model as it was saved before there were safetensors."""
    folder = tmp_path / "pickled"
    tiny.save_pretrained(folder)
    (folder / "model.safetensors").unlink()
    torch.save(tiny.state_dict(), folder / "pytorch_model.bin")
    return folder


def point(index: Path, name: str) -> None:
    """Has the index say that one tensor is in another file."""
    said = json.loads(index.read_text())
    said["weight_map"]["lm_head.weight"] = name
    index.write_text(json.dumps(said))


@pytest.mark.parametrize(
    "name", ["../../secret.safetensors", "/etc/secret.safetensors", "deeper/model.safetensors", "..", ""]
)
def test_an_index_that_points_out_of_its_folder(parted: Path, name: str) -> None:
    (parted.parent / "secret.safetensors").write_bytes(b"\x02\0\0\0\0\0\0\0{}")
    point(parted / "model.safetensors.index.json", name)
    for look in (weight_files, load_model, outline):
        with pytest.raises(EngineError, match=r"index\.json names '.*', which is not a file of this folder"):
            look(parted)


def test_an_index_that_names_what_is_not_there_or_no_safetensors(parted: Path) -> None:
    index = parted / "model.safetensors.index.json"
    for name, said in {
        "model-00009-of-00009.safetensors": "which is not there",
        "pytorch_model.bin": "no file of the kind that it is for",
        "config.json": "no file of the kind that it is for",
    }.items():
        point(index, name)
        with pytest.raises(EngineError, match=said):
            load_model(parted)
    for text in ("{", "[]", "{}", '{"weight_map": []}', '{"weight_map": {"a": 1}}', "[" * 100_000):
        index.write_text(text)
        with pytest.raises(EngineError, match=r"model\.safetensors\.index\.json"):
            load_model(parted)


def test_the_links_of_the_hub_s_cache_are_followed(parted: Path, tmp_path: Path, tiny: Any) -> None:
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "abc"
    blobs.mkdir()
    snapshot.mkdir(parents=True)
    for number, path in enumerate(sorted(parted.iterdir())):
        shutil.copyfile(path, blobs / str(number))
        (snapshot / path.name).symlink_to(f"../../blobs/{number}")
    found = load_model(snapshot, precision="fp32", device="cpu")
    assert torch.equal(found.lm_head.weight, tiny.lm_head.weight)
    assert fingerprint(snapshot) == fingerprint(parted)


def test_pickled_weights_are_read_where_that_was_said(pickled: Path, tiny: Any) -> None:
    with pytest.raises(EngineError, match=r"safetensors only, unless a recipe says `bin_weights: true`"):
        load_model(pickled)
    with pytest.raises(EngineError, match="bin_weights: true"):
        outline(pickled)
    found = load_model(pickled, precision="fp32", device="cpu", bin_weights=True)
    for name, tensor in tiny.state_dict().items():
        assert torch.equal(found.state_dict()[name], tensor)
    assert outline(pickled, bin_weights=True).lm_head.weight.device.type == "meta"


def test_pickled_weights_in_parts_with_one_tensor_less(pickled: Path) -> None:
    whole = torch.load(pickled / "pytorch_model.bin", weights_only=True)
    names = sorted(whole)
    parts = {"pytorch_model-00001-of-00002.bin": names[:9], "pytorch_model-00002-of-00002.bin": names[9:]}
    places = {name: part for part, some in parts.items() for name in some}
    for part, some in parts.items():
        torch.save({name: whole[name] for name in some}, pickled / part)
    (pickled / "pytorch_model.bin").unlink()
    with pytest.raises(EngineError, match=r"no pytorch_model\.bin\.index\.json"):
        load_model(pickled, bin_weights=True)
    (pickled / "pytorch_model.bin.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
    load_model(pickled, device="cpu", bin_weights=True)
    torch.save({name: whole[name] for name in names[10:]}, pickled / "pytorch_model-00002-of-00002.bin")
    for look in (load_model, outline):
        with pytest.raises(EngineError, match=f"1 of its tensors are not there: {names[9]}"):
            look(pickled, bin_weights=True)


class _Attack:
    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_pickled_weights_is_not_run(pickled: Path, tmp_path: Path, zipped: bool) -> None:
    mark = tmp_path / "was run"
    if zipped:
        torch.save({"lm_head.weight": _Attack(mark)}, pickled / "pytorch_model.bin")
    else:
        (pickled / "pytorch_model.bin").write_bytes(pickle.dumps({"lm_head.weight": _Attack(mark)}))
    for look in (load_model, outline):
        with pytest.raises(EngineError, match="could not be loaded"):
            look(pickled, bin_weights=True)
    assert not mark.exists()


def test_safetensors_come_before_what_lies_beside_them(pickled: Path, parted: Path) -> None:
    before = fingerprint(parted)
    (parted / "pytorch_model.bin").write_bytes(b"never read")
    (parted / "pytorch_model.bin.index.json").write_text("{}")
    load_model(parted, device="cpu", bin_weights=True)
    assert fingerprint(parted) == before
    assert weight_bytes(parted) == sum(path.stat().st_size for path in parted.glob("*.safetensors"))
    (pickled / "other.safetensors").write_bytes(next(parted.glob("*.safetensors")).read_bytes())
    with pytest.raises(EngineError, match=r"which would say what other\.safetensors is part of"):
        weight_files(pickled, bin_weights=True)


def test_a_fingerprint_covers_pickled_weights(pickled: Path) -> None:
    first = fingerprint(pickled)
    weights = pickled / "pytorch_model.bin"
    assert deciding_files(pickled) == [weights]
    changed = bytearray(weights.read_bytes())
    changed[-1000] ^= 1
    weights.write_bytes(changed)
    assert fingerprint(pickled) != first


def test_pickled_weights_are_fetched_only_where_they_are_needed(
    pickled: Path, parted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Sequence[str]] = []
    there = pickled

    def download(name: str, *, allow_patterns: Sequence[str], **more: Any) -> str:
        asked.append(tuple(allow_patterns))
        return str(there)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    locate("someone/old")
    assert not any("bin" in pattern for pattern in asked.pop())
    locate("someone/old", bin_weights=True)
    assert ["pytorch_model*.bin" in patterns for patterns in asked] == [False, True]
    there, asked[:] = parted, []
    locate("someone/new", bin_weights=True)
    assert ["pytorch_model*.bin" in patterns for patterns in asked] == [False]


def test_a_file_that_is_cut_off_is_seen_by_its_header(parted: Path) -> None:
    path = sorted(parted.glob("*.safetensors"))[0]
    assert header(path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(EngineError, match="it is cut off; fetch it again"):
        header(path)


def test_companions_are_the_tokenizer_in_all_its_forms_and_the_chat_template(tmp_path: Path) -> None:
    kept = ["chat_template.jinja", "generation_config.json", "tokenizer.json", "tokenizer.model.v3", "vocab.json"]
    for name in (*kept, "config.json", "model.safetensors", "README.md", "modeling.py"):
        (tmp_path / name).touch()
    assert [path.name for path in companions(tmp_path)] == kept
    assert {path.name for path in companions(tmp_path, "*.py")} == {*kept, "modeling.py"}
