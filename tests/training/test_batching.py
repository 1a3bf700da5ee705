from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional
from transformers import LlamaForCausalLM

from dragoman.prompts.examples import Example, ExampleTable
from dragoman.training.batching import Batcher, Order, pack, pad, share, split
from tests.training.training_kit import examples

Write = Callable[[list[Example]], ExampleTable]


@pytest.mark.parametrize("packed", [False, True])
def test_every_example_is_in_one_group_within_the_budget(packed: bool) -> None:
    lengths = np.array([5, 90, 7, 30, 31, 6, 250, 29, 5])
    groups = split(lengths, 100, packed)
    assert sorted(index for group in groups for index in group) == list(range(9))
    sizes = [int(lengths[g].sum()) if packed else len(g) * int(lengths[g].max()) for g in groups]
    assert [size for size in sizes if size > 100] == [250]  # longer than the budget: alone
    assert [6] in groups


def test_groups_are_cut_where_padding_costs_more_than_another_pass() -> None:
    assert split(np.array([100] * 8 + [10] * 8), 10_000, False) == [list(range(8)), list(range(8, 16))]
    assert len(split(np.array([100] * 8 + [95] * 8), 10_000, False)) == 1


def test_devices_get_equal_numbers_of_groups() -> None:
    lengths = np.array([9, 8, 7, 6, 5])
    assert share([[0, 1, 2], [3, 4]], lengths, 2) == [[0, 1, 2], [3, 4]]
    parts = share([[0, 1, 2, 3, 4]], lengths, 4)
    assert len(parts) == 4
    assert sorted(index for part in parts for index in part) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("line", [0, 64])
@pytest.mark.parametrize("count", [2, 7])
def test_devices_together_see_what_one_sees(line: int, count: int, table: Write) -> None:
    rows = list(table(examples(count)))
    whole = Batcher(60, line)(rows)
    parts = [Batcher(60, line, device, 3)(rows) for device in range(3)]
    assert {len(part.micros) for part in parts} == {len(parts[0].micros)}
    assert {(part.total, part.tokens) for part in parts} == {(whole.total, whole.tokens)}
    live = [m.targets[m.weights > 0] for part in parts for m in part.micros]
    assert sorted(torch.cat(live).tolist()) == sorted(torch.cat([m.targets for m in whole.micros]).tolist())
    assert whole.total == sum(float(row.weights.sum()) for row in rows)


def test_the_order_is_new_in_each_epoch_and_keeps_the_rest() -> None:
    order = Order(10, 4, seed=3)
    first = list(order)
    assert [len(step) for step in first] == [4, 4, 2]
    assert len(order) == 3
    assert sorted(index for step in first for index in step) == list(range(10))
    assert list(order) == first
    order.set_epoch(1)
    assert list(order) != first
    assert list(Order(10, 4, seed=4)) != first


@pytest.mark.parametrize(("line", "lines"), [(1, 6), (64, 5), (1000, 1)])
def test_no_packed_token_sees_another_example(line: int, lines: int, tiny: Path, table: Write) -> None:
    model = LlamaForCausalLM.from_pretrained(tiny).eval()
    rows = list(table(examples(9)))
    packed = pack(rows, line)
    assert packed.ids.shape[0] == lines
    with torch.no_grad():
        together = model(input_ids=packed.ids, position_ids=packed.places, use_cache=False).logits.flatten(0, 1)
        alone = [model(input_ids=torch.from_numpy(row.ids[None].astype(np.int64))).logits[0] for row in rows]
    expected = torch.cat(
        [logits[:-1][torch.from_numpy(row.weights[1:] > 0)] for logits, row in zip(alone, rows, strict=True)]
    )
    torch.testing.assert_close(together[packed.positions], expected, rtol=1e-4, atol=1e-4)


def test_padding_changes_no_loss(tiny: Path, table: Write) -> None:
    model = LlamaForCausalLM.from_pretrained(tiny).eval()
    rows = list(table(examples(5)))
    micro = pad(rows)
    with torch.no_grad():
        logits = model(input_ids=micro.ids, use_cache=False).logits.flatten(0, 1)[micro.positions]
        found = functional.cross_entropy(logits, micro.targets, reduction="none")
        expected = []
        for row in rows:
            ids = torch.from_numpy(row.ids.astype(np.int64))
            labels = torch.where(torch.from_numpy(row.weights > 0), ids, -100)
            out = model(input_ids=ids[None]).logits[0, :-1]
            expected.append(functional.cross_entropy(out, labels[1:], reduction="none")[labels[1:] >= 0])
    torch.testing.assert_close(found, torch.cat(expected), rtol=1e-4, atol=1e-4)
