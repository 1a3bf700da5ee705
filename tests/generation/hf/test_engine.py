"""The engine against transformers' own `generate`, token for token."""

import copy
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, GPT2Config, GPTNeoConfig, MistralConfig, MistralForCausalLM

from dragoman.errors import EngineError
from dragoman.generation.ask import Completion, Ids, Sampling
from dragoman.generation.hf.engine import HfEngine
from dragoman.lab import BACKBONE, world
from dragoman.models.loading import load_model
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker

Spell = Callable[[Sequence[int]], str]
GREEDY = Sampling(max_tokens=40, stop=(5, 11))
DRAWN = replace(GREEDY, temperature=1.0, seed=4)


def run(
    model: Any, spell: Spell, prompts: Sequence[Ids], sampling: Sampling, batch_tokens: int = 800
) -> list[Completion]:
    engine = HfEngine(model, decode=spell, batch_tokens=batch_tokens)
    done = dict(engine.complete(prompts, sampling))
    assert sorted(done) == list(range(len(prompts)))
    return [done[index] for index in range(len(prompts))]


def plain(model: Any, prompt: Ids, sampling: Sampling, **more: Any) -> Ids:
    ids = torch.tensor([prompt])
    out = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        do_sample=False,
        max_new_tokens=sampling.max_tokens,
        eos_token_id=list(sampling.stop),
        **more,
    )
    return tuple(out[0, len(prompt) :].tolist())


def test_greedy_equals_plain_generate(tiny: Any, spell: Spell, prompts: list[Ids]) -> None:
    answers = run(tiny, spell, prompts, GREEDY)
    assert [answer.ids for answer in answers] == [plain(tiny, prompt, GREEDY) for prompt in prompts]
    assert run(tiny, spell, prompts, GREEDY, batch_tokens=100_000) == answers
    ends = Counter(answer.finish for answer in answers)
    assert ends["stop"] >= 5
    assert ends["length"] >= 5
    for answer in answers:
        assert (answer.ids[-1] in GREEDY.stop) == (answer.finish == "stop")
        assert len(answer.ids) == 40 or answer.finish == "stop"
        assert answer.text == spell(answer.body)
        assert not set(answer.body) & set(GREEDY.stop)
        assert answer.logprobs is None
    assert len({answer.ids for answer in answers}) > 18


def test_a_model_with_a_sliding_window(spell: Spell, prompts: list[Ids]) -> None:
    torch.manual_seed(1)
    config = MistralConfig(
        vocab_size=61,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        sliding_window=8,
        initializer_range=0.35,
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=0,
    )
    model = MistralForCausalLM(config).eval()
    for asked in (prompts, [(20, 30, 40) * 8 + prompt for prompt in prompts]):
        answers = run(model, spell, asked, GREEDY, batch_tokens=3000)
        assert [answer.ids for answer in answers] == [plain(model, prompt, GREEDY) for prompt in asked]


@pytest.mark.parametrize("sampling", [GREEDY, DRAWN, replace(DRAWN, temperature=0.8, top_p=0.9, top_k=20)])
def test_neighbours_and_order_change_nothing(tiny: Any, spell: Spell, prompts: list[Ids], sampling: Sampling) -> None:
    together = run(tiny, spell, prompts, sampling)
    alone = [run(tiny, spell, [prompt], sampling)[0] for prompt in prompts]
    assert [answer.ids for answer in together] == [answer.ids for answer in alone]
    order = random.Random(0).sample(range(len(prompts)), len(prompts))
    shuffled = run(tiny, spell, [prompts[index] for index in order], sampling, batch_tokens=3000)
    assert [answer.ids for answer in shuffled] == [together[index].ids for index in order]


def test_what_all_prompts_begin_with_is_read_once(tiny: Any, spell: Spell, prompts: list[Ids]) -> None:
    dice = random.Random(7)
    system = tuple(dice.randrange(12, 61) for _ in range(20))
    asked = [system + prompt for prompt in (*prompts, prompts[0], prompts[0][:1])]
    widths = []
    forward = tiny.base_model.forward

    def noted(**given: Any) -> Any:
        widths.append(tuple(given["input_ids"].shape))
        return forward(**given)

    tiny.base_model.forward = noted
    try:
        together = run(tiny, spell, asked, DRAWN, batch_tokens=100_000)
    finally:
        tiny.base_model.forward = forward
    first, longest = prompts[0], max(map(len, prompts))
    assert widths[:3] == [(1, 20), (len(asked), longest), (len(asked), 1)]
    assert len(first) > 1
    assert [answer.ids for answer in together] == [run(tiny, spell, [one], DRAWN)[0].ids for one in asked]
    greedy = run(tiny, spell, asked, GREEDY, batch_tokens=100_000)
    assert [answer.ids for answer in greedy] == [plain(tiny, prompt, GREEDY) for prompt in asked]


def test_another_seed_draws_something_else(tiny: Any, spell: Spell, prompts: list[Ids]) -> None:
    first, again = run(tiny, spell, prompts, DRAWN), run(tiny, spell, prompts, DRAWN)
    other = run(tiny, spell, prompts, replace(DRAWN, seed=5))
    assert first == again
    assert sum(one.ids == two.ids for one, two in zip(first, other, strict=True)) <= 2


def test_banned_ids_are_banned_at_the_first_step_only(tiny: Any, spell: Spell, prompts: list[Ids]) -> None:
    free = run(tiny, spell, prompts, GREEDY)
    banned = tuple(dict.fromkeys(answer.ids[0] for answer in free))[:5]
    held = run(tiny, spell, prompts, replace(GREEDY, ban_first=banned))
    assert not {answer.ids[0] for answer in held} & set(banned)
    assert any(set(answer.ids[1:]) & set(banned) for answer in held)
    for before, after in zip(free, held, strict=True):
        assert before.ids[0] in banned or before == after
    expected = [plain(tiny, prompt, GREEDY, begin_suppress_tokens=list(banned)) for prompt in prompts]
    assert [answer.ids for answer in held] == expected


def test_a_ban_may_hold_for_more_tokens(tiny: Any, spell: Spell, prompts: list[Ids]) -> None:
    free = run(tiny, spell, prompts, GREEDY)
    banned = tuple(dict.fromkeys(token for answer in free for token in answer.ids[:2]))[:5]
    held = run(tiny, spell, prompts, replace(GREEDY, ban_first=banned, ban_tokens=2))
    assert not {token for answer in held for token in answer.ids[:2]} & set(banned)
    assert any(set(answer.ids[2:]) & set(banned) for answer in held)
    once = run(tiny, spell, prompts, replace(GREEDY, ban_first=banned))
    assert any(answer.ids[1:2] and answer.ids[1] in banned for answer in once)


def test_log_probabilities_are_the_models_own(tiny: Any, spell: Spell, prompts: list[Ids]) -> None:
    sampling = replace(DRAWN, temperature=0.5, top_k=3, ban_first=(1, 2), logprobs=4)
    for prompt, answer in zip(prompts[:8], run(tiny, spell, prompts[:8], sampling), strict=True):
        assert answer.logprobs is not None
        assert len(answer.logprobs) == len(answer.ids)
        with torch.no_grad():
            logits = tiny(torch.tensor([prompt + answer.ids])).logits[0, len(prompt) - 1 : -1]
        expected = logits.log_softmax(-1)
        got = torch.tensor([[value for _, value in step] for step in answer.logprobs])
        ids = torch.tensor([[token for token, _ in step] for step in answer.logprobs])
        torch.testing.assert_close(got, expected.topk(4).values, atol=1e-4, rtol=0)
        torch.testing.assert_close(got, expected.gather(1, ids), atol=1e-4, rtol=0)


def test_the_answer_ends_where_the_context_ends(tiny: Any, spell: Spell) -> None:
    prompt = tuple(range(12, 52)) + tuple(range(12, 52))  # 80 of 96
    sampling = Sampling(max_tokens=50, stop=())
    (answer,) = run(tiny, spell, [prompt], sampling)
    assert (len(answer.ids), answer.finish) == (16, "length")
    short, long = run(tiny, spell, [(1, 2, 3), prompt], sampling)
    assert (len(short.ids), long) == (50, answer)
    with pytest.raises(EngineError, match=r"1 of 2 prompts leave no room .* longest has 96 tokens.* context is 96"):
        run(tiny, spell, [(1,), (1,) * 96], sampling)
    with pytest.raises(EngineError, match="Prompt 1 is empty"):
        run(tiny, spell, [(1,), ()], sampling)
    assert run(tiny, spell, [], sampling) == []


def test_rows_leave_when_they_are_done(
    tiny: Any, spell: Spell, prompts: list[Ids], monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = 0
    forward = tiny.forward

    def counting(input_ids: torch.Tensor, **more: Any) -> Any:
        nonlocal computed
        computed += len(input_ids)
        return forward(input_ids=input_ids, **more)

    monkeypatch.setattr(tiny, "forward", counting)
    answers = run(tiny, spell, prompts, replace(GREEDY, stop=tuple(range(8))), batch_tokens=100_000)
    needed = sum(len(answer.ids) for answer in answers)
    assert needed < 0.5 * len(prompts) * 40  # or there would be nothing to leave early
    assert needed <= computed <= 1.15 * needed
    assert tiny.config._attn_implementation == "sdpa"  # the model is given back as it was


def test_out_of_memory_halves_the_batch(
    tiny: Any, spell: Spell, prompts: list[Ids], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    forward = tiny.forward
    roof = 9

    def cramped(input_ids: torch.Tensor, past_key_values: Any, **more: Any) -> Any:
        seen = past_key_values.get_seq_length()
        if not seen:
            sizes.append(len(input_ids))
        if len(input_ids) > roof and (seen > 40 or roof == 0):
            raise torch.OutOfMemoryError("no room")
        return forward(input_ids=input_ids, past_key_values=past_key_values, **more)

    expected = run(tiny, spell, prompts, DRAWN)
    monkeypatch.setattr(tiny, "forward", cramped)
    assert run(tiny, spell, prompts, DRAWN, batch_tokens=100_000) == expected
    assert sizes[0] == 24
    assert sizes[1] <= 12
    roof = 0
    numbers = r"single prompt of 30 tokens and room for 40 more: cpu has \d+\.\d of \d+\.\d GiB free"
    with pytest.raises(EngineError, match=f"{numbers}.*generation.batch_tokens \\(800\\).*rationale.max_tokens"):
        run(tiny, spell, prompts, DRAWN)


def test_seconds_are_those_in_work(tiny: Any, spell: Spell, prompts: list[Ids]) -> None:
    engine = HfEngine(tiny, decode=spell, batch_tokens=100_000)
    began = time.perf_counter()
    done = []
    for _, answer in engine.complete(prompts, GREEDY):
        done.append(answer)
        time.sleep(0.02)  # a slow reader, whose time is not the engine's
    whole = time.perf_counter() - began - 0.02 * len(prompts)
    seconds = [answer.seconds for answer in done]
    assert 0 < seconds[0] < seconds[-1] <= whole + 0.01
    assert seconds == sorted(seconds)


@pytest.fixture(scope="module")
def lab() -> tuple[Any, Speaker]:
    """The lab's backbone in fp32."""
    if not (BACKBONE / "model.safetensors").is_file():
        pytest.skip("the lab's backbone has not been made yet")
    return load_model(BACKBONE, precision="fp32", device="cpu"), Speaker(Renderer.load(BACKBONE))


@pytest.fixture(scope="module")
def cut_short(lab: tuple[Any, Speaker]) -> list[Ids]:
    """Translations that end with their full stop, in the middle, and in the middle of a word."""
    _, speak = lab
    pairs = world.pairs("train", ("de-en", "en-de", "it-en"), 12, seed=2)
    cut = [
        replace(pair, target=pair.target[: len(pair.target) * (3 + place % 3) // 5]) for place, pair in enumerate(pairs)
    ]
    return [speak.prefix(pair).ids for pair in pairs + cut]


HEAL = Sampling(max_tokens=12, stop=(), heal=True)


def heal(
    lab: tuple[Any, Speaker], prompts: Sequence[Ids], sampling: Sampling, batch_tokens: int = 9000
) -> list[Completion]:
    model, speak = lab
    engine = HfEngine(model, decode=speak.decode, extensions=speak.renderer.extensions, batch_tokens=batch_tokens)
    done = dict(engine.complete(prompts, replace(sampling, stop=speak.stop)))
    return [done[index] for index in range(len(prompts))]


@cache
def spelt(tokenizer: Any) -> list[str]:
    return [tokenizer.decode([token]) for token in range(len(tokenizer))]


def healed_by_hand(lab: tuple[Any, Speaker], prompt: Ids, tokens: int, banned: Ids = ()) -> Ids:
    """The best token that begins as the last one, and then what `generate` says."""
    model, speak = lab
    tokenizer = speak.renderer.tokenizer
    special = set(tokenizer.all_special_ids)
    last = tokenizer.decode(prompt[-1:])
    wrong = [token for token, text in enumerate(spelt(tokenizer)) if token in special or not text.startswith(last)]
    with torch.no_grad():
        logits = model(torch.tensor([prompt[:-1]])).logits[0, -1]
    logits[wrong] = -torch.inf
    first = int(logits.argmax())
    asked = replace(HEAL, max_tokens=tokens - 1, stop=speak.stop)
    more = {"begin_suppress_tokens": list(banned)} if banned else {}
    return (first, *plain(model, (*prompt[:-1], first), asked, **more))


def test_a_healed_token_begins_as_the_old_one(lab: tuple[Any, Speaker], cut_short: list[Ids]) -> None:
    answers = heal(lab, cut_short, HEAL)
    decode = lab[1].decode
    for prompt, answer in zip(cut_short, answers, strict=True):
        assert decode(answer.ids[:1]).startswith(decode(prompt[-1:]))
        assert answer.text == decode(answer.body)
        assert len(answer.ids) <= HEAL.max_tokens
    longer = sum(answer.ids[0] != prompt[-1] for prompt, answer in zip(cut_short, answers, strict=True))
    assert 12 <= longer <= len(cut_short) - 12  # words that were cut are ended; most full stops stay
    assert [answer.ids for answer in answers] == [healed_by_hand(lab, prompt, 12) for prompt in cut_short]


def test_neighbours_and_order_change_no_healed_row(lab: tuple[Any, Speaker], cut_short: list[Ids]) -> None:
    drawn = replace(HEAL, temperature=1.0, seed=3)
    for sampling in (HEAL, drawn):
        together = heal(lab, cut_short, sampling)
        alone = [heal(lab, [prompt], sampling)[0] for prompt in cut_short[::5]]
        assert [answer.ids for answer in alone] == [answer.ids for answer in together[::5]]
        backwards = heal(lab, cut_short[::-1], sampling, batch_tokens=2000)
        assert [answer.ids for answer in backwards] == [answer.ids for answer in together[::-1]]


def test_random_numbers_of_a_healed_row_come_from_the_whole_prompt(tiny: Any, spell: Spell) -> None:
    engine = HfEngine(tiny, decode=spell, extensions=lambda _: (9,))
    sampling = replace(DRAWN, heal=True, stop=())
    answers = dict(engine.complete([(1, 2, token) for token in range(20)], sampling))
    assert {answer.ids[0] for answer in answers.values()} == {9}
    assert len({answer.ids for answer in answers.values()}) == 20  # all were fed (1, 2), and then 9


def test_after_healing_the_ban_is_about_the_second_token(lab: tuple[Any, Speaker], cut_short: list[Ids]) -> None:
    prompts = cut_short[:24]
    free = heal(lab, prompts, HEAL)
    banned = tuple(token for token, _ in Counter(answer.ids[1] for answer in free).most_common(2))
    held = heal(lab, prompts, replace(HEAL, ban_first=(*banned, prompts[0][-1])))
    assert [answer.ids[0] for answer in held] == [answer.ids[0] for answer in free]
    assert sum(one.ids != two.ids for one, two in zip(held, free, strict=True)) > 12
    expected = [healed_by_hand(lab, prompt, 12, (*banned, prompts[0][-1])) for prompt in prompts]
    assert [answer.ids for answer in held] == expected


def test_log_probabilities_of_a_healed_token_are_unconstrained(lab: tuple[Any, Speaker], cut_short: list[Ids]) -> None:
    (answer,) = heal(lab, cut_short[-1:], replace(HEAL, logprobs=3))
    with torch.no_grad():
        logits = lab[0](torch.tensor([cut_short[-1][:-1]])).logits[0, -1]
    assert answer.logprobs is not None
    assert len(answer.logprobs) == len(answer.ids)
    assert [token for token, _ in answer.logprobs[0]] == logits.topk(3).indices.tolist()


def test_healing_has_its_limits(tiny: Any, spell: Spell) -> None:
    same = HfEngine(tiny, decode=spell, extensions=lambda token: (token,))
    full = (7,) * 95  # of 96: the last is taken back, so two fit
    ((_, answer),) = same.complete([full], HEAL)
    assert (answer.ids[0], len(answer.ids), answer.finish) == (7, 2, "length")
    ((_, answer),) = same.complete([(3, 7)], replace(HEAL, max_tokens=1))
    assert (answer.ids, answer.finish) == ((7,), "length")
    with pytest.raises(EngineError, match=r"Prompt 1 is a single token.*boundary: exact"):
        list(same.complete([(1, 2), (1,)], HEAL))
    with pytest.raises(EngineError, match=r"cannot heal.*boundary: exact"):
        run(tiny, spell, [(1, 2)], HEAL)


def test_bf16_answers_like_fp32_but_for_near_ties(tiny: Any, spell: Spell, prompts: list[Ids]) -> None:
    short = replace(GREEDY, max_tokens=4)
    exact = run(tiny, spell, prompts, short)
    rounded = run(copy.deepcopy(tiny).to(torch.bfloat16), spell, prompts, short)
    assert sum(one.ids[0] == two.ids[0] for one, two in zip(exact, rounded, strict=True)) >= 21


def test_a_prompt_of_another_vocabulary(tiny: Any, spell: Spell) -> None:
    with pytest.raises(EngineError, match="A prompt has the token 61, and the model knows 61"):
        run(tiny, spell, [(1, 2), (3, 61)], GREEDY)


@pytest.mark.parametrize("kind", ["gpt2", "gpt-neo"])
def test_a_context_that_is_a_table_has_an_end(kind: str, spell: Spell, prompts: list[Ids]) -> None:
    """GPT-2 calls it `n_positions`. An answer ends at it, whatever else is in its batch; no prompt may be beyond it."""
    torch.manual_seed(1)
    if kind == "gpt2":
        config: Any = GPT2Config(vocab_size=61, n_embd=32, n_layer=2, n_head=4, n_positions=40)
    else:
        sizes = {"vocab_size": 61, "hidden_size": 32, "num_layers": 1, "num_heads": 4, "max_position_embeddings": 40}
        config = GPTNeoConfig(**sizes, attention_types=[[["local"], 1]], window_size=8)
    model = AutoModelForCausalLM.from_config(config).eval()
    answers = run(model, spell, prompts, Sampling(max_tokens=40, stop=()))
    assert [len(answer.ids) for answer in answers] == [40 - len(prompt) for prompt in prompts]
    alone = run(model, spell, prompts[:1], Sampling(max_tokens=40, stop=()))
    assert answers[0].ids == alone[0].ids
    with pytest.raises(EngineError, match="the model's context is 40"):
        run(model, spell, [(1,) * 40], GREEDY)


def test_weights_that_are_no_numbers_are_said_to_be(tiny: Any, spell: Spell) -> None:
    broken = copy.deepcopy(tiny)
    with torch.no_grad():
        broken.model.norm.weight.fill_(torch.nan)
    with pytest.raises(EngineError, match=r"logits are no numbers \(NaN\)"):
        run(broken, spell, [(1, 2, 3)], GREEDY)
