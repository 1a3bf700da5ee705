"""AlpacaEval's files: instructions, baselines, and what the judges are told."""

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from dragoman.corpora import catalog
from dragoman.errors import DataError
from dragoman.suites.alpaca_eval.files import annotations, read, read_instructions, turns


@pytest.fixture
def files(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The catalogue's files, as a recipe gets them."""
    monkeypatch.setenv("DRAGOMAN_MIRROR", str(real_data))
    entry = catalog.find("alpaca-eval")
    return [catalog.local(entry, path) for path in entry.files]


def test_the_published_files(files: list[Path]) -> None:
    first, second, pairs = read("alpaca-eval", files), read("alpaca-eval-2", files), read_instructions(files)
    assert first["texts"] == second["texts"] == pairs["texts"]
    assert len(set(first["texts"])) == len(first["items"]) == 805
    assert (first["baseline"], second["baseline"]) == ("text_davinci_003", "gpt4_1106_preview")
    assert first["items"][0]["instruction"].startswith("What are the names of some famous actors")
    assert first["items"][0]["output"].startswith("Some famous actors that started their careers")
    assert second["items"][0]["output"].startswith("Several famous actors started their careers")
    assert {item["subject"] for item in first["items"]} == {"helpful_base", "koala", "oasst", "selfinstruct", "vicuna"}
    assert pairs.keys() == {"texts", "items"}
    assert pairs["items"][0].keys() == {"instruction", "subject"}
    ranking: Mapping[str, object] = first["judge"]
    weighing: Mapping[str, object] = second["judge"]
    settings = ("name", "max_tokens", "temperature", "logprobs", "tokens")
    assert [ranking[name] for name in settings] == ["alpaca_eval_gpt4", 100, 0.0, 0, []]
    assert [weighing[name] for name in settings] == ["weighted_alpaca_eval_gpt4_turbo", 1, 1.0, 5, ["m", "M"]]
    assert ranking["system"] == "You are a helpful assistant, that ranks models by the quality of their answers."
    assert str(weighing["system"]).startswith("You are a highly efficient assistant")
    assert str(weighing["prompt"]).endswith("## Best Model Identifier")
    for judge in (ranking, weighing):
        assert sorted(re.findall(r"\{(\w+)\}", str(judge["prompt"]))) == ["instruction", "output_1", "output_2"]
    json.dumps([first, second, pairs])


def test_files_of_the_published_form(our_data: Path) -> None:
    place = [our_data / "alpaca_eval"]
    first, second = read("alpaca-eval", place), read("alpaca-eval-2", place)
    assert first["texts"] == second["texts"] == read_instructions(place)["texts"]
    assert (first["baseline"], second["baseline"]) == ("text_davinci_003", "gpt4_1106_preview")
    assert first["items"][1] == {
        "instruction": "How do I boil an egg?",
        "subject": "ours",
        "output": "text_davinci_003 says 1.",
    }
    assert (first["judge"]["name"], first["judge"]["max_tokens"], first["judge"]["logprobs"]) == (
        "alpaca_eval_gpt4",
        100,
        0,
    )
    assert (second["judge"]["max_tokens"], second["judge"]["logprobs"], second["judge"]["tokens"]) == (1, 5, ["m", "M"])
    assert second["judge"]["system"] == "You rank two answers."
    assert read("alpaca-eval", place, "weighted_alpaca_eval_gpt4_turbo")["judge"] == second["judge"]


def test_the_first_benchmark_by_the_second_s_annotator(files: list[Path]) -> None:
    """As the RaDis paper judges it: AlpacaEval 1's baseline, and the weighted annotator."""
    found = read("alpaca-eval", files, "weighted_alpaca_eval_gpt4_turbo")
    assert found["baseline"] == "text_davinci_003"
    assert found["judge"] == read("alpaca-eval-2", files)["judge"]


def test_a_folder_and_a_file_of_ones_own(files: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "all"
    shutil.copytree(files[0].parents[2], folder)
    assert read("alpaca-eval-2", [folder]) == read("alpaca-eval-2", files)
    own = tmp_path / "mine.jsonl"
    lines = [
        {"prompt": "Say hi.", "output": "Hi."},
        {"instruction": "Sort.", "input": "b, a", "output": "a, b", "dataset": "x"},
    ]
    own.write_text("\n".join(map(json.dumps, lines)))
    found = read("alpaca-eval-2", [own])
    assert found["items"] == [
        {"instruction": "Say hi.", "subject": "", "output": "Hi."},
        {"instruction": "Sort.\n\nb, a", "subject": "x", "output": "a, b"},
    ]
    assert found["baseline"] == "own"
    assert found["judge"] == read("alpaca-eval-2", files)["judge"]  # the catalogue's
    own.write_text(json.dumps({"prompt": "Say hi."}))
    assert read_instructions([own]) == {"texts": ["Say hi."], "items": [{"instruction": "Say hi.", "subject": ""}]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"instruction": "Go."}]', r"mine.json, record 1: 'output' is missing, the answer to compare with"),
        ('[{"output": "x"}]', r"record 1: 'instruction' \(or 'prompt'\) must be some text"),
        (
            '[{"instruction": "Go.", "output": "x"}, {"prompt": "Go.", "output": "y"}]',
            r"record 2: the same instruction again: 'Go\.'",
        ),
        ("[]", "has no instructions in it"),
        ("[1]", "a JSON object is needed"),
    ],
)
def test_files_that_are_none(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.json"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read("alpaca-eval", [path])


def test_which_file_is_not_guessed(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"needs one file of instructions, such as text_davinci_003/model_outputs\.json"
    ):
        read_instructions([tmp_path])
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text("[]")
    with pytest.raises(DataError, match="there are 2 that could be it"):
        read_instructions([tmp_path])


def test_a_judge_that_is_configured_otherwise(any_data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "all"
    shutil.copytree(any_data / "alpaca_eval", folder, copy_function=shutil.copyfile)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755)
    settings = folder / "evaluators_configs" / "alpaca_eval_gpt4" / "configs.yaml"
    told = settings.read_text()
    settings.write_text(told.replace("max_tokens: 100", "max_tokens: 40"))
    assert read("alpaca-eval", [folder])["judge"]["max_tokens"] == 40
    settings.write_text(told.replace("completions_kwargs", "kwargs"))
    with pytest.raises(DataError, match=r"configs.yaml is no configuration of the annotator alpaca_eval_gpt4.*kwargs"):
        read("alpaca-eval", [folder])
    settings.write_text(told)
    (settings.parent / "alpaca_eval.txt").write_text("Which is better?")
    with pytest.raises(DataError, match=r"alpaca_eval.txt is no prompt of AlpacaEval"):
        read("alpaca-eval", [folder])


def test_turns_of_a_prompt() -> None:
    text = "<|im_start|>system\nBe just.\n<|im_end|>\n<|im_start|>user\n a\n\n{b} \n<|im_end|>\n"
    assert turns(text) == [("system", "Be just."), ("user", "a\n\n{b}")]
    with pytest.raises(DataError, match="is no prompt of AlpacaEval"):
        turns(text + "more")


def test_annotations_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "annotations.json"
    path.write_text('[{"instruction": "a", "output_1": "b", "preference": 1}, {"instruction": "a"}]')
    with pytest.raises(DataError, match=r"record 1: needs output_2.*\n.*record 2: needs output_1, output_2"):
        annotations(path)
    path.write_text('[{"instruction": "a", "output_1": "b", "output_2": "c"}]')
    with pytest.raises(DataError, match="record 1: needs preference"):
        annotations(path)
