"""A PEFT adapter that is named as a model: judged together with its base, or refused with a sentence."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer
from typer.testing import CliRunner, Result

from dragoman.cli import app
from dragoman.lab import BACKBONE, world
from dragoman.models.loading import load_model
from tests.tiny_models import lab_llama

SMALL = ("generation.precision=fp32", "evaluation.translation_tokens=8", "evaluation.bootstrap=20")


def run(*words: object, code: int = 0, stdin: str = "") -> Result:
    found = CliRunner().invoke(app, [*map(str, words)], input=stdin)
    assert found.exit_code == code, found.output
    return found


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lab_llama(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def adapter(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Saved by PEFT itself, with its tokenizer beside it, far enough from its base that answers differ."""
    monkeypatch.chdir(tmp_path)
    model = AutoModelForCausalLM.from_pretrained(base)
    made = get_peft_model(model, LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "down_proj"]))
    torch.manual_seed(1)
    for name, weight in made.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.5)
    made.save_pretrained(tmp_path / "adapter")
    return tmp_path / "adapter"


def change(adapter: Path, **fields: object) -> None:
    path = adapter / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def merged() -> Path:
    (found,) = Path().glob("runs/.store/artifacts/merge-adapter-*/model")
    return found


def test_an_adapter_is_judged_with_its_base(base: Path, adapter: Path) -> None:
    pairs = world.pairs("test", ["de-en"], 3, 0)
    Path("test.de").write_text("".join(f"{pair.source}\n" for pair in pairs))
    Path("test.en").write_text("".join(f"{pair.target}\n" for pair in pairs))
    test = ("--source", "test.de", "--target", "test.en", *SMALL)
    said = run("evaluate", adapter, *test).output
    assert f"{adapter} is an adapter: merging it into {base}" in said
    ids = torch.tensor([[5, 6, 7, 8]])
    both, one, plain = (
        load_model(folder, precision="fp32", device="cpu", adapter=put_on)(input_ids=ids).logits
        for folder, put_on in ((base, adapter), (merged(), None), (base, None))
    )
    assert (both - one).abs().max() < 1e-3 < 0.1 < (both - plain).abs().max()
    # Said once: what is merged stays, for this run and for any other
    again = run("translate", adapter, "test.de", "--direction", "de-en", *SMALL[:2])
    assert "merging" not in again.stderr
    (results,) = Path().glob("runs/*/results/backbone.json")
    items = json.loads(results.read_text())["translation"]["items"]
    assert again.stdout.split("\n")[:-1] == [one["hypothesis"] for one in items]
    assert run("translate", base, "test.de", "--direction", "de-en", *SMALL[:2]).stdout != again.stdout
    noted = json.loads((results.parents[1] / "stages.json").read_text())
    assert noted["merge adapter"] == [merged().parent.name]


def test_a_run_compares_with_an_adapter(base: Path, adapter: Path) -> None:
    """Its path is relative, and its base stands beside it under the name that it has there."""
    (adapter.parent / "tiny").symlink_to(base)
    change(adapter, base_model_name_or_path="tiny")
    recipe = {
        "name": "beside",
        "backbone": str(base),
        "data": {"test": {"corpus": "lab", "directions": ["de-en"], "limit": 2}},
        "compare": [{"model": "adapter", "label": "taught"}],
        "generation": {"precision": "fp32"},
        "evaluation": {"translation_tokens": 4, "bootstrap": 20},
    }
    Path("recipe.yaml").write_text(json.dumps(recipe))
    assert "adapter is an adapter; a run merges it into its base first" in run("run", "recipe.yaml", "--dry-run").output
    assert not Path("runs/.store/artifacts").exists()
    run("run", "recipe.yaml")
    card = json.loads(Path("runs/beside/scorecard.json").read_text())
    assert [row["name"] for row in card["rows"]] == ["backbone", "taught"]
    assert "adapter is an adapter" not in run("run", "recipe.yaml", "--dry-run").output


def test_its_own_tokenizer_goes_along(adapter: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(BACKBONE)
    once = run("translate", adapter, "--direction", "de-en", *SMALL[:2], stdin="Der Fluss ist alt.\n")
    before = merged()
    tokenizer.chat_template += "{# as it was taught #}"
    tokenizer.save_pretrained(adapter)
    again = run("translate", adapter, "--direction", "de-en", *SMALL[:2], stdin="Der Fluss ist alt.\n")
    assert again.stdout == once.stdout
    (after,) = set(Path().glob("runs/.store/artifacts/merge-adapter-*/model")) - {before}
    assert AutoTokenizer.from_pretrained(after).chat_template == tokenizer.chat_template
    assert AutoTokenizer.from_pretrained(before).chat_template != tokenizer.chat_template


def test_a_base_that_is_missing(adapter: Path) -> None:
    change(adapter, base_model_name_or_path="/nowhere/tiny")
    for command in (("evaluate", adapter, "--suite", "lab"), ("translate", adapter, "--direction", "de-en")):
        said = run(*command, code=1, stdin="Satz\n").output
        assert f"{adapter} is an adapter for /nowhere/tiny, which could not be found." in said
        assert f"--adapter {adapter}" in said
    change(adapter, base_model_name_or_path=None)
    said = run("evaluate", adapter, "--suite", "lab", code=1).output
    assert f"{adapter} is an adapter, and does not say of which base." in said


def test_a_base_that_it_was_not_made_for(adapter: Path, tmp_path: Path) -> None:
    other = lab_llama(tmp_path / "other", hidden_size=64)
    change(adapter, base_model_name_or_path=str(other))
    said = run("translate", adapter, "--direction", "de-en", code=1, stdin="Satz\n").output
    assert f"The adapter {adapter} does not fit the backbone {other}." in said
    assert not list(Path().glob("runs/.store/artifacts/*"))


def test_a_run_compares_with_a_difference_added_to_its_base(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The difference is zero, so that the sum answers as its base does."""
    monkeypatch.chdir(tmp_path)
    model = AutoModelForCausalLM.from_pretrained(base)
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
    shutil.copytree(base, "zero")
    model.save_pretrained("zero")
    recipe = {
        "name": "sums",
        "backbone": str(base),
        "data": {"test": {"corpus": "lab", "directions": ["de-en"], "limit": 2}},
        "compare": [{"model": "zero", "label": "whole", "added_to": str(base)}],
        "generation": {"precision": "fp32"},
        "evaluation": {"translation_tokens": 8, "bootstrap": 20},
    }
    Path("recipe.yaml").write_text(json.dumps(recipe))
    assert "zero is a difference; a run adds it to its base first" in run("run", "recipe.yaml", "--dry-run").output
    assert f"zero is a difference: adding it to {base}" in run("run", "recipe.yaml").output
    (folder,) = Path().glob("runs/.store/artifacts/sum-whole-*/model")
    ids = torch.tensor([[5, 6, 7, 8]])
    whole, plain = (load_model(one, precision="fp32", device="cpu")(input_ids=ids).logits for one in (folder, base))
    torch.testing.assert_close(whole, plain)
    assert "adding" not in run("run", "recipe.yaml").output
    recipe["compare"] = [{"model": "zero", "label": "whole", "added_to": "nowhere"}]
    Path("recipe.yaml").write_text(json.dumps(recipe))
    assert "nowhere" in run("run", "recipe.yaml", code=1).output
