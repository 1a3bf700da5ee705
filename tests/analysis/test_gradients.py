"""Gradients of two terms: the vectors against plain autograd, the cosines against numbers worked out by hand."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional
from transformers import LlamaForCausalLM

from dragoman.analysis.agreement import ALL, Agreement, signs
from dragoman.analysis.gradients import Case, Gradients, Term, compare, parts
from dragoman.analysis.projection import Exact, Sketch
from dragoman.analysis.results import Agreed, ExampleCosines
from dragoman.analysis.terms import chosen, terms_of
from dragoman.corpora.records import Dialogue, Pair, Record, Turn, draw
from dragoman.errors import DataError
from dragoman.lab import BACKBONE
from dragoman.models.loading import load_model
from dragoman.prompts.examples import Example, ExampleTable, Segment, write_examples
from dragoman.recipe.training import Lora
from dragoman.training.adapters import adapt
from dragoman.training.losses.loss import teach_forward
from tests.tiny_models import llama


def tiny(tied: bool = False) -> Any:
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2}
    return llama(50, tie_word_embeddings=tied, **sizes)


RADIS = Case("de-en", Term((3, 4, 5, 6, 7, 8, 9), (3, 4)), Term((3, 4, 5, 6, 7, 8, 9), (5, 6)))
SEQ_KD = Case("en-de", Term((3, 4, 5, 6, 7), (3, 4)), Term((3, 4, 5, 20, 21, 22), (3, 4, 5)))


def plainly(model: Any, term: Term) -> dict[str, torch.Tensor]:
    """The gradient of -log P by the model's own logits and autograd."""
    ids = torch.tensor([term.ids])
    log = functional.log_softmax(LlamaForCausalLM.forward(model, input_ids=ids).logits[0].float(), -1)
    loss = -torch.stack([log[place - 1, term.ids[place]] for place in term.trained]).sum()
    names, weights = zip(*model.named_parameters(), strict=True)
    return dict(zip(names, torch.autograd.grad(loss, weights), strict=True))


@pytest.mark.parametrize("case", [RADIS, SEQ_KD], ids=["one sequence", "two sequences"])
def test_vectors_are_the_gradients_of_the_two_losses(case: Case) -> None:
    model = tiny()
    expected = [plainly(model, term) for term in (case.translation, case.regulariser)]
    teach_forward(model)
    with Gradients(model, Exact()) as gradients:
        found = gradients.of(case)
    groups = parts(model)
    for vectors, plain in zip(found, expected, strict=True):
        assert list(vectors) == ["0", "1", "2", "embeddings", "head", "rest"]
        for group, vector in vectors.items():
            whole = torch.cat([plain[name].flatten() for name in plain if groups[name] == group])
            assert torch.allclose(vector, whole, atol=1e-5, rtol=1e-4)
    assert all(weight.grad is None for weight in model.parameters())


def test_only_one_gradient_is_there_at_a_time() -> None:
    model = tiny()
    teach_forward(model)
    most = 0

    class Watching(Exact):
        def add(self, values: torch.Tensor, name: str, into: torch.Tensor, at: int = 0) -> None:
            nonlocal most
            most = max(most, sum(weight.grad is not None for weight in model.parameters()))
            super().add(values, name, into, at)

    with Gradients(model, Watching()) as gradients:
        gradients.of(RADIS)
    assert most == 1
    model(
        input_ids=torch.tensor([[3, 4]]), position_ids=None, positions=torch.tensor([0]), targets=torch.tensor([4])
    ).sum().backward()
    assert model.model.norm.weight.grad is not None, "the hooks are gone"


def test_a_shared_head_belongs_to_the_embeddings() -> None:
    assert "head" not in parts(tiny(tied=True)).values()
    assert parts(tiny())["lm_head.weight"] == "head"
    assert parts(tiny())["model.layers.1.mlp.up_proj.weight"] == "1"
    assert parts(tiny())["model.norm.weight"] == "rest"


def test_a_fresh_adapter_has_gradients_in_its_second_factor_alone() -> None:
    model = tiny()
    teach_forward(model)
    network = adapt(model, Lora(rank=2)).eval()
    seen: dict[str, float] = {}

    class Watching(Exact):
        def add(self, values: torch.Tensor, name: str, into: torch.Tensor, at: int = 0) -> None:
            seen[name] = float(values.abs().sum())
            super().add(values, name, into, at)

    with Gradients(network, Watching()) as gradients:
        one, _ = gradients.of(RADIS)
    assert list(one) == ["0", "1", "2"]
    assert len(seen) == 3 * 7 * 2
    assert all((value == 0) == ("lora_A" in name) for name, value in seen.items())


def test_projected_cosines_are_near_the_exact_ones_on_the_lab_backbone() -> None:
    torch.manual_seed(3)
    cases = []
    for _ in range(6):
        prompt, reference, rest = (tuple(torch.randint(3, 3000, (size,)).tolist()) for size in (20, 9, 14))
        ids = prompt + reference + rest
        cases.append(Case("en-de", Term(ids, tuple(range(20, 29))), Term(ids, tuple(range(29, 43)))))
    model = load_model(BACKBONE, precision="fp32", device="cpu")
    teach_forward(model)
    exact: Any = compare(cases, ["en-de"], Gradients(model, Exact()))
    sketch = Sketch(16384, seed=1)
    projected: Any = compare(cases, ["en-de"], Gradients(model, sketch))
    assert [name for name in exact if name.isdigit()] == ["0", "1", "2", "3", "4"]
    for name, part in exact.items():
        for kind in ("mean", "each"):
            assert projected[name][kind]["cosine"] == pytest.approx(part[kind]["cosine"], abs=4 * sketch.error)
    cosines = [part["mean"]["cosine"] for part in exact.values()]
    assert max(cosines) - min(cosines) > 10 * sketch.error, "the cosines differ by more than they may be off"


def vectors(*values: float) -> dict[str, torch.Tensor]:
    return {"0": torch.tensor(values), "rest": torch.tensor(values)}


def test_cosines_of_means_and_means_of_cosines_by_hand() -> None:
    agreement = Agreement(["de-en", "en-de"], 0.0)
    agreement.add("de-en", vectors(1, 0), vectors(0, 1))  # cosine 0
    agreement.add("de-en", vectors(1, 0), vectors(3, 4))  # 0.6
    agreement.add("en-de", vectors(0, 2), vectors(0, -1))  # -1
    agreement.add("en-de", vectors(2, 0), vectors(1, 0))  # 1
    found: Any = agreement.report()["0"]
    # sums (4, 2) and (4, 4)
    assert found["mean"]["cosine"] == pytest.approx(24 / (20 * 32) ** 0.5)
    assert found["each"]["cosine"] == pytest.approx(0.15)
    assert found["each"]["negative"] == 0.25
    into = found["directions"]["de-en"]
    assert into["examples"] == 2
    assert into["mean"]["cosine"] == pytest.approx(6 / (2 * (9 + 25) ** 0.5))
    # without the first (1, 0)·(3, 4): 0.6; without the second: 0; the jackknife's variance is 1/2 · 2 · 0.3²
    half = 1.959964 * 0.3
    low, high = into["mean"]["interval"]
    assert (high - low) / 2 == pytest.approx(min(half, (1 - into["mean"]["cosine"] + half) / 2), rel=1e-4)
    assert low == pytest.approx(into["mean"]["cosine"] - half, rel=1e-4)
    assert agreement.report()[ALL]["mean"] == found["mean"]


def test_the_error_of_a_projection_widens_the_interval() -> None:
    widths = []
    for error in (0.0, 0.1):
        agreement = Agreement(["de-en"], error)
        for turn in (0.1, 0.2, 0.3, 0.4):
            agreement.add("de-en", vectors(1, turn), vectors(turn, 1))
        mean: Any = agreement.report()["0"]["mean"]
        low, high = mean["interval"]
        widths.append((high - low) / 2)
    cosine = mean["cosine"]
    assert widths[1] ** 2 - widths[0] ** 2 == pytest.approx((1.959964 * 0.1 * (1 - cosine**2)) ** 2, rel=1e-3)


def test_layers_are_counted_by_their_sign_and_by_whether_it_is_sure() -> None:
    def part(value: float | None, low: float, high: float) -> Agreed:
        each: ExampleCosines = {"cosine": value, "interval": [low, high], "negative": 0.5}
        return {"mean": {"cosine": value, "interval": [low, high]}, "each": each, "directions": {}}

    report = {"0": part(0.2, 0.1, 0.3), "1": part(0.1, -0.1, 0.3), "2": part(-0.2, -0.3, -0.1), "3": part(None, 0, 0)}
    expected = {"layers": 3, "positive": 2, "negative": 1, "surely positive": 1, "surely negative": 1}
    assert signs(report | {"embeddings": part(-0.9, -1, -0.8)}) == expected


def test_a_gradient_of_zero_has_no_cosine() -> None:
    agreement = Agreement(["de-en"], 0.0)
    agreement.add("de-en", vectors(0, 0), vectors(1, 0))
    found: Any = agreement.report()["0"]
    assert (found["mean"]["cosine"], found["each"]["cosine"], found["each"]["negative"]) == (None, None, None)


def example(key: str, **segments: tuple[int, ...]) -> Example:
    return Example(tuple(Segment(name, ids, float(name != "prompt")) for name, ids in segments.items()), key)


def table(folder: Path, *examples: Example) -> ExampleTable:
    write_examples(folder, 0, examples)
    return ExampleTable(folder)


def test_the_terms_of_radis_are_parts_of_one_example(tmp_path: Path) -> None:
    terms = terms_of(
        table(
            tmp_path,
            example("a", prompt=(1, 2), reference=(3, 4), end=(9,)),  # no rationale: no pair of terms
            example("b", prompt=(1, 2), reference=(5,), rationale=(6, 7), end=(9,)),
            example("b#1", prompt=(1, 2), reference=(5,), rationale=(8, 8), end=(9,)),
        ),
        "radis",
    )
    assert terms.regulariser == "rationale"
    assert list(terms.found) == ["b"]
    ids = (1, 2, 5, 6, 7, 9)
    assert terms.case("b", "de-en") == Case("de-en", Term(ids, (2,)), Term(ids, (3, 4, 5)))
    assert terms.case("b", "de-en", ends=False) == Case("de-en", Term(ids, (2,)), Term(ids, (3, 4)))


def test_the_terms_of_seq_kd_are_two_examples(tmp_path: Path) -> None:
    terms = terms_of(
        table(
            tmp_path,
            example("a", prompt=(1, 2), reference=(3, 4), end=(9,)),
            example("a#own", prompt=(1, 2), own=(5, 6, 7)),  # cut off: no end
            example("b", prompt=(1, 2), reference=(3, 4), end=(9,)),  # its own answer was empty
        ),
        "seq_kd",
    )
    assert list(terms.found) == ["a"]
    own = Term((1, 2, 5, 6, 7), (2, 3, 4))
    assert terms.case("a", "de-en") == Case("de-en", Term((1, 2, 3, 4, 9), (2, 3, 4)), own)
    assert terms.case("a", "de-en", ends=False).translation.trained == (2, 3)


def test_a_method_without_two_terms_is_told(tmp_path: Path) -> None:
    rewritten = table(
        tmp_path,
        example("a", prompt=(1,), own=(3,), end=(9,)),
        example("b", prompt=(1,), reference=(3,), end=(9,)),
    )
    with pytest.raises(DataError, match="sdft_rewrite has no pair of terms"):
        terms_of(rewritten, "sdft_rewrite")


def test_rows_are_compared_on_the_same_records(tmp_path: Path) -> None:
    pairs = [Pair(f"Satz {n}", f"sentence {n}", "de", "en") for n in range(12)]
    lesson = Dialogue((Turn("user", "Write."), Turn("assistant", "x = 1")), "programs")
    records: list[Record] = [*pairs, *pairs[:3], lesson]
    made = [example(record.key, prompt=(1,), reference=(2,), rationale=(3,)) for record in records[:12] + records[-1:]]
    every = terms_of(table(tmp_path / "all", *made), "radis")
    some = terms_of(table(tmp_path / "some", *made[4:]), "half")
    found = chosen(records, [every, some], 5, seed=1)
    expected = sorted((pair.key for pair in pairs[4:]), key=lambda key: draw(key, "gradients", 1))[:5]
    assert found == {"de-en": expected, "programs": [lesson.key]}
    with pytest.raises(DataError, match="both terms in all of the rows"):
        chosen(pairs[:4], [every, some], 5, seed=1)
