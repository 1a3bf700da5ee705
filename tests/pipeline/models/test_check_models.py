"""What a model cannot do is said before anything is generated, trained or judged."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer, BertConfig, BertForMaskedLM, GPT2Config, GPT2LMHeadModel
from typer.testing import CliRunner

from dragoman.cli import app
from dragoman.commands.recipes import recipe as load
from dragoman.errors import EngineError, TrainingError
from dragoman.lab import BACKBONE
from dragoman.pipeline.models.cast import find_cast
from dragoman.pipeline.models.check_models import check_models
from dragoman.pipeline.models.speakers import speaker
from dragoman.recipe.schema import Recipe
from dragoman.store import Digests

Write = Callable[[Path], Path]


@pytest.fixture
def copy(tiny_backbone: Path, tmp_path: Path) -> Path:
    """A backbone that may be spoilt."""
    return Path(shutil.copytree(tiny_backbone, tmp_path / "copy"))


@pytest.fixture
def checked(small_recipe: Write, tmp_path: Path) -> Callable[..., Recipe]:
    """Looks at the models of the small recipe, with some of it said otherwise."""

    def check(*overrides: str) -> Recipe:
        recipe = load(small_recipe(tmp_path), overrides)
        cast = find_cast(recipe, Digests(tmp_path / "digests.json"))
        check_models(recipe, cast, speaker(recipe, cast.backbone, cast.others))
        return recipe

    return check


def without(folder: Path, name: str) -> None:
    weights = load_file(folder / "model.safetensors")
    del weights[name]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def run(*arguments: Any) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, " ".join(result.output.split())


def test_a_run_over_a_backbone_that_is_not_whole(small_recipe: Write, copy: Path, tmp_path: Path) -> None:
    without(copy, "model.layers.0.mlp.up_proj.weight")
    code, said = run("run", small_recipe(tmp_path), f"backbone={copy}")
    assert code == 1
    assert f"The files of {copy} do not hold the model" in said
    assert "model.layers.0.mlp.up_proj.weight" in said
    assert "… evaluate" not in said
    assert "… examples" not in said


def test_every_model_of_a_recipe_is_looked_at(checked: Callable[..., Recipe], copy: Path) -> None:
    checked(f"compare=[{{model: {copy}, label: other}}]")
    without(copy, "model.norm.weight")
    writer = f"{{radis: {{boundary: exact, rationale: {{max_tokens: 12, model: {copy}}}}}}}"
    for field in (
        f"compare=[{{model: {copy}, label: other}}]",
        f"methods=[{writer}]",
        f"evaluation.judge={{model: {copy}}}",
        f"evaluation.guard={{model: {copy}}}",
    ):
        suites = "evaluate=[translation, mt-bench, safety]"
        other = "evaluation.guard={model: lab}" if "judge" in field else "evaluation.judge={model: lab}"
        both = (suites, field, other) if "evaluation" in field else (field,)
        with pytest.raises(EngineError, match=r"not there: model\.norm\.weight"):
            checked(*both)


def test_names_of_layers_that_there_are_not(checked: Callable[..., Recipe]) -> None:
    checked("training.lora.targets=[q_proj, v_proj]")
    with pytest.raises(TrainingError, match=r"training\.lora\.targets: the backbone has no layer query_proj\. It has "):
        checked("training.lora.targets=[q_proj, query_proj]")


def test_a_tokenizer_that_is_larger_than_the_embedding(checked: Callable[..., Recipe], copy: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(copy)
    known = len(tokenizer)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<never used>"]})
    tokenizer.save_pretrained(copy, save_jinja_files=False)
    checked(f"backbone={copy}")
    tokenizer.add_tokens(["Dampfschiff"])
    tokenizer.save_pretrained(copy, save_jinja_files=False)
    said = rf"rows for {known:,} tokens, and 1 of the .* a higher number, such as 'Dampfschiff' \({known + 1}\)"
    with pytest.raises(EngineError, match=said):
        checked(f"backbone={copy}")
    with pytest.raises(EngineError, match=said):
        checked(f"compare=[{{model: {copy}, label: other}}]")


def test_an_encoder(checked: Callable[..., Recipe], copy: Path) -> None:
    config = BertConfig(hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=48)
    BertForMaskedLM(config).save_pretrained(copy)
    with pytest.raises(EngineError, match=r"is an encoder, which reads a text and writes none \(bert\)"):
        checked(f"backbone={copy}")


@pytest.fixture
def pickled(copy: Path) -> Path:
    torch.save(load_file(copy / "model.safetensors"), copy / "pytorch_model.bin")
    (copy / "model.safetensors").unlink()
    return copy


def test_pickled_weights_by_name(checked: Callable[..., Recipe], pickled: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=rf"backbone: {pickled} has its weights in \.bin files.*`bin_weights: true`"):
        checked(f"backbone={pickled}")
    with pytest.raises(EngineError, match=r"compare\.other: .*`bin_weights: true`"):
        checked(f"compare=[{{model: {pickled}, label: other}}]")
    recipe = checked(f"backbone={pickled}", "bin_weights=true")
    checked(f"compare=[{{model: {pickled}, label: other, bin_weights: true}}]")
    digests = Digests(tmp_path / "digests.json")
    first = find_cast(recipe, digests).backbone.digest
    torch.save({"lm_head.weight": torch.ones(1)}, pickled / "pytorch_model.bin")
    assert find_cast(recipe, digests).backbone.digest != first


def test_a_model_in_pickled_weights_is_judged(pickled: Path, tmp_path: Path) -> None:
    test = {"files": [{"source": "a.de", "target": "a.en", "direction": "de-en"}]}
    for name, text in {"a.de": "Der Hund schläft.\n", "a.en": "The dog sleeps.\n"}.items():
        (tmp_path / name).write_text(text)
    test["files"][0] |= {side: str(tmp_path / test["files"][0][side]) for side in ("source", "target")}
    asked = (
        "evaluate",
        pickled,
        "--suite",
        "translation",
        f"runs={tmp_path / 'runs'}",
        f"data.test={json.dumps(test)}",
    )
    code, said = run(*asked)
    assert code == 1
    assert "`bin_weights: true`" in said
    code, said = run(*asked, "bin_weights=true", "evaluation.translation_tokens=4")
    assert code == 0, said
    assert "✓ evaluate-backbone" in said


def test_gpt2_from_a_recipe_to_a_scorecard(small_recipe: Write, tmp_path: Path) -> None:
    """Its context is `n_positions`; a pair that does not fit is left out, and not an error in the midst of training."""
    folder = tmp_path / "gpt2"
    tokenizer = AutoTokenizer.from_pretrained(BACKBONE)
    tokenizer.save_pretrained(folder, save_jinja_files=False)
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=len(tokenizer),
        n_embd=32,
        n_layer=2,
        n_head=2,
        n_positions=96,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    GPT2LMHeadModel(config).save_pretrained(folder)
    (tmp_path / "a.de").write_text("Der Hund schläft.\n" * 3 + "Der Hund " * 60 + "schläft.\n")
    (tmp_path / "a.en").write_text("The dog sleeps.\n" * 3 + "The dog " * 60 + "sleeps.\n")
    files = {"source": str(tmp_path / "a.de"), "target": str(tmp_path / "a.en"), "direction": "de-en"}
    code, said = run(
        "run",
        small_recipe(tmp_path),
        f"backbone={folder}",
        f"data.train={json.dumps({'files': [files]})}",
        "data.test.limit=2",
        "evaluate=[translation]",
        "methods=[vanilla]",
        "training.batch_size=2",
    )
    assert code == 0, said
    assert "1 training pairs are longer than" in said
    trained = AutoModelForCausalLM.from_pretrained(tmp_path / "runs" / "small" / "models" / "vanilla")
    assert not torch.equal(
        trained.transformer.h[0].attn.c_attn.weight,
        AutoModelForCausalLM.from_pretrained(folder).transformer.h[0].attn.c_attn.weight,
    )
