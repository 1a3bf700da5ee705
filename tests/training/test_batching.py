from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional
from transformers import LlamaForCausalLM

from dragoman.prompts.examples import Example, ExampleTable, Segment, write_examples
from dragoman.training.batching import Batcher, Mixture, Order, ReplayOrder, pack, pad, share, split
from tests.training.training_kit import examples, replayed, settings

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
def test_stored_tokens_are_those_of_the_trained_places(line: int, tmp_path: Path) -> None:
    """Of several examples, with unlike numbers of stored tokens, among places and segments that are not asked for."""

    def made(start: int, count: int, weight: float = 1.0) -> Example:
        ids = tuple(range(start, start + 4))
        steps = tuple(tuple((token + more, -1.0 - more) for more in range(count)) for token in ids[:3])
        return Example(
            (
                Segment("prompt", (90, 91), 0.0),
                Segment("rationale", ids, weight, steps),
                Segment("end", (2,), logprobs=(((2, -0.1),),)),
            )
        )

    write_examples(tmp_path, 0, [made(10, 2), made(20, 1), made(30, 1, 0.0)])
    write_examples(tmp_path, 1, [made(40, 3), Example((Segment("prompt", (90,), 0.0), Segment("end", (2,))))])
    rows = list(ExampleTable(tmp_path))
    for parts, tens in ((rows, (10, 20, 40)), ([rows[4], rows[3], rows[0]], (10, 40))):
        (micro,) = Batcher(1000, line, stored=np.array([False, True, False]))(parts).micros
        assert micro.stored is not None
        which, ids, logprobs = micro.stored
        targets = micro.targets[which]
        assert sorted(targets.tolist()) == [ten + more for ten in tens for more in range(3)]
        for target, some, values in zip(targets.tolist(), ids.tolist(), logprobs.tolist(), strict=True):
            count = {1: 2, 2: 1, 4: 3}[target // 10]
            assert some[:count] == [target + more for more in range(count)]
            assert values == [-1.0, -2.0, -3.0][:count] + [-np.inf] * (3 - count)
        moved = micro.to(torch.device("cpu")).stored
        assert moved is not None
        assert torch.equal(moved.which, which)
    assert [one.stored for one in Batcher(1000, line)(rows).micros] == [None]
    both = [Batcher(1000, line, device, 2, stored=np.array([False, True, False]))(rows[3:4]) for device in range(2)]
    assert [one.micros[0].stored is None for one in both] == [False, True]  # the second has a blank


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


def test_replay_has_an_order_of_its_own_that_goes_on_from_epoch_to_epoch() -> None:
    replay = ReplayOrder(examples=5, rate=1.25, seed=3)
    order, alone = Order(10, 4, seed=3, replay=replay), Order(10, 4, seed=3)
    drawn = []
    for epoch in range(4):
        order.set_epoch(epoch)
        alone.set_epoch(epoch)
        steps, plain = list(order), list(alone)
        assert [[index for index in step if index < 10] for step in steps] == plain
        drawn += [[index for index in step if index >= 10] for step in steps]
    assert [len(step) for step in drawn] == [1, 1, 1, 2] * 3
    flat = [index for step in drawn for index in step]
    passes = [flat[at : at + 5] for at in range(0, 15, 5)]
    assert [sorted(one) for one in passes] == [[10, 11, 12, 13, 14]] * 3
    assert passes[0] != passes[1]
    assert flat != [index for step in range(12) for index in ReplayOrder(5, 1.25, seed=4).at(step)]


def test_a_share_of_the_tokens_is_replay_and_one_example_a_step_at_least(table: Write, replay: ExampleTable) -> None:
    rows = table(examples(40))
    mixture = Mixture(rows, replay, settings())
    chosen = ReplayOrder.of(0.3, mixture, steps=5, seed=0)
    tokens = sum(len(replay[index].ids) for step in range(500) for index in chosen.at(step))
    assert tokens / (tokens + 100 * rows.lengths.sum()) == pytest.approx(0.3, rel=0.01)
    assert ReplayOrder.of(0.001, mixture, steps=5, seed=0).rate == 1


def test_replay_counts_as_one_segment_and_settings_decide_on_weights(table: Write, replay: ExampleTable) -> None:
    chosen = settings(segments={"rationale": {"weight": 0.5}, "prompt": {"labels": "soft", "weight": 0.125}})
    made = examples(6)
    mixture = Mixture(table(made), replay, chosen)
    assert (len(mixture), mixture.names) == (11, ["prompt", "reference", "end", "rationale", "replay"])
    assert mixture.soft.tolist() == [True, False, False, False, False]
    weights = {"prompt": 0.125, "reference": 1, "rationale": 0.5, "end": 1, "replay": 1}
    for number, example in enumerate([*made, *replayed(5)]):
        names = [name for segment in example.segments for name in [segment.name] * len(segment.ids)]
        if number >= len(made):
            names = [name if name == "prompt" else "replay" for name in names]
        row = mixture[number]
        assert tuple(row.ids) == example.ids
        assert [mixture.names[at] for at in row.segments] == names
        assert row.weights.tolist() == [weights[name] for name in names]
        assert row.replay == (number >= len(made))


def test_balance_counts_a_segment_of_an_example_as_one_with_its_end(table: Write, replay: ExampleTable) -> None:
    chosen = settings(balance="examples", segments={"rationale": {"weight": 0.5}, "prompt": {"weight": 0.25}})
    made = [*examples(6), Example((Segment("prompt", (4, 5, 6), 0.0), Segment("end", (2,))))]
    turns = (
        ("prompt", (3, 4, 5)),
        ("answer", (6, 7)),
        ("end", (2,)),
        ("prompt", (3, 4)),
        ("answer", (8,)),
        ("end", (2,)),
    )
    made.append(Example(tuple(Segment(name, ids, float(name != "prompt")) for name, ids in turns)))
    mixture, plain = Mixture(table(made), replay, chosen), {"prompt": 0.25, "rationale": 0.5}
    for number, example in enumerate(made):
        parts: dict[str, list[int]] = {}  # places of a segment's tokens, and of the ends that follow it
        at, before = 0, ""
        for segment in example.segments:
            before = before if segment.name == "end" else segment.name
            parts.setdefault(before, []).extend(range(at, at + len(segment.ids)))
            at += len(segment.ids)
        expected = np.zeros(len(example))
        for name, places in parts.items():
            for place in places:
                own = 1 if mixture.names[mixture[number].segments[place]] == "end" else plain.get(name, 1)
                expected[place] = own / sum(place > 0 for place in places)
        np.testing.assert_allclose(mixture[number].weights[1:], expected[1:], rtol=1e-6)
    assert mixture[len(made)].weights.tolist() == [
        0.25 if mixture.names[at] == "prompt" else 1 for at in mixture[8].segments
    ]


def test_replay_weighs_as_much_as_the_task_times_its_weight(table: Write, replay: ExampleTable) -> None:
    mixture = Mixture(table(examples(6)), replay, settings())
    rows = [mixture[index] for index in (0, 3, 7, 8)]
    step = Batcher(10_000, replay=0.25)(rows)
    assert step.total == sum(float(row.weights[1:].sum()) for row in rows[:2])
    assert (step.tokens, step.examples) == (sum(len(row.ids) for row in rows), 4)
    again = [float(micro.weights[micro.segments == 4].sum()) for micro in step.micros]
    assert sum(again) == pytest.approx(0.25 * step.total, rel=1e-6)
    assert Batcher(10_000, replay=0.25)(rows[:2]).total == step.total


def test_all_devices_ask_the_backbone_in_the_same_rounds(table: Write) -> None:
    mixture = Mixture(table(examples(9)), None, settings(segments={"rationale": {"labels": "soft"}}))
    rows = [mixture[index] for index in range(9)]
    parts = [Batcher(1, 0, device, 2, soft=mixture.soft)(rows) for device in range(2)]
    rounds = list(zip(*(part.micros for part in parts), strict=True))
    asked = [[micro.soft is not None for micro in some] for some in rounds]
    assert all(one == other for one, other in asked)
    assert {one for one, _ in asked} == {True, False}
    micros = [micro for some in rounds for micro in some if micro.soft is not None]
    assert all(torch.equal(micro.soft, micro.segments == 3) for micro in micros if micro.soft is not None)
    assert all(micro.soft is None for micro in Batcher(60)(rows).micros)


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
