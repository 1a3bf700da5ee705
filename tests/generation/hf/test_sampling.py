"""Random numbers that belong to a prompt, and tokens drawn as often as they are likely."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import LogitsProcessorList, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from dragoman.generation.ask import Sampling
from dragoman.generation.hf.sampling import choose, filtered, key_array, limited, uniforms
from dragoman.generation.seeds import row_key


def sampling(temperature: float = 1.0, top_p: float = 1.0, top_k: int = 0, ban_first: tuple[int, ...] = ()) -> Sampling:
    return Sampling(8, (), temperature=temperature, top_p=top_p, top_k=top_k, ban_first=ban_first)


def test_a_key_is_of_seed_and_prompt_and_the_same_everywhere() -> None:
    assert row_key(0, (1, 2, 3)) == 0x90132A1C56DC6EEA
    assert len({row_key(0, (1, 2)), row_key(1, (1, 2)), row_key(0, (12,)), row_key(0, (2, 1)), row_key(0, ())}) == 5


def test_numbers_are_uniform_over_prompts_and_over_steps() -> None:
    keys = key_array([row_key(0, (number,)) for number in range(5000)])
    table = np.stack([uniforms(keys, step) for step in range(20)])
    assert table.min() >= 0
    assert table.max() < 1
    counts = np.bincount((table.ravel() * 50).astype(int), minlength=50)
    assert ((counts - 2000) ** 2 / 2000).sum() < 86  # chi-square of 49 degrees, p = 0.001
    assert abs(np.corrcoef(table[:-1].ravel(), table[1:].ravel())[0, 1]) < 0.02
    assert abs(np.corrcoef(table[:, :-1].ravel(), table[:, 1:].ravel())[0, 1]) < 0.02


@pytest.mark.parametrize("how", [sampling(), sampling(0.6), sampling(top_k=4), sampling(1.5, top_p=0.8)])
def test_tokens_come_as_often_as_they_are_likely(how: Sampling) -> None:
    rows = 20_000
    logits = torch.tensor([1.2, -0.3, 0.4, 2.0, -1.0, 0.9, 0.0, 1.1])
    keys = key_array([row_key(seed, (7, 7)) for seed in range(rows)])
    drawn = choose(logits.repeat(rows, 1), how, keys, step=3)
    counts = torch.bincount(drawn, minlength=8).double()
    warpers = [TemperatureLogitsWarper(how.temperature)]
    warpers += [TopKLogitsWarper(how.top_k)] if how.top_k else []
    warpers += [TopPLogitsWarper(how.top_p)] if how.top_p < 1 else []
    expected = LogitsProcessorList(warpers)(torch.zeros(1, 1), logits[None]).softmax(-1)[0].double() * rows
    possible = expected > 0
    assert counts[~possible].sum() == 0
    surprise = ((counts - expected)[possible] ** 2 / expected[possible]).sum()
    assert surprise < 24.3  # chi-square of 7 degrees, p = 0.001


def test_a_ban_holds_for_as_many_tokens_as_are_asked() -> None:
    logits, keys = torch.tensor([[9.0, 5.0, 0.0]]), key_array([row_key(0, (1,))])
    for heal in (False, True):
        how = replace(sampling(0.0, ban_first=(0,)), ban_tokens=2, heal=heal)
        chosen = [choose(logits, how, keys, step).item() for step in range(4)]
        assert chosen == ([0, 1, 1, 0] if heal else [1, 1, 0, 0])


def test_top_p_keeps_the_smallest_set_that_reaches_it() -> None:
    logits = torch.tensor([[0.5, 0.3, 0.15, 0.05]]).log()
    assert (filtered(logits, sampling(top_p=0.5)) > 0).tolist() == [[True, False, False, False]]
    assert (filtered(logits, sampling(top_p=0.7)) > 0).tolist() == [[True, True, False, False]]
    assert (filtered(logits, sampling(top_p=0.01)) > 0).tolist() == [[True, False, False, False]]
    assert (filtered(logits, sampling(top_p=0.8, top_k=1)) > 0).tolist() == [[True, False, False, False]]


def test_banned_ids_are_never_drawn_first() -> None:
    logits = torch.tensor([[9.0, 0.0, 0.0]]).repeat(200, 1)
    keys = key_array([row_key(seed, ()) for seed in range(200)])
    how = sampling(ban_first=(0,))
    assert set(choose(logits, how, keys, 0).tolist()) == {1, 2}
    assert set(choose(logits, how, keys, 1).tolist()) <= {0, 1, 2}
    assert (choose(logits, how, keys, 1) == 0).sum() > 150
    assert set(choose(logits, sampling(0.0, ban_first=(0,)), keys, 0).tolist()) == {1}
    assert logits[0, 0] == 9  # what was given is not changed


def test_each_group_of_rows_chooses_among_its_own() -> None:
    logits = torch.tensor([[5.0, 1.0, 2.0, 3.0]]).repeat(300, 1)
    keys = key_array([row_key(seed, ()) for seed in range(300)])
    even, odd = list(range(0, 300, 2)), list(range(1, 300, 2))
    among = [(even, (1, 2)), (odd, (3,))]
    assert choose(logits, sampling(0.0), keys, 0, among)[:4].tolist() == [2, 3, 2, 3]
    drawn = choose(logits, sampling(), keys, 0, among)
    assert set(drawn[odd].tolist()) == {3}
    share = (drawn[even] == 2).float().mean()
    assert 0.62 < share < 0.84  # e / (e + 1) = 0.731
    assert choose(logits, sampling(top_k=3, top_p=0.5), keys, 0, among)[:2].tolist() == [2, 3]
    assert limited(logits, among)[0].tolist() == [-torch.inf, 1.0, 2.0, -torch.inf]
    assert logits[0].tolist() == [5.0, 1.0, 2.0, 3.0]


def test_after_healing_the_second_token_counts_as_the_first() -> None:
    logits = torch.tensor([[9.0, 0.0]]).repeat(50, 1)
    keys = key_array([row_key(seed, ()) for seed in range(50)])
    how = replace(sampling(0.0, ban_first=(0,)), heal=True)
    assert [set(choose(logits, how, keys, step).tolist()) for step in range(3)] == [{0}, {1}, {0}]
