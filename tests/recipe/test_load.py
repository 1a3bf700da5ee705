"""Faulty recipes and what is said about them, word by word."""

import re
from pathlib import Path

import pytest

from dragoman import suites
from dragoman.errors import RecipeError
from dragoman.methods import available
from dragoman.recipe.load import load
from dragoman.recipe.schema import Recipe

OPTIONS = {name: method.options for name, method in available().items()}
SEES = {name: method.sees for name, method in available().items()}
GOOD = """\
name: small
backbone: lab
data:
  train: {corpus: lab}
  test: {corpus: lab}
methods: [vanilla]
"""


def loaded(folder: Path, text: str | bytes, *overrides: str, **others: str) -> Recipe:
    for name, content in others.items():
        (folder / f"{name}.yaml").write_text(content, encoding="utf-8")
    path = folder / "recipe.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load(path, overrides, methods=OPTIONS, suites=suites, sees=SEES)


def said(folder: Path, text: str | bytes, *overrides: str, **others: str) -> list[str]:
    """The lines of the error, without the folder."""
    with pytest.raises(RecipeError) as caught:
        loaded(folder, text, *overrides, **others)
    return str(caught.value).replace(f"{folder}/", "").split("\n")


STORED = "training: {segments: {rationale: {labels: stored}}}\n"

ONE_FAULT: dict[str, tuple[str | bytes, str]] = {
    "instruction data that is not named": (
        GOOD.replace("[vanilla]", "[vanilla, multitask]"),
        "recipe.yaml:6: methods[1]: multitask mixes general instruction data in, and the recipe names none; write some "
        "under data, as in `instructions: [{corpus: alpaca, limit: 2000}]`",
    ),
    "the best weights without a dev set": (
        GOOD + "training:\n  keep: best\n",
        "recipe.yaml:8: training.keep: best are the weights with the lowest loss on a dev set, and the recipe has none; "
        "name one under data, as in `dev: {share: 0.02}`",
    ),
    "a row's best weights without a dev set": (
        GOOD.replace("[vanilla]", "\n  - vanilla:\n      training: {keep: best}"),
        "recipe.yaml:8: methods[0].vanilla.training.keep: best are the weights with the lowest loss on a dev set, and "
        "the recipe has none; name one under data, as in `dev: {share: 0.02}`",
    ),
    "unknown key": (
        GOOD + "training:\n  learning_rte: 1e-4\n",
        "recipe.yaml:8: training.learning_rte: no such key; did you mean 'learning_rate'?",
    ),
    "given up by nothing": (
        GOOD + "training: {give_up: 1.5}\n",
        "recipe.yaml:7: training.give_up: a training is given up by its loss on a dev set, and the recipe has none; name "
        "one under data, as in `dev: {share: 0.02}`",
    ),
    "validated on nothing": (
        GOOD + "training: {validate_every: 20}\n",
        "recipe.yaml:7: training.validate_every: a training is validated on a dev set, and the recipe has none; name one "
        "under data, as in `dev: {share: 0.02}`",
    ),
    "a budget that nothing is measured for": (
        GOOD.replace("[vanilla]", "\n  - radis\n  - vanilla:\n      training: {budget: {drift: 0.05}}"),
        "recipe.yaml:9: methods[1].vanilla.training.budget: drift is measured on general prompts, or on a dev set, and a "
        "row has neither; give it replay, as in `replay: {share: 0.1}` beside the budget, or name one under data, as in "
        "`dev: {share: 0.02}`",
    ),
    "a budget and no backbone left": (
        GOOD + "training: {lora: null, budget: {drift: 0.05}}\n",
        "recipe.yaml:7: training: has a budget for drift and trains all weights (lora: null), and no backbone is left to "
        "measure from. Train an adapter, or take the budget out",
    ),
    "a budget of nothing": (
        GOOD + "training: {budget: {drift: 0}}\n",
        "recipe.yaml:7: training.budget.drift: should be more than 0, not 0. The most drift, KL(backbone ‖ model) in "
        "nats a token: on general prompts, or on dev pairs where there is no replay.",
    ),
    "soft labels and no backbone left": (
        GOOD + "training: {lora: null, segments: {own: {labels: soft}, end: {weight: 2}}}\n",
        "recipe.yaml:7: training: has soft labels (segments: own) and trains all weights (lora: null): soft labels are "
        "what the backbone says while the adapter is off, and no backbone would be left to ask. Train an adapter, or "
        "take hard labels, or stored ones where the backbone wrote",
    ),
    "a row that trains all weights under soft labels": (
        GOOD.replace("[vanilla]", "\n  - radis\n  - vanilla:\n      training: {lora: null}")
        + "training: {segments: {rationale: {labels: soft}}}\n",
        "recipe.yaml:9: methods[1].vanilla.training: has soft labels (segments: rationale) and trains all weights "
        "(lora: null): soft labels are what the backbone says while the adapter is off, and no backbone would be left "
        "to ask. Train an adapter, or take hard labels, or stored ones where the backbone wrote",
    ),
    "a recovery and no backbone left": (
        GOOD + "training: {lora: null, recovery: {}}\n",
        "recipe.yaml:7: training: has a recovery and trains all weights (lora: null), and no backbone is left to recover "
        "towards. Train an adapter, or take the recovery out",
    ),
    "a recovery in unequal parts": (
        GOOD + "training: {recovery: {steps: 50}}\n",
        "recipe.yaml:7: training.recovery: has 50 steps, which 3 rounds do not divide into equal parts; take 3 rounds of "
        "16 steps each, say",
    ),
    "a recovery that is long": (
        GOOD + "training: {recovery: {steps: 300}}\n",
        "recipe.yaml:7: training.recovery.steps: should be at most 100, not 300. Optimizer steps in all.",
    ),
    "labels of no kind": (
        GOOD + "training:\n  segments:\n    rationale: {labels: mild}\n",
        "recipe.yaml:9: training.segments.rationale.labels: 'mild' is not one of 'hard', 'soft' or 'stored'. `hard` "
        "learns the token that is written there, `soft` the backbone's distribution over the whole vocabulary, `stored` "
        "what was kept of it when the backbone wrote the tokens (`keep_logprobs`).",
    ),
    "stored labels of what the backbone did not write": (
        GOOD + "training: {segments: {own: {labels: stored}, reference: {labels: stored}, replay: {labels: stored}}}\n",
        "recipe.yaml:7: training: has stored labels (segments: own, reference): log-probabilities are kept of what the "
        "backbone writes, rationale and replay. Take other labels there",
    ),
    "stored labels and nothing kept": (
        GOOD.replace("[vanilla]", "\n  - vanilla\n  - radis:\n      rationale: {max_tokens: 9}") + STORED,
        "recipe.yaml:9: methods[1].radis.rationale: labels are `stored`, and no log-probabilities are kept; write "
        "`keep_logprobs: 20`",
    ),
    "stored labels and nothing kept of replay": (
        GOOD.replace("methods", "  replay: {prompts: [{own: 9}]}\nmethods")
        + "training: {replay: {}, segments: {replay: {labels: stored}}}\n",
        "recipe.yaml:6: data.replay: labels are `stored`, and no log-probabilities are kept; write `keep_logprobs: 20` "
        "beside the prompts",
    ),
    "stored labels of another model": (
        GOOD.replace("[vanilla]", "\n  - radis: {rationale: {keep_logprobs: 9, model: other}}") + STORED,
        "recipe.yaml:7: methods[0].radis.rationale: labels are `stored`, and those of other would be kept, not the "
        "backbone's; leave `model` out, or take hard labels",
    ),
    "stored labels of a model that has moved": (
        GOOD.replace("[vanilla]", "\n  - radis: {rationale: {keep_logprobs: 9}, refresh: true}") + STORED,
        "recipe.yaml:7: methods[0].radis.rationale: labels are `stored`, and later they are those of the model in "
        "training; leave `refresh` out, or take soft or hard labels",
    ),
    "stored labels of a server's sampling": (
        GOOD.replace("[vanilla]", "\n  - radis:\n      rationale: {keep_logprobs: 9}")
        + "generation: {engine: openai}\n"
        + STORED,
        "recipe.yaml:8: methods[0].radis.rationale: labels are `stored`, and a server does not say whether it gives them "
        "as before temperature and top_p; set `temperature: 1` and leave `top_p` out, or take another engine",
    ),
    "a gate on soft labels": (
        GOOD + "training: {segments: {rationale: {labels: soft, gate: eaft}}}\n",
        "recipe.yaml:7: training.segments.rationale: has the gate eaft and soft labels: a gate is about the token that "
        "is written there. Take one of them out",
    ),
    "a degree of no gate": (
        GOOD + "training: {segments: {reference: {degree: 2}}}\n",
        "recipe.yaml:7: training.segments.reference: has a degree and no gate that it is of; name one of stm, eaft, "
        "mask_target",
    ),
    "a gate on an end": (
        GOOD + "training: {segments: {end: {gate: stm}, replay: {gate: eaft}}}\n",
        "recipe.yaml:7: training: has a gate on replay, end: an end is always learnt, and prompts and replay hold no "
        "written answer of the task. Gate reference, rationale, own or answer",
    ),
    "a gate and no backbone left": (
        GOOD + "training: {lora: null, segments: {reference: {gate: mask_target}}}\n",
        "recipe.yaml:7: training: has the gate mask_target (segments: reference) and trains all weights (lora: null): "
        "it asks the backbone at every step, which would not be left. Train an adapter, or take another gate",
    ),
    "all of a step replay": (
        GOOD + "training: {replay: {share: 1}}\n",
        "recipe.yaml:7: training.replay.share: should be less than 1, not 1. About such a share of the tokens of a step "
        "are replay.",
    ),
    "prompts that no row learns": (
        GOOD.replace("methods", "  replay: {prompts: [{own: 9}]}\nmethods"),
        "recipe.yaml:6: data.replay: no row takes these prompts; write `replay: {share: 0.1}` under training (the "
        "recipe's, or a row's), or take them out",
    ),
    "prompts of two origins": (
        GOOD.replace("methods", "  replay:\n    prompts:\n      - {own: 9, file: a.txt}\nmethods"),
        "recipe.yaml:8: data.replay.prompts[0]: needs one of these: a corpus of the catalogue, a file, or own (how many "
        "of the model's own)",
    ),
    "own prompts with a limit": (
        GOOD.replace("methods", "  replay:\n    prompts:\n      - {own: 9, limit: 3}\nmethods"),
        "recipe.yaml:8: data.replay.prompts[0]: draws the model's own prompts: they have no kinds, and `own` says how "
        "many; take out what else is said",
    ),
    "replay without prompts": (
        GOOD.replace("methods", "  replay: {prompts: []}\nmethods") + "training: {replay: {}}\n",
        "recipe.yaml:6: data.replay: names no prompts; give a corpus, a file or own, as in `[{corpus: requests}]`",
    ),
    "unknown key of a row's training": (
        GOOD.replace("[vanilla]", "\n  - vanilla:\n      training:\n        lora: {rnk: 8}"),
        "recipe.yaml:9: methods[0].vanilla.training.lora.rnk: no such key; did you mean 'rank'?",
    ),
    "a row's training that cannot be": (
        GOOD.replace("[vanilla]", "\n  - vanilla:\n      training: {schedule: sine}"),
        "recipe.yaml:8: methods[0].vanilla.training.schedule: 'sine' is not one of 'cosine', 'linear', 'inverse_sqrt' or "
        "'constant'. How the rate falls after warm-up; `inverse_sqrt` with the root of the steps, measured in those of "
        "the warm-up (10,000 without one).",
    ),
    "a row's training that is no mapping": (
        GOOD.replace("[vanilla]", "[vanilla: {training: 3}]"),
        "recipe.yaml:6: methods[0].vanilla.training: should be a mapping of keys to values, not 3. Training settings "
        "of this row alone, as in `{learning_rate: 3e-4, lora: {rank: 64}}`.",
    ),
    "unknown key unlike any": (
        GOOD + "generation: {zzz: 1}\n",
        "recipe.yaml:7: generation.zzz: no such key; there are: batch_tokens, cache, engine, openai, precision, ray, shard, tolerate, vllm",
    ),
    "unknown key at the top": (
        GOOD + "extend: a.yaml\n",
        "recipe.yaml:7: extend: no such key; did you mean 'extends'?",
    ),
    "no end of passes": (
        GOOD + "training:\n  epochs: .inf\n",
        "recipe.yaml:8: training.epochs: should be a finite number, not inf. Passes over the examples.",
    ),
    "number out of range": (
        GOOD + "training:\n  batch_size: 8\n  epochs: 0\n",
        "recipe.yaml:9: training.epochs: should be more than 0, not 0. Passes over the examples.",
    ),
    "text for a number": (
        GOOD + "training: {batch_size: many}\n",
        "recipe.yaml:7: training.batch_size: should be a whole number, not 'many'. Examples in one optimizer step, over "
        "all devices and accumulated micro-batches.",
    ),
    "another word": (
        GOOD + "training: {precision: fp16}\n",
        "recipe.yaml:7: training.precision: 'fp16' is not one of 'auto', 'bf16' or 'fp32'. Of the forward and backward "
        "pass; `auto` takes bf16 where the processor has it.",
    ),
    "word for a list": (
        GOOD + "evaluate: translation\n",
        "recipe.yaml:7: evaluate: should be a list such as [a, b], not 'translation'. Suites to judge with: "
        "`translation`, `humaneval`, `mt-bench`, `alpaca-eval-2`, `safety`, tasks of lm-evaluation-harness (`gsm8k`, `ifeval`, `harness:NAME`), benchmarks in a language (`xquad-de`), the lab's, files of questions.",
    ),
    "empty section": (
        GOOD + "training:\n",
        "recipe.yaml:7: training: should be a mapping of keys to values, not empty. How a model is fitted to the examples.",
    ),
    "missing field": (
        GOOD.replace("backbone: lab\n", ""),
        "recipe.yaml:1: backbone: is missing. A directory, a name on the Hugging Face hub or of `dragoman models list`, or `lab`.",
    ),
    "missing field below": (
        GOOD.replace("  test: {corpus: lab}\n", ""),
        "recipe.yaml:1: judges translation, but data.test names no pairs; give it some, or take the suite out",
    ),
    "name for no folder": (
        GOOD.replace("small", "../up"),
        "recipe.yaml:1: name: '../up' will name a folder: use letters from a to z, digits and . _ - =",
    ),
    "not a direction": (
        GOOD.replace("test: {corpus: lab}", "test: {corpus: lab, directions: [de-en, deen]}"),
        "recipe.yaml:5: data.test.directions[1]: 'deen' is not a direction; write source and target language as in de-en",
    ),
    "direction onto itself": (
        GOOD.replace("test: {corpus: lab}", "test: {corpus: lab, directions: [de-de]}"),
        "recipe.yaml:5: data.test.directions[0]: 'de-de' has the same language on both sides",
    ),
    "the same direction twice": (
        GOOD.replace("test: {corpus: lab}", "test: {corpus: lab, directions: [de-en, en-de, de-en]}"),
        "recipe.yaml:5: data.test.directions: names 'de-en' twice; once is enough",
    ),
    "judged by nothing": (
        GOOD + "evaluate: []\n",
        "recipe.yaml:7: evaluate: is empty; give at least 1. Suites to judge with: "
        "`translation`, `humaneval`, `mt-bench`, `alpaca-eval-2`, `safety`, tasks of lm-evaluation-harness (`gsm8k`, `ifeval`, `harness:NAME`), benchmarks in a language (`xquad-de`), the lab's, files of questions.",
    ),
    "corpus and files": (
        GOOD.replace("test: {corpus: lab}", "test: {corpus: lab, files: [{table: a.tsv, direction: de-en}]}"),
        "recipe.yaml:5: data.test: has a corpus and also files; keep one (`corpus: null` drops an inherited one)",
    ),
    "neither corpus nor files": (
        GOOD.replace("test: {corpus: lab}", "test: {limit: 3}"),
        "recipe.yaml:5: data.test: names no pairs; give a corpus of the catalogue, or files",
    ),
    "half a pair of files": (
        GOOD.replace("test: {corpus: lab}", "test:\n    files:\n      - {source: a.de, direction: de-en}"),
        "recipe.yaml:7: data.test.files[0]: needs both source and target, or one table",
    ),
    "table and files": (
        GOOD.replace(
            "test: {corpus: lab}", "test:\n    files:\n      - {table: a.tsv, target: a.en, direction: de-en}"
        ),
        "recipe.yaml:7: data.test.files[0]: has a table and also source or target; give the table alone, or the two files",
    ),
    "direction that the files lack": (
        GOOD.replace("test: {corpus: lab}", "test: {files: [{table: a.tsv, direction: de-en}], directions: [en-de]}"),
        "recipe.yaml:5: data.test: asks for en-de, but the files have de-en",
    ),
    "misspelt method": (
        GOOD.replace("[vanilla]", "\n  - radi"),
        "recipe.yaml:7: methods[0]: no method 'radi'; did you mean 'radis'?",
    ),
    "misspelt option": (
        GOOD.replace("[vanilla]", "\n  - vanilla\n  - radis:\n      rationale:\n        max_token: 3"),
        "recipe.yaml:10: methods[1].radis.rationale.max_token: no such key; did you mean 'max_tokens'?",
    ),
    "option out of range": (
        GOOD.replace("[vanilla]", "\n  - radis:\n      rationale_fraction: 1.5"),
        "recipe.yaml:8: methods[0].radis.rationale_fraction: should be at most 1, not 1.5. Share of the examples that "
        "carry a rationale; the others are plain references.",
    ),
    "two methods in one entry": (
        GOOD.replace("[vanilla]", "\n  - vanilla:\n    radis:"),
        "recipe.yaml:7: methods[0]: should be one method: a name, or a name with its options, each after its own dash",
    ),
    "no method": (
        GOOD.replace("[vanilla]", "[]"),
        "recipe.yaml:1: has something to learn from, but no methods; name some, as in `methods: [vanilla, radis]`, or "
        "take it out of data: then the backbone is judged as it is",
    ),
    "the same method twice": (
        GOOD.replace("[vanilla]", "\n  - radis\n  - vanilla\n  - radis: {rationale_fraction: 0.5}"),
        "recipe.yaml:9: methods[2]: 'radis' is already the method at recipe.yaml:7; give this one a label, as in `radis: "
        "{label: radis-2}`",
    ),
    "a label that is taken": (
        GOOD.replace("[vanilla]", "\n  - vanilla: {label: backbone}"),
        "recipe.yaml:7: methods[0]: 'backbone' is the name of the backbone's own row; give this one a label, as in "
        "`vanilla: {label: vanilla-2}`",
    ),
    "options that are none": (
        GOOD.replace("[vanilla]", "[vanilla: b]"),
        "recipe.yaml:6: methods[0].vanilla: should be a mapping of keys to values, not 'b'",
    ),
    "a label for no folder": (
        GOOD.replace("[vanilla]", "\n  - vanilla: {label: a/b}"),
        "recipe.yaml:7: methods[0].vanilla.label: 'a/b' will name a folder: use letters from a to z, digits and . _ - =",
    ),
    "misspelt suite": (
        GOOD + "evaluate:\n  - translatio\n  - mine.jsonl\n",
        "recipe.yaml:8: evaluate[0]: no suite 'translatio'; did you mean 'translation'? (a file of questions ends in .jsonl)",
    ),
    "said twice": (GOOD + "name: b\n", "recipe.yaml:7: name: is said twice (first on line 1); keep one"),
    "contains itself": (
        GOOD + "training: &here\n  lora: *here\n",
        "recipe.yaml:8: training.lora: contains itself; write the values out",
    ),
    "a task without a name": (
        GOOD + "evaluate: ['harness:']\nbenchmarks: {harness-own: {kind: xquad}}\n",
        "recipe.yaml:7: evaluate[0]: no suite 'harness:'; did you mean 'harness-own'? (a file of questions ends in .jsonl)",
    ),
    "an empty kind of benchmark": (
        GOOD + "benchmarks:\n  x: {kind: null}\n",
        "recipe.yaml:8: benchmarks.x.kind: empty is no kind of benchmark; there are: alpaca-eval, alpaca-eval-2, bbh, drift, mlqa, "
        "mmlu, mt-bench, pairwise, probes, probes-b, safety, xquad, xstest",
    ),
    "a judge where none is asked": (
        GOOD + "benchmarks:\n  x: {kind: xquad, judge: {model: lab}}\n",
        "recipe.yaml:8: benchmarks.x.judge: is a field of alpaca-eval, alpaca-eval-2, mt-bench, pairwise, safety; xquad "
        "has none",
    ),
    "an annotator of another benchmark": (
        GOOD + "benchmarks:\n  x: {kind: mt-bench, annotator: alpaca_eval_gpt4}\n",
        "recipe.yaml:8: benchmarks.x.annotator: is a field of alpaca-eval, alpaca-eval-2; mt-bench has none",
    ),
    "a judge for one suite and none for the other": (
        GOOD + "evaluate: [a, b]\nbenchmarks:\n  a: {kind: mt-bench, judge: {model: lab}}\n  b: {kind: pairwise}\n",
        "recipe.yaml:1: asks for pairwise, which another model judges; name it, as in `evaluation: {judge: {model: …}}` "
        "(evaluation.judge.model=… on the command line)",
    ),
    "a tag": (
        GOOD.replace("small", "!!python/name:os.system x"),
        "recipe.yaml:1: name: has the tag !!python/name:os.system; recipes have no tags, write the value alone",
    ),
    "open bracket": (
        "name: a\nmethods: [vanilla\nbackbone: lab\n",
        "recipe.yaml:3: not YAML: while parsing a flow sequence, expected ',' or ']', but got ':'; check indentation, "
        "colons and brackets",
    ),
    "tab": (
        "name: a\ntraining:\n\tepochs: 1\n",
        "recipe.yaml:3: not YAML: while scanning for the next token, found character '\\t' that cannot start any token; "
        "indent with spaces",
    ),
    "a list": ("- a\n", "recipe.yaml:1: holds no mapping; a recipe is made of lines such as `name: my-recipe`"),
    "nothing": ("# later\n", "recipe.yaml:1: is empty; a recipe is made of lines such as `name: my-recipe`"),
    "not UTF-8": (b"name: a\nsystem: \xfcber\n", "recipe.yaml:2: is not UTF-8; save the file as UTF-8"),
}


@pytest.mark.parametrize("case", ONE_FAULT)
def test_one_fault(case: str, tmp_path: Path) -> None:
    text, message = ONE_FAULT[case]
    assert said(tmp_path, text) == [message]


def test_all_faults_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = """\
name: a b
backbone: lab
data:
  train: {corpus: lab, direction: [de-en]}
  test: {files: [{source: a.de, direction: de-en}]}
methods: [radis: {rationale: {max_tokens: 0}}, vanila]
training:
  epochs: -1
  epochs: 2
evaluate: [labs]
"""
    assert [line.split(";")[0].split(". ")[0] for line in said(tmp_path, text, "training.warmup=2", "runs")] == [
        "recipe.yaml:1: name: 'a b' will name a folder: use letters from a to z, digits and ",
        "recipe.yaml:4: data.train.direction: no such key",
        "recipe.yaml:5: data.test.files[0]: needs both source and target, or one table",
        "recipe.yaml:6: methods[0].radis.rationale.max_tokens: should be at least 1, not 0",
        "recipe.yaml:6: methods[1]: no method 'vanila'",
        "recipe.yaml:8: training.epochs: should be more than 0, not -1",
        "recipe.yaml:9: training.epochs: is said twice (first on line 8)",
        "recipe.yaml:10: evaluate[0]: no suite 'labs'",
        "command line: 'runs' should look like training.epochs=1",
        "command line: training.warmup: should be at most 1, not 2",
    ]


def test_aliases_that_multiply(tmp_path: Path) -> None:
    levels = [f"  a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    text = "\n".join([GOOD, "training:", "  a0: &a0 [x, x]", *levels, ""])
    (fault,) = said(tmp_path, text)
    assert re.fullmatch(r"recipe\.yaml:\d+: holds more than 100,000 values, with what aliases .*", fault)
    assert "is not a YAML value" in said(tmp_path, GOOD, "system=[&a [x], " + "*a, " * 50_000 + "]")[0]


def test_brackets_without_end(tmp_path: Path) -> None:
    for depth in (60, 400, 5000):
        text = GOOD + "training: " + "[" * depth + "]" * depth + "\n"
        (fault,) = said(tmp_path, text)
        assert "more than 50 of them; no recipe needs that" in fault
        assert "is not a YAML value" in said(tmp_path, GOOD, "training=" + "[" * depth + "]" * depth)[0]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('system: "\\ud83d"', r"recipe.yaml:\d+: system: has half a character in it \(\\ud83d\); take it out"),
        ('runs: "a\\0b"', r"recipe.yaml:\d+: runs: has the character NUL in it \(\\x00\); take it out"),
        ('"\\ud83d": 1', r"recipe.yaml:\d+: has the key '\\ud83d', which no key can be"),
        (
            f"seeds: [{'9' * 5000}]",
            r"recipe.yaml:\d+: seeds\[0\]: is a number of 5,000 digits; where it is meant as .*",
        ),
        (f"seeds: [{'9' * 19}]", r"recipe.yaml:\d+: seeds\[0\]: is a number of 19 digits; where it is meant as .*"),
        (f"seeds: {'x' * 5000}", r".{,400}"),
    ],
)
def test_values_that_no_recipe_can_have(line: str, told: str, tmp_path: Path) -> None:
    found = said(tmp_path, f"{GOOD}{line}\n")
    assert re.fullmatch(told, found[0]), found


def test_a_recipe_of_a_gigabyte(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(RecipeError, match=r"recipe\.yaml: is larger than 16 MiB, so it is no recipe$"):
        load(path, methods=OPTIONS, suites=suites)


def test_a_sweep_without_end(tmp_path: Path) -> None:
    options = ("label", "rationale_fraction", "refresh", "a", "b", "c")
    axes = ", ".join(f"method.radis.{option}: [{', '.join(map(str, range(30)))}]" for option in options)
    text = GOOD.replace("[vanilla]", "[radis]") + f"sweep: {{{axes}}}\n"
    assert "sweep: would make 729,000,000 rows of one; at most 1,000 can be compared" in said(tmp_path, text)[0]


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"nowhere\.yaml: there is no such file$"):
        load(tmp_path / "nowhere.yaml", methods=OPTIONS, suites=suites)
    with pytest.raises(RecipeError, match=r"^nowhere\.yaml: there is no such file \(paths count from the folder you"):
        load(Path("nowhere.yaml"), methods=OPTIONS, suites=suites)
    with pytest.raises(RecipeError, match=r"is a folder, not a recipe; check the path$"):
        load(tmp_path, methods=OPTIONS, suites=suites)


def test_plain_words_mean_what_they_look_like(tmp_path: Path) -> None:
    recipe = loaded(
        tmp_path, GOOD + "system: no\ntraining: {learning_rate: 1e-4, packing: on, save_every: ~, report_to: ['1']}\n"
    )
    assert recipe.system == "no"
    assert recipe.training.learning_rate == 1e-4
    assert recipe.training.packing == "on"
    assert recipe.training.save_every is None
    assert recipe.training.report_to == ("1",)


def test_methods_come_with_all_their_options(tmp_path: Path) -> None:
    text = GOOD.replace("[vanilla]", "\n  - vanilla\n  - radis:\n  - radis: {label: half, rationale_fraction: 0.5}")
    vanilla, plain, half = loaded(tmp_path, text).methods
    assert vanilla == {"vanilla": OPTIONS["vanilla"]().model_dump(mode="json")}
    assert plain == {"radis": OPTIONS["radis"]().model_dump(mode="json")}
    assert half == {"radis": plain["radis"] | {"label": "half", "rationale_fraction": 0.5}}


def test_overrides(tmp_path: Path) -> None:
    overrides = (
        "training.epochs=1",
        "training.lora.targets=[q_proj, v_proj]",
        "methods.1.radis.rationale.max_tokens=7",
        "name=x=y!",
        "system='on'",
    )
    with pytest.raises(RecipeError, match=r"^command line: name: 'x=y!' will name a folder"):
        loaded(tmp_path, GOOD.replace("[vanilla]", "[vanilla, radis]"), *overrides)
    recipe = loaded(tmp_path, GOOD.replace("[vanilla]", "[vanilla, radis]"), *overrides, "name=last-wins")
    assert recipe.name == "last-wins"
    assert recipe.training.epochs == 1
    assert recipe.training.lora.targets == ("q_proj", "v_proj")
    assert recipe.methods[1]["radis"]["rationale"]["max_tokens"] == 7
    assert recipe.system == "on"
    assert [next(iter(method)) for method in loaded(tmp_path, GOOD, "methods=[radis]").methods] == ["radis"]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.epoch=1", "command line: training.epoch: no such key; did you mean 'epochs'?"),
        ("methods=[vanilla, radi]", "command line: methods[1]: no method 'radi'; did you mean 'radis'?"),
        ("methods.3=radis", "command line: methods[3]: methods has no entry 3; they count from 0"),
        ("training.epochs", "command line: 'training.epochs' should look like training.epochs=1"),
        ("evaluate=[lab", "command line: evaluate: '[lab' is not a YAML value; put it in quotes"),
        ("nothing.there=1", "command line: nothing: no such key; there are: "),
        ("extends=a.yaml", "command line: extends: belongs in a recipe's file; write one that extends the other"),
        ("methods.².radis=1", "command line: methods.².radis: methods is a list; say which entry, as in 0"),
        ("system=!!python/name:os.system x", "command line: system: '!!python/name:os.system x' is not a YAML value"),
        ("data.train.files.0.table=a", "command line: data.train.files[0].table: data.train.files has no entry 0; "),
    ],
)
def test_faulty_overrides(override: str, message: str, tmp_path: Path) -> None:
    assert said(tmp_path, GOOD, override)[0].startswith(message)


def test_extends_merges_mappings_and_replaces_lists(tmp_path: Path) -> None:
    base = GOOD.replace("[vanilla]", "[vanilla, radis]") + "training: {epochs: 5, lora: {rank: 4, dropout: 0.1}}\n"
    child = "extends: base.yaml\nname: child\nmethods: [radis]\ntraining: {lora: {rank: 8}}\n"
    recipe = loaded(tmp_path, child, "training.lora.dropout=0.2", base=base)
    assert (recipe.name, recipe.backbone) == ("child", "lab")
    assert [next(iter(method)) for method in recipe.methods] == ["radis"]
    assert (recipe.training.epochs, recipe.training.lora.rank, recipe.training.lora.dropout) == (5, 8, 0.2)


def test_extends_counts_from_the_recipe_that_says_it(tmp_path: Path) -> None:
    below = tmp_path / "below"
    below.mkdir()
    (below / "middle.yaml").write_text("extends: ../base.yaml\nname: middle\n", encoding="utf-8")
    recipe = loaded(tmp_path, "extends: below/middle.yaml\nbackbone: other/model\n", base=GOOD)
    assert (recipe.name, recipe.backbone) == ("middle", "other/model")


def test_each_fault_names_the_file_that_said_it(tmp_path: Path) -> None:
    base = GOOD + "training:\n  epochs: 0\n  batch_size: 0\n"
    child = "extends: base.yaml\ntraining:\n  batch_size: -8\n  wramup: 0\n"
    assert [line.split(";")[0].split(". ")[0] for line in said(tmp_path, child, base=base)] == [
        "base.yaml:8: training.epochs: should be more than 0, not 0",
        "recipe.yaml:3: training.batch_size: should be at least 1, not -8",
        "recipe.yaml:4: training.wramup: no such key",
    ]


def test_extends_that_leads_nowhere(tmp_path: Path) -> None:
    assert said(tmp_path, "extends: base.yaml\n", base="name: a\nextends: recipe.yaml\n")[0] == (
        "base.yaml:2: extends: recipe.yaml extends this recipe in turn; take one of the two out"
    )
    assert said(tmp_path, "extends: gone.yaml\n")[0] == (
        "recipe.yaml:1: extends: there is no file gone.yaml; the path counts from this recipe"
    )
    assert said(tmp_path, GOOD + "extends: [a, b]\n") == ["recipe.yaml:7: extends: should be the path of one recipe"]


def test_a_suite_s_own_judge_is_all_that_it_needs(tmp_path: Path) -> None:
    own = "benchmarks:\n  a: {kind: mt-bench, judge: {model: lab}}\n  b: {kind: safety, judge: {model: other/guard}}\n"
    found = loaded(tmp_path, GOOD + "evaluate: [a, b]\n" + own)
    assert {name: judge.model for name, judge in suites.judges(found).items()} == {
        "benchmarks.a.judge": "lab",
        "benchmarks.b.judge": "other/guard",
    }
    assert tuple(suite.who for suite in suites.of(found)) == (
        ("judge", "benchmarks.a.judge"),
        ("guard", "benchmarks.b.judge"),
    )


def test_a_revision_is_one_of_the_model_beside_it(tmp_path: Path) -> None:
    base = GOOD.replace("backbone: lab", "backbone: a/b\nrevision: abc") + (
        "evaluate: [a]\nbenchmarks: {a: {kind: mt-bench, limit: 3}}\nevaluation: {judge: {model: c/d, revision: def}}\n"
    )
    kept = loaded(tmp_path, "extends: base.yaml\nname: x\n", base=base)
    assert (kept.revision, kept.evaluation.judge.revision) == ("abc", "def")
    same = loaded(tmp_path, "extends: base.yaml\nbackbone: a/b\n", base=base)
    assert same.revision == "abc"
    other = loaded(tmp_path, "extends: base.yaml\nbackbone: e/f\nevaluation: {judge: {model: g/h}}\n", base=base)
    assert (other.revision, other.evaluation.judge.revision) == (None, None)
    own = loaded(tmp_path, "extends: base.yaml\nbackbone: e/f\nrevision: ghi\n", base=base)
    assert (own.revision, own.evaluation.judge.revision) == ("ghi", "def")
    said = loaded(tmp_path, base, "backbone=e/f", "evaluation.judge.model=g/h", "evaluation.judge.revision=jkl")
    assert (said.revision, said.evaluation.judge.revision) == (None, "jkl")


def test_replay_asks_what_comes_with_dragoman_unless_the_recipe_says(tmp_path: Path) -> None:
    def asks(text: str) -> list[tuple[str | None, int | None]]:
        replay = loaded(tmp_path, text).data.replay
        return [(one.corpus, one.own) for one in replay.prompts] if replay else []

    takes = GOOD + "training: {replay: {share: 0.2}}\n"
    assert asks(GOOD + "training: {recovery: {steps: 30}}\n") == asks(takes)
    assert asks(GOOD) == []
    assert asks(takes) == [("lab-requests", None), (None, 1000)]
    assert asks(takes.replace("backbone: lab", "backbone: smollm2-135m-instruct")) == [("requests", None)]
    assert asks(takes.replace("methods", "  replay: {prompts: [{own: 9}]}\nmethods")) == [(None, 9)]


def test_stored_labels_take_any_sampling_of_our_own_engines_and_a_server_s_at_temperature_1(tmp_path: Path) -> None:
    drawn = "radis: {rationale: {keep_logprobs: 9, temperature: %s, top_p: %s}}"
    sampled = GOOD.replace("[vanilla]", f"[vanilla, {drawn % (0.7, 0.9)}]") + STORED
    assert loaded(tmp_path, sampled).training.segments["rationale"].labels == "stored"
    served = GOOD.replace("[vanilla]", f"[{drawn % (1, 1)}]") + "generation: {engine: openai}\n" + STORED
    replay = "{prompts: [{own: 9}], keep_logprobs: 20}"
    both = ["training.segments.replay={labels: stored}", "training.replay={share: 0.1}", f"data.replay={replay}"]
    assert loaded(tmp_path, served, *both).data.replay is not None
    found = said(tmp_path, served, *both, "data.replay.temperature=0.5")
    assert len(found) == 1
    assert "data.replay: labels are `stored`, and a server does not say" in found[0]


def test_keep_brings_replay_of_soft_labels_below_what_its_row_says(tmp_path: Path) -> None:
    text = GOOD.replace("[vanilla]", "[keep: {training: {replay: {share: 0.3}, learning_rate: 1e-3}}]")
    recipe = loaded(tmp_path, text)
    own = recipe.methods[0]["keep"]["training"]
    assert own == {
        "replay": {"share": 0.3, "weight": 0.3},
        "segments": {"replay": {"labels": "soft"}},
        "learning_rate": 1e-3,
    }
    assert recipe.data.replay is not None
