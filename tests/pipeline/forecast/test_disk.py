"""The disk room that a run takes is told before it begins, and is near what it then writes."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dragoman.cli import app
from dragoman.commands.recipes import DEMO, recipe
from dragoman.errors import StoreError
from dragoman.pipeline.forecast.disk import room
from dragoman.pipeline.models.cast import find_backbone
from dragoman.pipeline.plan import stages
from dragoman.store import Artifact, Digests, Store


def test_room_is_what_the_stages_to_do_will_write(tmp_path: Path) -> None:
    loaded = recipe(DEMO, [f"runs={tmp_path}"])
    backbone = find_backbone(loaded, Digests(tmp_path / "memo"))
    data = Artifact("data-1", tmp_path, {}, {"train": {"de-en": 800}})
    (tmp_path / "train.jsonl").write_bytes(b"x" * 145_000)
    (tmp_path / "test.jsonl").write_bytes(b"x" * 35_000)
    # Replay is counted with answers of the greatest length: far more than they come to.
    taught = [stage for stage in stages(loaded) if stage.kind != "replay"]
    takes = room(loaded, backbone, taught, data)
    # A run of so much data left 3 models of 8.3 MB, 3 adapters of 1.4 MB, 1.2 MB of examples, 0.3 MB of completions,
    # 0.4 MB of results.
    assert takes.models == 3
    assert takes.model == pytest.approx(8.3e6, rel=0.02)
    assert takes.training == pytest.approx(1.4e6 * (3 + 9), rel=0.02)  # and checkpoints, while an adapter is trained
    assert 1.8e6 < takes.texts < 3.6e6
    assert str(takes).startswith("3 merged models of 8.3 MB; 16.")
    merged = [stage for stage in stages(loaded) if stage.kind in ("evaluate", "report")]
    assert room(loaded, backbone, merged, data).total < 1e6


def test_a_dry_run_tells_it(tmp_path: Path) -> None:
    ran = CliRunner().invoke(app, ["run", str(DEMO), f"runs={tmp_path}", "--dry-run"])
    assert "On disk about 41." in " ".join(ran.output.split())
    assert "3 merged models of 8.3 MB" in " ".join(ran.output.split())


def test_a_disk_without_room_is_told_by_its_own_measure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=40_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    store = Store(tmp_path)
    store.need_room(30_000_000, "small")
    with pytest.raises(StoreError, match=r"needs about 30\.0 MB in .* 40\.0 MB left; 20\.0 MB should stay free"):
        store.need_room(30_000_000, "small", 20_000_000)
