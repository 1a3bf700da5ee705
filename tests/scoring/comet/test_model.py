"""COMET against the scores of the official package, on its own tiny models; and files that are none."""

import json
import math
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from dragoman.errors import DataError
from dragoman.scoring.comet import head as comet_head
from dragoman.scoring.comet.cache import Scores
from dragoman.scoring.comet.encoder import Encoder
from dragoman.scoring.comet.model import Comet, Triple, open_comet

MODELS = ("regression", "unified_qe")
TOLERANCE = 1e-5  # ten times as strict as it must be


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").rstrip("\n").split("\n")]


@pytest.fixture(scope="module", params=["ours", "official"])
def tiny(request: pytest.FixtureRequest) -> Path:
    """Models whose scores are worked out here, and models with the scores of the official package."""
    if request.param == "ours":
        return Path(request.getfixturevalue("our_comet"))
    folder = Path(request.getfixturevalue("real_data")) / "comet_tiny"
    if not folder.is_dir():
        pytest.skip(f"no COMET models at {folder}")
    return folder


@pytest.fixture(scope="module")
def triples(tiny: Path) -> list[Triple]:
    return [Triple(row["src"], row["mt"], row["ref"]) for row in rows(tiny / "triples.jsonl")]


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def official(tiny: Path, model: str) -> list[float]:
    return [row["score_bs1"] for row in rows(tiny / "expected" / f"{model}.jsonl")]


@pytest.fixture
def changed(tiny: Path, tmp_path: Path) -> Callable[..., Path]:
    """A copy of a model with changes to what is in its checkpoint and its settings."""

    def change(model: str = "regression", told: dict[str, Any] | None = None, **weights: Any) -> Path:
        folder = tmp_path / "changed"
        shutil.copytree(tiny / model, folder / model)
        (folder / "encoder").symlink_to(tiny / "encoder")
        path = folder / model / "checkpoints" / "model.ckpt"
        data = torch.load(path, weights_only=True)
        for name, value in weights.items():
            if value is None:
                del data["state_dict"][name]
            else:
                data["state_dict"][name] = value
        data["hyper_parameters"] |= told or {}
        path.chmod(0o644)
        torch.save(data, path)
        return folder / model

    return change


def furthest(found: list[float], official: list[float]) -> float:
    return max(abs(one - other) for one, other in zip(found, official, strict=True))


@pytest.mark.parametrize("batch_tokens", [None, 300])
def test_scores_are_the_official_ones(
    tiny: Path, model: str, triples: list[Triple], official: list[float], batch_tokens: int | None
) -> None:
    comet = open_comet(tiny / model, batch_tokens=batch_tokens)
    found = comet.score(triples)
    assert len(found) == 89
    assert furthest(found, official) < TOLERANCE
    system = json.loads((tiny / "expected" / f"{model}.system.json").read_text(encoding="utf-8"))
    assert sum(found) / len(found) == pytest.approx(system["system_score_bs1"], abs=TOLERANCE)


def test_scores_keep_the_order_that_was_given(
    tiny: Path, model: str, triples: list[Triple], official: list[float]
) -> None:
    order = random.Random(1).sample(range(len(triples)), len(triples))
    found = open_comet(tiny / model).score([triples[at] for at in order])
    assert furthest(found, [official[at] for at in order]) < TOLERANCE


def test_one_alone_scores_as_among_others(tiny: Path, model: str, triples: list[Triple], official: list[float]) -> None:
    comet = open_comet(tiny / model / "checkpoints" / "model.ckpt")
    assert furthest([comet.score([triple])[0] for triple in triples[:12]], official[:12]) < TOLERANCE
    assert comet.score([]) == []


def test_vectors_and_layer_weights_are_the_official_ones(tiny: Path, model: str) -> None:
    trace = json.loads((tiny / "expected" / "trace.json").read_text(encoding="utf-8"))[model]
    comet = open_comet(tiny / model)
    encoder = comet._encoder
    gamma = trace["gamma"]
    assert [share / gamma for share in encoder.mix] == pytest.approx(trace["layer_weights"], abs=1e-6)
    sides = ("src", "mt", "ref") if comet.needs_reference else ("",)
    for segment in trace["segments"]:
        for side in sides:
            ids = segment[f"{side}_ids" if side else next(name for name in segment if name.endswith("ids"))]
            wanted = segment[f"{side}_embedding" if side else next(name for name in segment if "embedding" in name)]
            assert encoder.vectors([ids])[0].tolist() == pytest.approx(wanted, abs=2e-5)


def test_a_layer_without_weight_at_the_top_is_not_computed(tiny: Path) -> None:
    comet = open_comet(tiny / "regression")
    assert comet._encoder.mix[-1] == 0
    assert (comet._encoder.depth, len(comet._encoder._layers)) == (3, 3)


def test_sparsemax() -> None:
    assert comet_head.sparsemax(torch.tensor([0.0, 0.0])).tolist() == [0.5, 0.5]
    assert comet_head.sparsemax(torch.tensor([3.0, 0.0, 1.0])).tolist() == [1.0, 0.0, 0.0]
    shares = comet_head.sparsemax(torch.tensor([0.5, 0.3, -0.9])).tolist()
    assert shares == pytest.approx([0.6, 0.4, 0.0])
    assert shares[2] == 0


def test_each_text_is_encoded_once(
    tiny: Path, triples: list[Triple], official: list[float], monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    """Four systems over the same sources and references, with two of which some translations are alike."""
    seen: list[tuple[int, ...]] = []
    real = Encoder.vectors

    def vectors(self: Encoder, texts: Any) -> torch.Tensor:
        seen.extend(map(tuple, texts))
        return real(self, texts)

    monkeypatch.setattr(Encoder, "vectors", vectors)
    plain = triples[:20]
    systems = [plain, plain, [Triple(s, r or "", r) for s, _, r in plain], [Triple(s, s, r) for s, _, r in plain]]
    asked = [triple for system in systems for triple in system]
    found = open_comet(tiny / model, batch_tokens=500).score(asked)
    assert furthest(found[:20], official[:20]) < TOLERANCE
    if model == "regression":
        assert len(seen) == len({text for triple in asked for text in triple})
    else:
        assert len(seen) == len({triple[:2] for triple in asked})
    assert found[:20] == found[20:40]


def test_scores_are_kept(
    tiny: Path, model: str, triples: list[Triple], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = open_comet(tiny / model).score(triples[:30], tmp_path)
    monkeypatch.setattr(Comet, "_encoded", lambda *_: pytest.fail("something was scored again"))
    again = open_comet(tiny / model)
    assert again.score(triples[:30][::-1], tmp_path) == first[::-1]
    assert not {"_encoder", "_head"} & set(vars(again))  # no weights were needed
    with pytest.raises(pytest.fail.Exception):
        again.score(triples[:31], tmp_path)
    with pytest.raises(pytest.fail.Exception):
        open_comet(tiny / model, precision="bf16").score(triples[:1], tmp_path)


def test_sources_and_references_are_not_encoded_again_for_another_system(
    tiny: Path, triples: list[Triple], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = list(dict.fromkeys(triples))[:30]
    second = [triple._replace(translation=f"{at} {triple.translation}") for at, triple in enumerate(first)]
    wanted = open_comet(tiny / "regression").score(second)
    open_comet(tiny / "regression").score(first, tmp_path)
    counted = 0
    real = Encoder.vectors

    def vectors(self: Encoder, texts: Any) -> torch.Tensor:
        nonlocal counted
        counted += len(texts)
        return real(self, texts)

    monkeypatch.setattr(Encoder, "vectors", vectors)
    assert open_comet(tiny / "regression").score(second, tmp_path) == pytest.approx(wanted, abs=TOLERANCE)
    assert counted == len(second)  # the translations
    path = next(tmp_path.glob("*.vectors"))
    whole = bytearray(path.read_bytes())
    whole[100] ^= 255
    path.write_bytes(whole[:-7])  # the first and the last are lost
    third = [triple._replace(translation=f"{at}, {triple.translation}") for at, triple in enumerate(first)]
    counted = 0
    assert (
        furthest(open_comet(tiny / "regression").score(third, tmp_path), open_comet(tiny / "regression").score(third))
        < TOLERANCE
    )
    assert counted == len(third) + 2 + len({text for triple in third for text in triple})


def test_without_references_they_are_not_read(tiny: Path, triples: list[Triple], tmp_path: Path) -> None:
    comet = open_comet(tiny / "unified_qe")
    assert not comet.needs_reference
    bare = [Triple(source, translation) for source, translation, _ in triples[:9]]
    assert comet.score(bare, tmp_path) == comet.score(triples[:9], tmp_path)


def test_a_killed_run_keeps_what_it_had(
    tiny: Path,
    triples: list[Triple],
    official: list[float],
    model: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dragoman.scoring.comet.model._WORK", 0)  # groups as of a large model
    real = Encoder.vectors
    left = [12]

    def vectors(self: Encoder, texts: Any) -> torch.Tensor:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        return real(self, texts)

    monkeypatch.setattr(Encoder, "vectors", vectors)
    comet = open_comet(tiny / model, batch_tokens=300)
    with pytest.raises(KeyboardInterrupt):
        comet.score(triples, tmp_path)
    kept = len(Scores(next(tmp_path.glob("*.scores"))).read())
    assert 0 < kept < len(set(triples))
    assert furthest(comet.score(triples, tmp_path), official) < TOLERANCE


@pytest.mark.parametrize("damage", ["cut", "noise", "folder", "middle"])
def test_a_damaged_cache_is_made_again(tiny: Path, triples: list[Triple], tmp_path: Path, damage: str) -> None:
    comet = open_comet(tiny / "regression")
    wanted = comet.score(triples[:8], tmp_path)
    path = next(tmp_path.glob("*.scores"))
    whole = path.read_bytes()
    if damage == "folder":
        path.unlink()
        path.mkdir()
    else:
        middle = bytearray(whole)
        middle[50] ^= 255
        path.write_bytes({"cut": whole[:-5], "noise": os.urandom(1001), "middle": bytes(middle)}[damage])
    assert comet.score(triples[:8], tmp_path) == pytest.approx(wanted, abs=TOLERANCE)
    if damage != "folder":
        kept = Scores(path).read().values()
        assert all(min(abs(score - one) for one in wanted) < TOLERANCE for score in kept)
        assert len(set(kept)) >= 8


def test_two_writers_of_a_cache(tmp_path: Path) -> None:
    one, other = Scores(tmp_path / "a.scores"), Scores(tmp_path / "a.scores")
    one.add({b"a" * 16: 0.5})
    other.add({b"b" * 16: math.pi})
    one.add({b"c" * 16: -1.0})
    assert other.read() == {b"a" * 16: 0.5, b"b" * 16: math.pi, b"c" * 16: -1.0}


def test_the_signature_says_what_made_the_score(tiny: Path, changed: Callable[..., Path]) -> None:
    comet = open_comet(tiny / "regression")
    assert comet.name == "regression"
    assert comet.signature.startswith("comet|model:regression|contents:")
    assert "|class:regression_metric|layers:sparsemax|refs:1|precision:fp32|version:dragoman-" in comet.signature
    assert "|layers:softmax|refs:0|" in open_comet(tiny / "unified_qe").signature
    other = open_comet(changed(**{"layerwise_attention.gamma": torch.tensor([2.0])}))
    assert other.fingerprint != comet.fingerprint


def test_bf16_says_so_and_is_near(tiny: Path, triples: list[Triple], official: list[float], model: str) -> None:
    comet = open_comet(tiny / model, precision="bf16")
    assert "|precision:bf16|" in comet.signature
    assert 1e-5 < furthest(comet.score(triples[:40]), official[:40]) < 0.05


def test_halves_of_characters_are_scored(tiny: Path) -> None:
    comet = open_comet(tiny / "unified_qe")
    assert comet.score([Triple("a \ud83d b", "c")]) == comet.score([Triple("a � b", "c")])


def test_a_missing_reference_is_refused_and_an_empty_one_is_a_text(tiny: Path, triples: list[Triple]) -> None:
    comet = open_comet(tiny / "regression")
    with pytest.raises(DataError, match=r"1 of 2 translations: number 2 has no reference\. Give one for each"):
        comet.score([triples[0], Triple("Hallo", "Hello")])
    with pytest.raises(DataError, match="number 1 has no translation"):
        comet.score([triples[0]._replace(translation=None)])  # type: ignore[arg-type]
    assert math.isfinite(comet.score([Triple("Hallo", "Hello", "")])[0])


def test_settings_of_older_checkpoints(changed: Callable[..., Path], triples: list[Triple], tiny: Path) -> None:
    """Layers that are normalised before they are mixed: each text then scores the same alone and among others."""
    comet = open_comet(changed(told={"layer_norm": True}))
    found = comet.score(triples[:6])
    assert furthest(found, open_comet(tiny / "regression").score(triples[:6])) > 1e-3
    assert furthest([comet.score([triple])[0] for triple in triples[:6]], found) < TOLERANCE
