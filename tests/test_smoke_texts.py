"""ALMA's first two stages in small: plain text in mixtures, all weights, then pairs, on two layers of random weights.

All but the weights and sizes is as it would be: LLaMA's vocabulary, real text in five languages from compressed files
of several kinds and from ALMA's pairs, blocks across documents, the recipe by the command line.
"""

import gzip
import json
import lzma
from collections import Counter
from pathlib import Path

import pytest

from tests.smoke_kit import Ran, backbone, run
from tests.tiny_models import llama

CODES = {"en": "eng_Latn", "de": "deu_Latn", "cs": "ces_Latn", "ru": "rus_Cyrl", "zh": "zho_Hans"}
SHARES = {"en": 0.2, "de": 0.2, "cs": 0.15, "ru": 0.2, "zh": 0.15}
BLOCK = 128
CHUNK = 1024

RECIPE = """\
name: alma-small
chat: alpaca
data:
  train: {{corpus: alma-human, directions: [de-en, en-de], limit: 20}}
  texts:
{texts}
    - {{pairs: train, share: 0.1}}
  mixture: {{stop: all, documents: 1200}}
methods:
  - pretrain: {{across: true, block: {block}, max_tokens: 64, training: {{lora: null, keep: best}}}}
  - vanilla: {{after: pretrain}}
training: {{epochs: 1, batch_size: 64, precision: fp32}}
generation: {{engine: hf}}
evaluate: [{questions}]
evaluation: {{max_tokens: 4, bootstrap: 20, noise_seeds: 0}}
"""


@pytest.fixture(scope="module")
def ran(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The recipe, run once by the command line."""
    tokenizer = real_data / "tokenizers" / "llama-7b"
    for needed in (tokenizer, real_data / "flores200" / "devtest", real_data / "alma"):
        if not needed.is_dir():
            pytest.skip(f"there is no {needed}")
    folder = tmp_path_factory.mktemp("alma")
    entries = []
    for language, code in CODES.items():
        lines = (real_data / "flores200" / "devtest" / f"{code}.devtest").read_text(encoding="utf-8").splitlines()
        path = folder / language
        if language == "de":
            path = path.with_suffix(".jsonl.xz")
            records = "".join(json.dumps({"content": line}, ensure_ascii=False) + "\n" for line in lines)
            path.write_bytes(lzma.compress(records.encode()))
        elif language == "cs":
            path.mkdir()
            (path / "1.txt").write_text("\n".join(lines[:500]), encoding="utf-8")
            (path / "2.txt.gz").write_bytes(gzip.compress("\n".join(lines[500:]).encode()))
        else:
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        field = ", field: content, dev: 0.1" if language == "de" else ""
        entries.append(f"    - {{file: {path}, language: {language}, share: {SHARES[language]}{field}}}")
    questions = folder / "own.jsonl"
    questions.write_text(json.dumps({"prompt": "What is two and two?", "answer": "4"}) + "\n")
    path = folder / "recipe.yaml"
    path.write_text(RECIPE.format(texts="\n".join(entries), block=BLOCK, questions=questions), encoding="utf-8")
    special = {"bos_token_id": 1, "eos_token_id": 2}
    model = llama(32000, num_key_value_heads=4, max_position_embeddings=512, **special)
    overrides = [f"backbone={backbone(folder / 'backbone', tokenizer, model)}"]
    return run(path, overrides, folder / "runs", tokenizer, {"DRAGOMAN_MIRROR": str(real_data)})


@pytest.mark.slow
def test_the_mixture_has_the_shares_that_were_wanted(ran: Ran) -> None:
    facts, texts = ran.facts("data"), ran.lines("texts.jsonl")
    assert len(texts) == sum(facts["texts"].values()) == 1200
    counts = Counter(text["language"] for text in texts)
    assert facts["texts_again"].keys() == {"alma-human de-en", "alma-human en-de"}
    for language, share in SHARES.items():
        assert counts[language] / 1200 == pytest.approx(share, abs=0.04)
    assert {text["language"] for text in ran.lines("dev-texts.jsonl")} == {"de"}
    assert any(text["text"].startswith("German: ") and "\nEnglish: " in text["text"] for text in texts)


@pytest.mark.slow
def test_blocks_are_the_documents_end_to_end_token_by_token(ran: Ran) -> None:
    texts = ran.lines("texts.jsonl")
    expected: list[list[int]] = []
    left = cut = 0
    for start in range(0, len(texts), CHUNK):
        line: list[int] = []
        for text in texts[start : start + CHUNK]:
            ids = ran.tokenizer(text["text"])["input_ids"]  # which begins with <s>
            assert ids[0] == 1
            cut += len(ids) > 64
            line += [*ids[:64], 2]
        expected += [line[at : at + BLOCK] for at in range(0, len(line) - BLOCK + 1, BLOCK)]
        left += len(line) % BLOCK
    found = [[token for part in segments for token in part.ids] for _, segments in ran.examples("pretrain")]
    assert found == expected
    notes = ran.facts("examples-pretrain")["notes"]
    assert notes["documents cut at 64 tokens"] == cut > 0
    assert notes["tokens left over after the last block of a chunk"] == left
    weights = {part.name: part.weights for _, segments in ran.examples("pretrain") for part in segments}
    assert weights == {"text": {1.0}, "end": {1.0}, "prompt": {0.0}}


@pytest.mark.slow
def test_it_is_trained_validated_merged_and_taught_on(ran: Ran) -> None:
    facts = ran.facts("train-pretrain")
    losses = dict(facts["validation"]["losses"])
    assert facts["validation"]["of"] == "texts"
    assert facts["validation"]["kept"] == min((step for step in losses if step), key=lambda step: losses[step])
    assert losses[max(losses)] < losses[0]
    assert (ran.folder / "models" / "pretrain" / "model.safetensors").is_file()
    assert ran.facts("merge-pretrain")["agreement"] > 0.9
    assert set(ran.facts("examples-vanilla")["trained"]) == {"prompt", "reference", "end"}
    assert [row["name"] for row in ran.card["rows"]] == ["backbone", "pretrain", "vanilla"]
    assert "pretrain" in (ran.folder / "report.html").read_text(encoding="utf-8")
