import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from datasets import Dataset
from peft import LoraConfig
from safetensors.torch import load_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast, set_seed
from trl import SFTConfig, SFTTrainer

from dragoman.errors import TrainingError
from dragoman.prompts.examples import Example, ExampleTable, Segment
from dragoman.recipe.training import Lora
from dragoman.training import checkpoints
from dragoman.training.adapters import adapt
from dragoman.training.batching import Order
from dragoman.training.steps import MetricsLog
from dragoman.training.trainer import fit
from tests import ROOT
from tests.training.training_kit import VOCABULARY, examples, metrics, settings

Write = Callable[[list[Example]], ExampleTable]


PINNED = [6.07998, 5.89801, 5.90686, 5.59706, 5.67249, 5.35658, 5.52127, 5.63844]


def test_losses_are_pinned(tiny: Path, table: Write, tmp_path: Path) -> None:
    result = fit(tiny, table(examples(14)), settings(epochs=2), tmp_path / "out")
    lines = metrics(tmp_path / "out")
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 5, 6, 7, 8]
    found = [line["loss"] for line in lines]
    assert found == pytest.approx(PINNED, abs=1e-4)
    assert (result.steps, result.tokens, result.loss) == (8, lines[-1]["tokens"], found[-1])
    assert result.tokens == 2 * sum(len(example) for example in examples(14))
    assert lines[0]["learning_rate"] == 1e-2
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["adapter", "metrics.jsonl", "training.json"]
    weights = load_file(result.adapter / "adapter_model.safetensors")
    assert {weight.dtype for weight in weights.values()} == {torch.float32}


def test_a_training_in_parts_is_the_training_in_one_piece(tiny: Path, table: Write, tmp_path: Path) -> None:
    made, chosen = table(examples(14)), settings(epochs=2, lora=Lora(rank=4, dropout=0.1))
    whole = fit(tiny, made, chosen, tmp_path / "whole")
    first = fit(tiny, made, chosen, tmp_path / "first", until=1)
    assert (first.steps, len(metrics(tmp_path / "first"))) == (4, 4)
    second = fit(tiny, made, chosen, tmp_path / "second", before=tmp_path / "first")
    assert (second.steps, second.tokens, second.loss) == (whole.steps, whole.tokens, whole.loss)
    parts, piece = (load_file(done.adapter / "adapter_model.safetensors") for done in (second, whole))
    assert all(torch.equal(parts[name], piece[name]) for name in piece)
    assert [line["step"] for line in metrics(tmp_path / "second")] == [1, 2, 3, 4, 5, 6, 7, 8]
    with pytest.raises(TrainingError, match="no state to go on from"):
        fit(tiny, made, chosen, tmp_path / "third", before=tmp_path / "whole")


def _textbook(model: Any, made: list[Example]) -> tuple[float, dict[str, float]]:
    """Weighted mean over all trained tokens, and the plain mean of each segment, token by token."""
    above = below = 0.0
    parts: dict[str, list[float]] = {}
    for example in made:
        ids = torch.tensor(example.ids)
        logits = model(input_ids=ids[None]).logits[0].double()
        at = 0
        for segment in example.segments:
            for token in segment.ids:
                if segment.weight:
                    nll = float(torch.log(torch.exp(logits[at - 1]).sum()) - logits[at - 1, token])
                    above += segment.weight * nll
                    below += segment.weight
                    parts.setdefault(segment.name, []).append(nll)
                at += 1
    return above / below, {name: float(np.mean(values)) for name, values in parts.items()}


@pytest.mark.parametrize("rationale", [1.0, 0.5])
def test_the_first_step_is_the_textbook_mean(rationale: float, tiny: Path, table: Write, tmp_path: Path) -> None:
    made = examples(9, rationale)
    fit(tiny, table(made), settings(batch_size=9), tmp_path / "out")
    (line,) = metrics(tmp_path / "out")
    with torch.no_grad():
        whole, parts = _textbook(LlamaForCausalLM.from_pretrained(tiny), made)
    assert line["loss"] == pytest.approx(whole, abs=1e-5)
    assert {name: line[f"loss/{name}"] for name in parts} == pytest.approx(parts, abs=1e-5)
    terms = [line[f"term/{name}"] for name in ("reference", "rationale", "end")]
    assert sum(terms) == pytest.approx(line["loss"], abs=1e-5)
    tokens = {name: sum(len(s.ids) for e in made for s in e.segments if s.name == name) for name in parts}
    below = tokens["reference"] + rationale * tokens["rationale"] + tokens["end"]
    assert terms[1] == pytest.approx(rationale * parts["rationale"] * tokens["rationale"] / below, abs=1e-5)
    assert "loss/prompt" not in line


def test_micro_batches_and_packing_change_nothing(tiny: Path, table: Write, tmp_path: Path) -> None:
    rows = table(examples(20))
    runs = {
        "whole": settings(batch_size=10, batch_tokens=10_000),
        "cut": settings(batch_size=10, batch_tokens=60),
        "one by one": settings(batch_size=10, batch_tokens=1),
        "packed": settings(batch_size=10, batch_tokens=150, packing="on"),
        "checkpointed": settings(batch_size=10, gradient_checkpointing=True),
    }
    for name, chosen in runs.items():
        fit(tiny, rows, chosen, tmp_path / name)
    expected = metrics(tmp_path / "whole")
    reference = load_file(tmp_path / "whole" / "adapter" / "adapter_model.safetensors")
    for name in list(runs)[1:]:
        for line, other in zip(metrics(tmp_path / name), expected, strict=True):
            for key in ("loss", "grad_norm", "loss/reference", "loss/rationale", "term/end"):
                assert line[key] == pytest.approx(other[key], rel=1e-4), (name, key)
        weights = load_file(tmp_path / name / "adapter" / "adapter_model.safetensors")
        for key, weight in weights.items():
            torch.testing.assert_close(weight, reference[key], rtol=1e-2, atol=1e-4)


def test_bf16_is_close(tiny: Path, table: Write, tmp_path: Path) -> None:
    rows = table(examples(12))
    for precision in ("fp32", "bf16"):
        fit(tiny, rows, settings(precision=precision), tmp_path / precision)
    exact, rough = (metrics(tmp_path / precision) for precision in ("fp32", "bf16"))
    assert [line["loss"] for line in rough] == pytest.approx([line["loss"] for line in exact], rel=0.02)
    assert rough[0]["loss"] != exact[0]["loss"]


def _tokenizer() -> PreTrainedTokenizerFast:
    words = Tokenizer(WordLevel({str(token): token for token in range(VOCABULARY)}, unk_token="0"))
    return PreTrainedTokenizerFast(tokenizer_object=words, unk_token="0", pad_token="1", eos_token="2")


def test_losses_and_gradients_are_those_of_trl(tiny: Path, table: Write, tmp_path: Path) -> None:
    made = examples(16)
    chosen = settings(batch_size=8, epochs=2, schedule="linear")
    fit(tiny, table(made), chosen, tmp_path / "ours")
    order = Order(16, 8, 0)
    indices: list[int] = []
    for epoch in range(2):
        order.set_epoch(epoch)
        indices += [index for step in order for index in step]
    rows = [
        {"input_ids": list(e.ids), "labels": [t if s.weight else -100 for s in e.segments for t in s.ids]}
        for e in (made[index] for index in indices)
    ]
    arguments = SFTConfig(
        output_dir=str(tmp_path / "theirs"),
        per_device_train_batch_size=2,
        gradient_accumulation_steps=4,
        num_train_epochs=1,
        train_sampling_strategy="sequential",
        learning_rate=1e-2,
        lr_scheduler_type="linear",
        seed=0,
        logging_steps=1,
        bf16=False,
        use_cpu=True,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        dataset_kwargs={"skip_prepare_dataset": True},
    )
    theirs = SFTTrainer(
        model=str(tiny),
        args=arguments,
        train_dataset=Dataset.from_list(rows),
        processing_class=_tokenizer(),
        peft_config=LoraConfig(task_type="CAUSAL_LM", r=4, lora_alpha=8, target_modules="all-linear"),
    )
    set_seed(0)  # the same start as ours
    start = adapt(LlamaForCausalLM.from_pretrained(tiny), chosen.lora or Lora()).state_dict()
    theirs.model.load_state_dict({name: weight for name, weight in start.items() if "lora_" in name}, strict=False)
    theirs.train()
    logs = [line for line in theirs.state.log_history if "loss" in line]
    ours = metrics(tmp_path / "ours")
    assert len(logs) == len(ours) == 4
    for key in ("loss", "grad_norm", "learning_rate"):
        assert [line[key] for line in ours] == pytest.approx([line[key] for line in logs], abs=1e-5), key


def _without_speed(out: Path) -> list[dict[str, float]]:
    return [{key: value for key, value in line.items() if key != "tokens_per_second"} for line in metrics(out)]


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.training.training_kit import settings
from dragoman.prompts.examples import ExampleTable
from dragoman.recipe.training import Lora
from dragoman.training import checkpoints, trainer

seal = checkpoints.seal
def kill_before(checkpoint):
    if checkpoints.step_of(checkpoint) == 6:
        os.kill(os.getpid(), signal.SIGKILL)
    seal(checkpoint)
checkpoints.seal = kill_before
chosen = settings(epochs=3, save_every=2, lora=Lora(rank=4, dropout=0.1))
trainer.fit({tiny!r}, ExampleTable(Path({table!r})), chosen, Path({out!r}))
"""


def test_a_run_killed_while_it_saves_goes_on_with_the_same_losses(
    tiny: Path, table: Write, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    rows = table(examples(14))
    chosen = settings(epochs=3, save_every=2, lora=Lora(rank=4, dropout=0.1))
    out = tmp_path / "killed"
    text = KILLED.format(tiny=str(tiny), table=str(rows.folder), out=str(out))
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert (out / "checkpoints" / "checkpoint-6" / "trainer_state.json").is_file()  # looks finished, is not
    with (out / "metrics.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"step": 7, "lo')  # and a line that was cut off

    fit(tiny, rows, chosen, out, label="killed")
    assert "goes on from step 4 of 12" in capfd.readouterr().err
    fit(tiny, rows, chosen, tmp_path / "whole")
    assert _without_speed(out) == _without_speed(tmp_path / "whole")
    assert [line["step"] for line in metrics(out)] == list(range(1, 13))
    assert (out / "adapter" / "adapter_model.safetensors").read_bytes() == (
        tmp_path / "whole" / "adapter" / "adapter_model.safetensors"
    ).read_bytes()


@pytest.mark.parametrize(("stop", "epochs"), [(7, 3.0), (5, 1.25), (4, 1.0)])  # the last two after their last step
def test_an_interrupted_run_goes_on(
    stop: int, epochs: float, tiny: Path, table: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = table(examples(14))
    chosen = settings(epochs=epochs, save_every=2)
    publish, write = checkpoints.publish, MetricsLog.write

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    def write_or_stop(self: MetricsLog, line: dict[str, float]) -> None:
        write(self, line)
        if line["step"] == stop == 7:
            raise KeyboardInterrupt

    monkeypatch.setattr(MetricsLog, "write", write_or_stop)
    monkeypatch.setattr(checkpoints, "publish", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fit(tiny, rows, chosen, tmp_path / "out")
    monkeypatch.setattr(MetricsLog, "write", write)
    monkeypatch.setattr(checkpoints, "publish", publish)
    again = fit(tiny, rows, chosen, tmp_path / "out")
    whole = fit(tiny, rows, chosen, tmp_path / "whole")
    assert _without_speed(tmp_path / "out") == _without_speed(tmp_path / "whole")
    assert (again.steps, again.tokens, again.loss) == (whole.steps, whole.tokens, whole.loss)


def test_equal_trainings_leave_equal_adapters_wherever_they_run(tiny: Path, table: Write, tmp_path: Path) -> None:
    rows, left = table(examples(8)), []
    for machine in ("one", "other"):
        shutil.copytree(tiny, tmp_path / machine / "model")
        out = tmp_path / machine / "out"
        fit(tmp_path / machine / "model", rows, settings(), out, named="someone/tiny")
        left.append({path.name: path.read_bytes() for path in (out / "adapter").iterdir()})
    assert left[0] == left[1]
    config = json.loads(left[0]["adapter_config.json"])
    assert config["target_modules"] == sorted(config["target_modules"])  # a set, whose order differs by process
    assert len(config["target_modules"]) == 14
    assert config["base_model_name_or_path"] == "someone/tiny"


def test_another_run_does_not_go_on_from_these_checkpoints(tiny: Path, table: Write, tmp_path: Path) -> None:
    rows = table(examples(8))
    fit(tiny, rows, settings(), tmp_path)
    checkpoint = tmp_path / "checkpoints" / "checkpoint-1"
    checkpoint.mkdir(parents=True)
    (checkpoint / "complete.json").write_text("{}", encoding="utf-8")
    with pytest.raises(TrainingError, match="from a training with another learning_rate, seed"):
        fit(tiny, rows, settings(learning_rate=1e-3, seed=1), tmp_path)


def test_nothing_starts_without_trained_tokens(table: Write, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(TrainingError, match="no examples"):
        fit("nowhere", table([]), settings(), out)
    idle = Example((Segment("prompt", (1, 2), 0.0), Segment("reference", (3,)), Segment("rationale", (4, 5), 0.0)))
    with pytest.raises(TrainingError, match="No token is trained in the segment rationale"):
        fit("nowhere", table([idle]), settings(), out)
    assert not out.exists()


def test_examples_without_trained_tokens_are_refused(table: Write, tmp_path: Path) -> None:
    empty = Example((Segment("prompt", (1, 2, 3), 0.0),))
    unseen = Example((Segment("reference", (4,)), Segment("prompt", (1, 2), 0.0)))  # nothing predicts the first token
    with pytest.raises(TrainingError, match="2 of 5 examples"):
        fit("nowhere", table([*examples(3), empty, unseen]), settings(), tmp_path / "out")


def test_a_loss_that_is_not_a_number_ends_training(tiny: Path, table: Write, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"The loss of step \d is nan.*learning_rate, now \S+, or"):
        fit(tiny, table(examples(40)), settings(learning_rate=1e25, max_grad_norm=0), tmp_path / "out")


def test_checkpoints_are_kept_few(tiny: Path, table: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    seal = checkpoints.seal

    def watch(folder: Path) -> None:
        seal(folder)
        seen.append(sorted(path.name for path in folder.parent.iterdir()))

    monkeypatch.setattr(checkpoints, "seal", watch)
    fit(tiny, table(examples(20)), settings(save_every=1), tmp_path / "out")
    assert max(len(names) for names in seen) == 2
    assert seen[-1] == ["checkpoint-4", "checkpoint-5"]
    assert json.loads((tmp_path / "out" / "training.json").read_text())["examples"] == 20


SHARED = """
import sys
from pathlib import Path
from tests.training.training_kit import settings
from dragoman.prompts.examples import ExampleTable
from dragoman.training.trainer import fit

rows, replay = ExampleTable(Path({table!r})), ExampleTable(Path({replay!r}))
fit({tiny!r}, rows, settings(batch_tokens=80, save_every=2), Path({out!r}))
fit({tiny!r}, rows, settings(batch_tokens=80, **{kept!r}), Path({soft!r}), replay=replay)
fit({tiny!r}, rows, settings(batch_tokens=80, save_every=2, lora=None, learning_rate=1e-3), Path({whole!r}))
"""


KEPT = {"replay": {"share": 0.3, "weight": 2}, "segments": {"rationale": {"labels": "soft"}}}


def test_two_devices_give_the_losses_of_one(tiny: Path, table: Write, replay: ExampleTable, tmp_path: Path) -> None:
    rows = table(examples(13))  # the last step has one example for two devices
    fit(tiny, rows, settings(batch_tokens=80), tmp_path / "one")
    fit(tiny, rows, settings(batch_tokens=80, lora=None, learning_rate=1e-3), tmp_path / "all weights, one")
    fit(tiny, rows, settings(batch_tokens=80, **KEPT), tmp_path / "soft, one", replay=replay)
    script = tmp_path / "shared.py"
    places = {"tiny": tiny, "table": rows.folder, "replay": replay.folder, "out": tmp_path / "two"}
    places |= {"whole": tmp_path / "all weights, two", "soft": tmp_path / "soft, two"}
    named = {name: str(path) for name, path in places.items()}
    script.write_text(SHARED.format(**named, kept=KEPT), encoding="utf-8")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script)]
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
    }
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    for trained in ("", "all weights, ", "soft, "):
        lines, expected = metrics(tmp_path / f"{trained}two"), metrics(tmp_path / f"{trained}one")
        assert len(lines) == len(expected) == 4
        for key in ("loss", "grad_norm", "loss/reference", "term/end", "tokens"):
            assert [line[key] for line in lines] == pytest.approx([line[key] for line in expected], rel=1e-4), key


def test_a_checkpoint_whose_mark_is_damaged_is_not_gone_on_from(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(b"1234")
    mark = tmp_path / checkpoints.MARK
    mark.write_text('{"weights": 4}')
    assert checkpoints._is_whole(tmp_path)
    mark.write_text('{"weights": 4')
    assert not checkpoints._is_whole(tmp_path)
