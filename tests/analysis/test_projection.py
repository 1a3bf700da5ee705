"""Projections: the random numbers are the known ones, inner products survive, and no matrix is ever made."""

import math
import statistics
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from dragoman.analysis import projection
from dragoman.analysis.projection import Exact, ProjectionError, Sketch, mixed


def project(sketch: Sketch, values: torch.Tensor, name: str = "weight") -> torch.Tensor:
    into = torch.zeros(sketch.dimension)
    sketch.add(values, name, into)
    return into


def cosine(one: torch.Tensor, other: torch.Tensor) -> float:
    return float(torch.cosine_similarity(one.flatten(), other.flatten(), dim=0))


def test_the_numbers_are_those_of_splitmix64() -> None:
    # published first outputs of SplitMix64 with the seed 1234567
    expected = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    assert [int(word) % (1 << 64) for word in mixed(torch.arange(5), 1234567)] == expected


def test_a_projection_is_linear_and_does_not_depend_on_the_size_of_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    one, other = torch.randn(70, 50), torch.randn(70, 50)
    sketch = Sketch(256, seed=3)
    together = project(sketch, 2 * one - other)
    assert torch.allclose(together, 2 * project(sketch, one) - project(sketch, other), atol=1e-4)
    monkeypatch.setattr(projection, "BLOCK", {"cpu": 512})
    assert torch.allclose(together, project(Sketch(256, seed=3), 2 * one - other), atol=1e-4)


def test_the_seed_and_the_name_decide_alone() -> None:
    torch.manual_seed(0)
    values = torch.randn(1000)
    first = project(Sketch(128, seed=1), values)
    assert torch.equal(first, project(Sketch(128, seed=1), values.clone()))
    assert not torch.allclose(first, project(Sketch(128, seed=2), values))
    assert not torch.allclose(first, project(Sketch(128, seed=1), values, "another"))


def test_every_entry_goes_to_one_place_with_a_sign_and_those_of_a_row_never_meet() -> None:
    sketch = Sketch(64)
    columns = torch.stack([project(sketch, row) for row in torch.eye(640)])
    assert (columns.abs().sum(1) == 1).all()
    assert (columns[:64].abs().sum(0) == 1).all()
    assert 250 < int((columns.sum(1) > 0).sum()) < 390  # as many signs up as down: 320, within 5 deviations
    assert len({tuple(columns[start : start + 64].abs().argmax(1).tolist()) for start in range(0, 640, 64)}) > 5


@pytest.mark.parametrize("column", [1.0, 30.0])
def test_cosines_are_right_on_average_and_as_near_as_promised(column: float) -> None:
    """Also where one column stands out, which without shifts would always meet itself."""
    torch.manual_seed(1)
    one = torch.randn(256, 512)
    other = 0.3 * one + torch.randn(256, 512)
    for weight in (one, other):
        weight[:, 7] *= column
    errors = []
    for seed in range(60):
        sketch = Sketch(512, seed)
        errors.append(cosine(project(sketch, one), project(sketch, other)) - cosine(one, other))
    promised = sketch.error * (1 - cosine(one, other) ** 2)
    assert sketch.error == pytest.approx(1 / math.sqrt(512))
    assert abs(statistics.mean(errors)) < 4 * promised / math.sqrt(60)
    assert 0.6 * promised < statistics.stdev(errors) < 1.35 * promised


class Largest(TorchDispatchMode):
    """The number of entries of the largest tensor that is made."""

    def __init__(self) -> None:
        super().__init__()
        self.entries = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = function(*args, **(kwargs or {}))
        if isinstance(made, torch.Tensor):
            self.entries = max(self.entries, made.numel())
        return made


def test_no_matrix_is_made_and_little_is_kept() -> None:
    values = torch.randn(3000, 2000)
    sketch = Sketch(8192)
    with Largest() as largest:
        project(sketch, values)
        for number in range(4):
            project(sketch, values, f"layer {number}")
    assert largest.entries <= values.numel() + 8192  # the gradient itself, seen flat
    assert sum(signs.numel() for signs, _ in sketch._kept.values()) <= projection.KEPT < 5 * values.numel()


def test_exact_vectors_lie_end_to_end() -> None:
    into = torch.zeros(Exact().size(6))
    Exact().add(torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.bfloat16), "a", into, 0)
    Exact().add(torch.tensor([5.0, 6.0]), "b", into, 4)
    assert into.tolist() == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(("asked", "offered"), [(8000, 8192), (32, 64), (100, 128)])
def test_a_dimension_that_is_no_power_of_two_is_told(asked: int, offered: int) -> None:
    with pytest.raises(ProjectionError, match=f"{asked} is not; take {offered}$"):
        Sketch(asked)
