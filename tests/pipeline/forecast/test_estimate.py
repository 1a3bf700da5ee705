"""What a recipe takes, by arithmetic: geometries, operations, memory, tokens, and what a dry run says of them."""

import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from dragoman.commands.recipes import recipe
from dragoman.corpora.amounts import Amounts, Kind, Volume
from dragoman.corpora.records import Dialogue, Pair, Turn
from dragoman.errors import RecipeError
from dragoman.generation.ask import Asking
from dragoman.lab import BACKBONE
from dragoman.methods import available
from dragoman.pipeline.forecast.amounts import Vocabulary, of_pairs
from dragoman.pipeline.forecast.cost import Reckoning
from dragoman.pipeline.forecast.estimate import generation, training, training_flops, training_memory
from dragoman.pipeline.forecast.geometry import Geometry, accelerator, geometry_of, hardware, machines
from dragoman.pipeline.forecast.per_method import learning, measured_length
from dragoman.pipeline.forecast.show import print_plan
from dragoman.pipeline.models.cast import Model
from dragoman.pipeline.plan import Plan, plan
from dragoman.pipeline.stages.stage import Rate
from dragoman.recipe.data.pairs import Corpus
from dragoman.recipe.engines import Generation, Hardware
from dragoman.recipe.schema import Recipe
from dragoman.recipe.training import Lora, Replay, SegmentTraining, Training
from tests import ROOT

RADIS = ROOT / "recipes" / "radis"
MISTRAL = "mistralai/Mistral-7B-Instruct-v0.2"
A100 = accelerator(Hardware(gpu="a100-80gb"))
PUBLISHED = {
    "huggyllama/llama-7b": 6_738_415_616,
    "meta-llama/Llama-2-7b-hf": 6_738_415_616,
    "meta-llama/Llama-2-7b-chat-hf": 6_738_415_616,
    "meta-llama/Llama-2-13b-chat-hf": 13_015_864_320,
    "mistralai/Mistral-7B-Instruct-v0.2": 7_241_732_096,
    "meta-llama/Meta-Llama-3-8B-Instruct": 8_030_261_248,
    "meta-llama/Meta-Llama-3-70B-Instruct": 70_553_706_496,
    "Qwen/Qwen2.5-1.5B-Instruct": 1_543_714_304,
    "Qwen/Qwen2.5-7B-Instruct": 7_615_616_512,
    "Qwen/Qwen3-8B": 8_190_735_360,
}


def mistral() -> Geometry:
    found = geometry_of(MISTRAL, None)
    assert found is not None
    return found


def planned(tmp_path: Path, name: str, *overrides: str) -> Plan:
    return plan(recipe(RADIS / f"{name}.yaml", [f"runs={tmp_path}/runs", *overrides]))


def shown(plan: Plan, named: str = "") -> str:
    page = StringIO()
    print_plan(plan, Console(file=page, width=250), hardware(named) if named else None)
    return page.getvalue()


@pytest.fixture(autouse=True)
def nothing_is_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No corpora and no models on this machine, and no network."""
    for name in ("DRAGOMAN_CACHE", "HF_HOME", "HF_HUB_CACHE"):
        monkeypatch.setenv(name, str(tmp_path / "nothing"))
    monkeypatch.delenv("DRAGOMAN_MIRROR", raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def test_geometries_have_the_published_numbers_of_parameters() -> None:
    computed = {name: geometry_of(name, None).parameters for name in machines()["models"]}  # type: ignore[union-attr]
    assert computed == PUBLISHED


def test_a_config_here_is_read_and_agrees_with_the_weights() -> None:
    from safetensors import safe_open

    found = geometry_of("lab", BACKBONE)
    with safe_open(BACKBONE / "model.safetensors", "pt") as weights:
        shapes = [weights.get_slice(name).get_shape() for name in weights.keys()]  # noqa: SIM118
    assert found is not None
    assert found.parameters == sum(shape[0] * (shape[1] if len(shape) > 1 else 1) for shape in shapes)


@pytest.mark.parametrize(
    "config",
    [
        {"num_hidden_layers": 2, "hidden_size": 8, "num_attention_heads": 2, "vocab_size": 9},
        {
            "num_hidden_layers": 2,
            "hidden_size": 8,
            "intermediate_size": 16,
            "num_attention_heads": 2,
            "vocab_size": 9,
            "num_local_experts": 4,
        },
    ],
)
def test_a_model_of_another_kind_is_not_reckoned_with(tmp_path: Path, config: dict[str, int]) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert geometry_of("own", tmp_path) is None


def test_an_adapter_of_rank_16_on_all_linear_layers() -> None:
    assert mistral().adapter(Lora()) == 41_943_040  # as PEFT counts it
    assert mistral().adapter(Lora(targets=("q_proj", "v_proj"))) == 32 * 16 * (8192 + 5120)
    parts = [mistral().adapter(Lora(targets=part)) for part in ("attention", "mlp")]
    assert sum(parts) == 41_943_040
    assert parts[1] == mistral().adapter(Lora(targets=("gate_proj", "up_proj", "down_proj")))
    assert mistral().adapter(Lora(targets="q_proj")) < mistral().adapter(Lora(targets=("mlp", "q_proj")))


def test_operations_of_a_training_by_hand() -> None:
    small = Geometry(layers=1, hidden=4, intermediate=8, heads=1, kv_heads=1, vocabulary=10, context=64)
    lora = Training(lora=Lora(rank=1))
    assert (small.blocks, small.adapter(Lora(rank=1))) == (4 * 16 + 3 * 32, 4 * 8 + 3 * 12)
    looked = 3 * 4 * 4 * 5  # three passes of 4 · width · half the length, for a length of 10
    assert training_flops(small, lora, 2, 20, 6) == 20 * (4 * 160 + 6 * 68 + looked) + 6 * 4 * 40
    whole = training_flops(small, Training(lora=None), 2, 20, 6)
    assert whole == 20 * (6 * 160 + looked) + 6 * 6 * 40
    twice = training_flops(small, Training(lora=Lora(rank=1), gradient_checkpointing=True), 2, 20, 6)
    assert twice - training_flops(small, lora, 2, 20, 6) == 20 * (2 * 160 + 2 * 68 + looked / 3)
    soft, stored = SegmentTraining(labels="soft"), SegmentTraining(labels="stored")
    backbone = 20 * (2 * 160 + looked / 3) + 6 * 2 * 40
    stm, masked = SegmentTraining(gate="stm"), SegmentTraining(gate="mask_target")
    for segments, share in (
        ({"rationale": soft, "replay": soft}, 1),
        ({"replay": soft}, 0.2),
        ({"replay": soft, "reference": stm}, 0.2 + 1 / 3),  # once in three epochs
        ({"reference": masked}, 1),
        ({"reference": SegmentTraining(gate="eaft")}, 0),
        ({"replay": stored}, 0),
        ({}, 0),
    ):
        asked = Training(lora=Lora(rank=1), replay=Replay(share=0.2), segments=segments)
        found = training_flops(small, asked, 2, 20, 6) - training_flops(small, lora, 2, 20, 6)
        assert found == pytest.approx(share * backbone)


def test_memory_of_a_training_and_what_to_change_when_it_does_not_fit() -> None:
    work = (113_386, 1e8, 5e7)
    settings = Training(batch_tokens=16384)
    found = training(mistral(), settings, A100, work)
    assert found.memory > A100.memory
    assert found.advice.startswith("training.batch_tokens=4096 would take 41 GiB")
    assert not training(mistral(), settings.model_copy(update={"batch_tokens": 4096}), A100, work).advice
    four, eight = (training_memory(mistral(), Training(batch_tokens=size)) for size in (4096, 8192))
    frozen = PUBLISHED[MISTRAL] * 2 + 41_943_040 * 16
    assert frozen < four - (eight - four) < frozen + 4 * 2**30
    less = training_memory(mistral(), Training(batch_tokens=8192, gradient_checkpointing=True))
    assert less - (four - (eight - four)) < (eight - four) / 5
    beside = training_memory(mistral(), Training(batch_tokens=4096, embeddings=True))
    assert beside - four == 2 * 32_000 * 4096 * 16  # an embedding and a head
    small = accelerator(Hardware(gpu="rtx-4090"))
    assert "training.gradient_checkpointing=true" in training(mistral(), settings, small, work).advice
    unknown = training(mistral(), settings, A100, None)
    assert (unknown.seconds, unknown.memory, unknown.advice) == (None, found.memory, found.advice)
    whole = training(mistral(), Training(lora=None), A100, work)
    assert whole.memory > 16 * PUBLISHED[MISTRAL]
    assert "more memory" in whole.advice


def test_generation_by_hand_and_limited_by_memory() -> None:
    work = Asking(1000, 100_000, 200_000)
    alone = Generation()
    geometry, share = mistral(), machines()["assumed"]["generating"]
    step = max(geometry.weights / A100.bandwidth, geometry.weights * 256 / A100.flops)
    step += 256 * 200 * geometry.cached / A100.bandwidth
    seconds = (200_000 / 256 * step + 100_000 * 2 * geometry.blocks / A100.flops) / share
    found = generation(geometry, alone, A100, 1, work)
    assert found.seconds == pytest.approx(seconds)
    assert found.memory == pytest.approx(geometry.weights + 256 * 300 * geometry.cached + 2 * 2**30)
    many = Generation.model_validate({"vllm": {"data_parallel": 4}})
    four = generation(geometry, many, A100, 4, Asking(8000, 800_000, 1_600_000))
    assert (four.accelerators, four.seconds) == (4, pytest.approx(2 * seconds))
    little = generation(geometry, alone, accelerator(Hardware(gpu="l4")), 1, work)
    assert little.seconds is not None
    assert little.memory <= 0.9 * accelerator(Hardware(gpu="l4")).memory
    large = geometry_of("meta-llama/Meta-Llama-3-70B-Instruct", None)
    assert large is not None
    refused = generation(large, alone, A100, 4, work)
    assert (refused.seconds, refused.advice) == (None, "generation.vllm.tensor_parallel=4")
    shared = generation(large, Generation.model_validate({"vllm": {"tensor_parallel": 4}}), A100, 4, work)
    assert shared.memory < A100.memory
    assert not shared.advice


def test_the_paper_s_own_hours_are_within_a_factor_of_two(tmp_path: Path) -> None:
    reckoning = Reckoning(planned(tmp_path, "mistral-7b-instruct-v0.2"))
    stages = {step.stage.title: step.stage for step in reckoning.plan.steps}
    generating, fitting = (reckoning.cost(stages[title]) for title in ("examples-radis", "train-radis"))
    assert generating.seconds is not None
    assert fitting.seconds is not None
    assert 2 <= generating.seconds / 3600 <= 8  # the paper: 4 GPU hours
    assert 8 <= fitting.seconds / 3600 <= 32  # the paper: 16 GPU hours
    assert not generating.measured


@pytest.mark.parametrize("language", ["en", "cs", "zh"])
def test_rates_are_those_of_the_tokenizers(real_data: Path, language: str) -> None:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(real_data / "tokenizers" / "mistral-7b-instruct-v0.2" / "tokenizer.json"))
    other = "cs" if language == "en" else language
    path = real_data / "alma" / "human_written_data" / f"{other}en" / f"train.{other}-en.{language}"
    lines = path.read_text(encoding="utf-8").split("\n")[5:-1:97]
    counted = sum(len(tokenizer.encode(line, add_special_tokens=False).ids) for line in lines)
    rate = Vocabulary(Model(MISTRAL, None, ""), mistral()).rate(language)
    assert sum(len(line.encode()) for line in lines) / rate == pytest.approx(counted, rel=0.06)


def test_pairs_by_the_catalogue_are_about_those_of_the_files(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vocabulary = Vocabulary(Model(MISTRAL, None, ""), mistral())
    corpus = Corpus(corpus="alma-human", directions=("cs-en", "en-zh"), limit=13_000)
    absent = of_pairs(corpus, "train", vocabulary).total
    monkeypatch.setenv("DRAGOMAN_MIRROR", str(real_data))
    here = of_pairs(corpus, "train", vocabulary).total
    assert absent.records == 12_076 + 13_000
    assert here.records == pytest.approx(absent.records, abs=30)  # duplicates are left out
    assert (here.asked, here.answered) == (
        pytest.approx(absent.asked, rel=0.03),
        pytest.approx(absent.answered, rel=0.03),
    )


def test_compressed_pairs_by_the_catalogue() -> None:
    """OPUS's zip of 27 MB holds 73 MB of text; of WMT's files nobody said how much is in them."""
    vocabulary = Vocabulary(Model(MISTRAL, None, ""), mistral())
    corpus = Corpus(corpus="news-commentary", directions=("de-en", "en-de"), disjoint=True)
    found = of_pairs(corpus, "train", vocabulary)
    assert found is not None
    absent = found.total
    assert absent.records == 223_153  # each once
    size = absent.asked / absent.records - vocabulary.frame + absent.answered / absent.records
    assert size == pytest.approx(73_085_451 / 223_153 / vocabulary.rate("en"), rel=0.25)
    limited = of_pairs(corpus.model_copy(update={"limit": 10_000}), "train", vocabulary)
    assert limited is not None
    assert {kind: volume.records for kind, volume in limited.volumes.items()} == {
        Kind("de", "en"): 10_000,
        Kind("en", "de"): 10_000,
    }
    assert of_pairs(Corpus(corpus="news-commentary-v16", directions=("de-en",)), "train", vocabulary) is None


def test_a_tokenizer_that_is_here_is_asked() -> None:
    vocabulary = Vocabulary(Model("lab", BACKBONE, ""), geometry_of("lab", BACKBONE))
    talk = Dialogue((Turn("user", "What is 2 + 2?"), Turn("assistant", "The answer is 4.")))
    found = vocabulary.of([talk] * 8).total
    exact = [len(vocabulary.tokenizer.encode(turn.text, add_special_tokens=False).ids) for turn in talk.turns]
    assert (found.records, found.asked, found.answered) == (8, 8 * (exact[0] + 30), pytest.approx(8 * exact[1]))
    single = vocabulary.of([Pair("Dobrý den", "Bonjour", "cs", "fr")]).total
    assert single.answered == pytest.approx(len(vocabulary.tokenizer.encode("Bonjour", add_special_tokens=False).ids))


BASE = Amounts({Kind("de", "en"): Volume(100, 5000, 3000)})
TALKS = Amounts({Kind("en", "en", pairs=False): Volume(10, 400, 500)})


@pytest.mark.parametrize(
    ("method", "options", "examples", "tokens", "asked"),
    [
        ("vanilla", {}, 100, 8000, None),
        ("multitask", {}, 110, 8000 + 900, None),
        ("seq_kd", {"max_tokens": 256}, 200, 8000 + 5000 + 4500, (100, 5000, 4500)),
        ("seq_kd", {"max_tokens": 20}, 200, 8000 + 5000 + 2000, (100, 5000, 2000)),
        ("sdft_rewrite", {"max_tokens": 256}, 100, 5000 + 4500, (100, 14_000, 4500)),
        ("radis", {"rationale": {"max_tokens": 512}}, 100, 8000 + 20_000, (100, 8000, 20_000)),
        ("radis", {"rationale": {"max_tokens": 50}, "rationale_fraction": 0.2}, 100, 8000 + 1000, (20, 1600, 1000)),
        (
            "radis",
            {"rationale": {"max_tokens": 50, "samples_per_pair": 3, "temperature": 1}},
            300,
            24_000 + 15_000,
            (300, 24_000, 15_000),
        ),
    ],
)
def test_what_methods_make_of_so_much_data(
    method: str, options: dict[str, Any], examples: int, tokens: int, asked: tuple[int, int, int] | None
) -> None:
    found = learning(available()[method], options, BASE + TALKS if method == "multitask" else BASE)
    assert (found.examples, found.tokens) == (examples, pytest.approx(tokens))
    given = found.asking and (found.asking.prompts, found.asking.asked, found.asking.answered)
    assert given == (asked and pytest.approx(asked))


def test_lengths_of_finished_examples_replace_the_assumption() -> None:
    rate = {"of": ["examples", "radis", "abc"]}
    old: Any = {"rate": rate, "finished": "2024", "rationales": {"tokens": 900, "used": 10}}
    new: Any = {"rate": rate, "finished": "2025", "rationales": {"tokens": 600, "used": 10}}
    assert measured_length([new, old], "radis", "abc") == 60
    assert measured_length([new, old], "seq_kd", "abc") is None
    found = learning(available()["radis"], {"rationale": {"max_tokens": 512}}, BASE, 60)
    assert found.asking == Asking(100, 8000, 6000)


def test_a_dry_run_knows_nothing_is_done_and_fetches_nothing(tmp_path: Path) -> None:
    found = planned(tmp_path, "mistral-7b-instruct-v0.2")
    assert found.missing == ("alma-human", "wmt22", "alpaca", "dolly")
    assert not any(step.artifact for step in found.steps)
    page = shown(found)
    assert "2,658 steps of 256 examples" in page  # Seq-KD: twice the examples in the same number of steps
    assert "4,230 steps of 128 examples" in page  # multi-task: 180,399 examples
    assert "≈ is an estimate for 4 x a100-80gb" in page
    assert "30% of the arithmetic in training, 25% of arithmetic and bandwidth in generation" in page
    assert "a run fetches: corpora alma-human, wmt22, alpaca, dolly" in page
    assert not (tmp_path / "nothing").exists()


def test_each_seed_is_trained_and_examples_are_made_once(tmp_path: Path) -> None:
    page = shown(planned(tmp_path, "full-fine-tuning", "seeds=[0,1]"))
    lines = [line for line in page.splitlines() if "2,658 steps" in line]
    assert [line.split()[0] for line in lines] == [
        "train-vanilla~0",
        "train-vanilla~1",
        "train-radis~0",
        "train-radis~1",
    ]
    assert page.count("113,386 rationales") == 1


def test_another_accelerator_on_the_command_line(tmp_path: Path) -> None:
    page = shown(planned(tmp_path, "full-fine-tuning"), "a100-80gb:2")
    assert "train-vanilla, train-radis: needs 125 GiB on an accelerator that has 79 GiB" in page
    with pytest.raises(RecipeError, match=r"nothing is known of 'abacus'\. Known are a100-80gb"):
        hardware("abacus")
    with pytest.raises(RecipeError, match="should look like a100-80gb"):
        hardware("a100-80gb:many")


def test_rows_that_ask_the_same_share_the_answers(tmp_path: Path) -> None:
    reckoning = Reckoning(planned(tmp_path, "ablation-rationale-fraction"))
    before = {row: round(count) for row, count in reckoning.asked_before.items()}
    assert before["radis-0.5"] == 22_677
    assert before["radis"] == 56_693
    assert before["radis-weight-0.5"] == 113_386
    other = Reckoning(planned(tmp_path, "ablation-rationale-source"))
    assert set(other.asked_before.values()) == {0}  # another writer writes others


def test_an_unknown_model_or_corpus_is_said_to_be_unknown(tmp_path: Path) -> None:
    page = shown(planned(tmp_path, "code-magicoder", "backbone=someone/else"))
    assert "How large someone/else is, and so what it takes, is not known until it is here." in page
    assert "how many examples is not known until the corpora are here" in page
    counted = shown(planned(tmp_path, "code-magicoder", "data.lessons.0.limit=1000"))
    assert "24 steps of 128 examples" in counted


def test_without_an_accelerator_no_time_is_given(tmp_path: Path) -> None:
    found = planned(tmp_path, "mistral-7b-instruct-v0.2", "hardware=null")
    reckoning = Reckoning(found)
    assert {reckoning.cost(step.stage).seconds for step in found.steps} == {None}
    assert "≈" not in shown(found)


def test_what_was_measured_here_wins(tmp_path: Path) -> None:
    found = planned(tmp_path, "mistral-7b-instruct-v0.2")
    reckoning = Reckoning(found)
    stage = next(step.stage for step in found.steps if step.stage.title == "train-radis")
    estimated = reckoning.cost(stage)
    kind = ["train", "radis", found.backbone.digest]
    rate: Rate = {"of": kind, "units": 340_158}
    reckoning.finished = [{"rate": rate, "seconds": 7200.0, "finished": "2025", "versions": {}}]
    measured = reckoning.cost(stage)
    assert (measured.seconds, measured.measured) == (pytest.approx(7200), True)
    assert estimated.seconds != measured.seconds
    assert measured.estimate == estimated.estimate  # its memory stays


def test_a_recipe_without_hardware_has_tokens(tmp_path: Path) -> None:
    plain = ["methods=[vanilla]", "data.replay=null"]
    lab = recipe(RADIS.parent / "lab" / "demo.yaml", [f"runs={tmp_path}/runs", *plain])
    assert isinstance(lab, Recipe)
    page = shown(plan(lab))
    assert "6,000 examples" in page
    assert "282 steps of 64 examples" in page
    assert "validations" not in page


def test_validations_are_counted_with_their_tokens_and_time(tmp_path: Path) -> None:
    dev = "data.dev={corpus: lab, directions: [de-en, en-de], limit: 40}"
    lab = recipe(RADIS.parent / "lab" / "demo.yaml", [f"runs={tmp_path}/runs", dev])
    assert re.search(
        r"282 steps of 64 examples, [\d.]+ k tokens; 13 validations on 80 pairs, [\d.]+ k", shown(plan(lab))
    )
    share = recipe(RADIS.parent / "lab" / "demo.yaml", [f"runs={tmp_path}/runs", "data.dev={share: 0.01}"])
    assert "13 validations on 60 pairs" in shown(plan(share))
    seconds = []
    for said in ([], ["data.dev={corpus: alma-human}"]):
        reckoning = Reckoning(planned(tmp_path, "mistral-7b-instruct-v0.2", *said))
        stage = next(step.stage for step in reckoning.plan.steps if step.stage.title == "train-vanilla")
        seconds.append(reckoning.cost(stage).seconds or 0.0)
    assert seconds[0] * 1.005 < seconds[1] < seconds[0] * 1.1
