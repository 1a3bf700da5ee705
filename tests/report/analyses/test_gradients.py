"""How gradients and drift are shown: every number where it belongs, and text stays text."""

import io
from typing import Any
from xml.etree import ElementTree

import pytest
from rich.console import Console

from dragoman.report.analyses import drift as drifts
from dragoman.report.analyses import gradients as layers
from tests.plain_card import Card
from tests.report.svg import SVG, centre, markers


def agreement(cosine: float | None, half: float = 0.05) -> dict[str, Any]:
    interval = None if cosine is None else [cosine - half, cosine + half]
    part = {"cosine": cosine, "interval": interval}
    each = {**part, "negative": None if cosine is None else 0.25}
    return {"mean": part, "each": each, "directions": {"de-en": {"examples": 4, "mean": part, "each": each}}}


def row(*cosines: float | None, identical: int = 0) -> dict[str, Any]:
    parts = {str(number): agreement(cosine) for number, cosine in enumerate(cosines)}
    positive = sum(cosine is not None and cosine > 0 for cosine in cosines)
    counted = {"layers": 3, "positive": positive, "negative": 3 - positive, "surely positive": 1, "surely negative": 0}
    return {
        "regulariser": "own",
        "examples": 4,
        "identical": identical,
        "signs": {"mean": counted, "each": counted},
        "parts": {**parts, "embeddings": agreement(0.9), layers.ALL: agreement(0.5)},
    }


@pytest.fixture
def gradients() -> Any:
    return {
        "recipe": "small",
        "at": "backbone",
        "weights": "full",
        "dimension": 1024,
        "error": 1 / 32,
        "seed": 0,
        "ends": True,
        "precision": "float32",
        "directions": {"de-en": 4},
        "rows": {"seq_kd": row(-0.3, 0.02, -0.1, identical=1), "<radis>": row(0.2, 0.1, None)},
    }


def test_the_terminal_shows_each_layer_and_counts_signs(gradients: Any) -> None:
    console = Console(file=io.StringIO(), width=100)
    layers.show(gradients, console)
    said = console.file.getvalue()  # type: ignore[attr-defined]
    first = next(line for line in said.splitlines() if line.strip().startswith("0 "))
    assert first.split() == ["0", "-0.300", "±", "0.050", "-0.300", "25%", "+0.200", "±", "0.050", "+0.200", "25%"]
    assert "agree in 1 of 3 layers (1 beyond doubt) and oppose each other in 2" in said
    assert "In 1 of 4 examples both terms are the same text" in said
    assert "projected to 1,024 numbers a layer (seed 0), which puts a cosine off by about 0.031" in said


def test_the_document_has_intervals_and_directions(gradients: Any) -> None:
    lines = layers.markdown(gradients).splitlines()
    assert next(line for line in lines if line.startswith("| 2 |")) == (
        "| 2 | -0.100 (-0.150 to -0.050) | -0.100 (-0.150 to -0.050) | 25% | – | – | – |"
    )
    assert "| layer | seq_kd, de-en | <radis>, de-en |" in lines
    assert lines[-2] == "| embeddings | +0.900 | +0.900 |"


def test_the_picture_sets_agreement_above_the_line_of_zero(gradients: Any) -> None:
    root = ElementTree.fromstring(layers.picture(gradients))
    zero = next(float(line.get("y1", "nan")) for line in root.iter(f"{SVG}line") if line.get("class") == "axis")
    places: dict[str, list[tuple[float, float]]] = {}
    for group in root.iter(f"{SVG}g"):
        (marker,) = markers(group)
        places.setdefault(group.get("class", ""), []).append(centre(marker))
    assert [y > zero for _, y in places["point row-1"]] == [True, False, True]
    assert [y > zero for _, y in places["point row-2"]] == [False, False]
    xs = [x for x, _ in places["point row-1"]]
    assert xs == sorted(xs)
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert "seq_kd: 1 of 3 above 0, 2 below" in texts
    assert "<radis>" in texts


@pytest.fixture
def moved() -> Any:
    def found(mean: float) -> dict[str, Any]:
        way = {"mean": mean, "interval": [0.9 * mean, 1.1 * mean], "seeds": [mean, mean], "sd": 0.01}
        return {"texts": 5, "tokens": 60, "forward": way, "reverse": way}

    return {
        "recipe": "small",
        "titles": {"references": "translation requests, along the reference"},
        "precision": "float32",
        "rows": {"vanilla": {"references": found(0.4)}, "radis": {"references": found(0.1)}},
    }


def test_drift_is_shown_with_its_interval_and_seeds(moved: Any) -> None:
    document = drifts.markdown(moved)
    cell = "0.4000 (0.3600–0.4400), ± 0.0100 over seeds"
    assert f"| vanilla | {cell} | {cell} |" in document
    assert "translation requests, along the reference: 5 texts, 60 tokens" in document
    assert "means of 2 seeds" in document
    root = ElementTree.fromstring(drifts.picture(moved) or "")
    widths = [float(bar.get("width", "")) for bar in root.iter(f"{SVG}rect")]
    assert widths[0] == pytest.approx(4 * widths[1], rel=1e-3)


def test_where_a_recipe_was_judged_what_is_kept_is_set_against_drift(moved: Any) -> None:
    card: Card = {"rows": [{"name": "backbone", "retention": 100.0}, {"name": "vanilla", "retention": 40.0}]}
    kept = drifts.retention(card, ["vanilla", "radis"])
    assert kept == {"vanilla": 40.0, "radis": None}
    result = moved | {"retention": kept | {"radis": 90.0}}
    assert "| radis | 90.0 |" in drifts.markdown(result)
    (far, low), (near, high), *key = map(centre, markers(ElementTree.fromstring(drifts.picture(result) or "")))
    assert len(key) == 2
    assert near < far
    assert high < low
