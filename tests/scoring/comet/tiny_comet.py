"""Two COMET models of random weights, as published ones are laid out, and the scores that they should give.

The scores are worked out text by text with transformers' XLM-RoBERTa, and plainly: no batches, nothing left out.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import torch
import yaml
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from dragoman.lab import world

SETTINGS = {
    "activations": "Tanh",
    "encoder_model": "XLM-RoBERTa",
    "final_activation": None,
    "hidden_sizes": [144, 48],
    "layer": "mix",
    "layer_norm": False,
    "pool": "avg",
    "pretrained_model": "../encoder",
}
MODELS: dict[str, dict[str, Any]] = {
    "regression": {"class_identifier": "regression_metric", "layer_transformation": "sparsemax"},
    "unified_qe": {
        "class_identifier": "unified_metric",
        "layer_transformation": "sparsemax_patch",
        "input_segments": ["mt", "src"],
        "word_level_training": False,
    },
}
SCALARS = {"regression": (0.4, -0.5, 0.3, 0.6, 0.0), "unified_qe": (-0.3, 0.7, 0.1, -0.8, 0.4)}
GAMMA = {"regression": 1.1, "unified_qe": 0.9}
LONGEST, LONGEST_JOINED = 510, 512
BEGIN, PAD, END = 0, 1, 2
COUNT = 89


def write(folder: Path) -> Path:
    """Encoder, models, triples, and the expected scores, in a folder."""
    (folder / "encoder").mkdir(parents=True)
    dice = Random(2)
    triples = made_up(dice)
    tokenizer = trained([text for triple in triples for text in triple])
    tokenizer.save(str(folder / "encoder" / "tokenizer.json"))
    config = encoder_config(tokenizer.get_vocab_size())
    config.save_pretrained(folder / "encoder")
    named = [dict(zip(("src", "mt", "ref"), triple, strict=True)) for triple in triples]
    write_lines(folder / "triples.jsonl", named)
    (folder / "expected").mkdir()
    traces = {}
    for place, (name, told) in enumerate(MODELS.items()):
        reference = Reference(config, tokenizer, name, seed=place)
        (folder / name / "checkpoints").mkdir(parents=True)
        hyper = {**SETTINGS, **told}
        (folder / name / "hparams.yaml").write_text(yaml.safe_dump(hyper), encoding="utf-8")
        checkpoint = {"state_dict": reference.weights(), "hyper_parameters": hyper}
        torch.save(checkpoint, folder / name / "checkpoints" / "model.ckpt")
        scores = [reference.score(*triple) for triple in triples]
        write_lines(folder / "expected" / f"{name}.jsonl", [{"score_bs1": score} for score in scores])
        system = {"system_score_bs1": sum(scores) / len(scores)}
        (folder / "expected" / f"{name}.system.json").write_text(json.dumps(system), encoding="utf-8")
        traces[name] = reference.trace(triples[:4])
    (folder / "expected" / "trace.json").write_text(json.dumps(traces), encoding="utf-8")
    return folder


def write_lines(path: Path, records: Sequence[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")


def made_up(dice: Random) -> list[tuple[str, str, str]]:
    """Sources, translations and references: sentences, long ones, odd ones, and two that are there twice."""

    def said(count: int = 1) -> tuple[str, str, str]:
        drawn = [world.draw(dice) for _ in range(count)]
        source, reference = (" ".join(world.say(one, language) for one in drawn) for language in ("de", "en"))
        words = reference.split()
        return source, " ".join(word for word in words if dice.random() > 0.2) or words[0], reference

    long = said(150)
    triples = [("Ja.", "", "Yes."), ("", "", ""), ("", "Yes.", "Yes."), ("Fill <pad> in.", "<pad> <pad>", "<pad>")]
    triples += [("a", "b", "."), ("?!... (12,3%)", "?!… — (12,3 %)", "?!"), (" 3)\tTap\n", "   ", "3)\u2028Tap")]
    triples += [
        ("早上好。👩‍🔬", "Good morning 😀", "كم نقطة؟"),
        ("<s> </s> <unk>", "</s>", "<mask>"),
        ("ＡＢＣ é ½", "é", "½"),
    ]
    triples += [long, ("Ja.", long[1], "Yes."), (long[0], "Yes.", "Yes."), ("Ja.", "Yes.", long[2]), said(20), said(21)]
    triples += [("Das ist gut.",) * 3, ("Das ist gut.", "It is good.", "It is good.")] * 2
    return triples + [said(dice.randint(1, 5)) for _ in range(COUNT - len(triples))]


def trained(texts: Sequence[str]) -> Tokenizer:
    """A Unigram vocabulary as XLM-RoBERTa's: four special tokens first, and a mask at the end."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    apart = pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(list(apart))
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    trainer = trainers.UnigramTrainer(vocab_size=600, special_tokens=special, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator([text for text in texts if len(text) < 1000 and "<" not in text], trainer)
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", BEGIN), ("</s>", END)],
    )
    return tokenizer


def encoder_config(vocabulary: int) -> Any:
    from transformers import XLMRobertaConfig

    sizes = {"hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 4, "num_attention_heads": 4}
    places = {"max_position_embeddings": 514, "type_vocab_size": 1, "layer_norm_eps": 1e-5}
    special = {"bos_token_id": BEGIN, "pad_token_id": PAD, "eos_token_id": END}
    return XLMRobertaConfig(vocab_size=vocabulary, initializer_range=0.2, **sizes, **places, **special)


class Reference:
    """A model, and its scores one by one."""

    def __init__(self, config: Any, tokenizer: Tokenizer, name: str, seed: int):
        from transformers import XLMRobertaModel

        torch.manual_seed(seed)
        self.tokenizer, self.name = tokenizer, name
        self.encoder = XLMRobertaModel(config, add_pooling_layer=False).eval()
        for name_of, weight in self.encoder.named_parameters():
            if "LayerNorm" in name_of:
                torch.nn.init.normal_(weight, mean=float(name_of.endswith("weight")), std=0.4)
        self.scalars, self.gamma = torch.tensor(SCALARS[name]), GAMMA[name]
        wide = config.hidden_size * (6 if name == "regression" else 1)
        self.head = [torch.nn.Linear(before, after) for before, after in ((wide, 144), (144, 48), (48, 1))]

    def weights(self) -> dict[str, torch.Tensor]:
        """As the official package names them."""
        named = {f"encoder.model.{name}": weight for name, weight in self.encoder.state_dict().items()}
        for place, scalar in enumerate(self.scalars):
            named[f"layerwise_attention.scalar_parameters.{place}"] = scalar[None].clone()
        named["layerwise_attention.gamma"] = torch.tensor([self.gamma])
        for place, layer in enumerate(self.head):
            named[f"estimator.ff.{3 * place}.weight"] = layer.weight.detach()
            named[f"estimator.ff.{3 * place}.bias"] = layer.bias.detach()
        return named

    def shares(self) -> torch.Tensor:
        """How much each layer counts; sparsemax by halving the interval in which its threshold lies."""
        if self.name != "regression":
            return self.scalars.softmax(0)
        low, high = float(self.scalars.min()) - 1, float(self.scalars.max())
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if (self.scalars - middle).clamp(min=0).sum() > 1 else (low, middle)
        return (self.scalars - low).clamp(min=0)

    def ids(self, text: str) -> list[int]:
        ids = [int(token) for token in self.tokenizer.encode(text).ids]
        return ids if len(ids) <= LONGEST else [*ids[: LONGEST - 1], END]

    def joined(self, translation: str, source: str) -> list[int]:
        """Without the padding that a text spells out."""
        one, other = ([token for token in self.ids(text) if token != PAD] for text in (translation, source))
        return [*one, END, *other[1:]][:LONGEST_JOINED]

    @torch.no_grad()
    def vector(self, ids: Sequence[int]) -> torch.Tensor:
        """The mean over all tokens, where padding that a text spells out counts as zeros; of joined texts the first."""
        tokens = torch.tensor([list(ids)])
        seen = torch.ones_like(tokens)
        states = self.encoder(input_ids=tokens, attention_mask=seen, output_hidden_states=True).hidden_states
        mixed: torch.Tensor = self.gamma * sum(
            share * state for share, state in zip(self.shares(), states, strict=True)
        )
        return (mixed * (tokens != PAD)[:, :, None])[0].mean(0) if self.name == "regression" else mixed[0, 0]

    @torch.no_grad()
    def score(self, source: str, translation: str, reference: str) -> float:
        if self.name == "regression":
            src, mt, ref = (self.vector(self.ids(text)) for text in (source, translation, reference))
            found = torch.cat([mt, ref, mt * ref, (mt - ref).abs(), mt * src, (mt - src).abs()])
        else:
            found = self.vector(self.joined(translation, source))
        first, second, last = self.head
        return float(last(torch.tanh(second(torch.tanh(first(found))))))

    def trace(self, triples: Sequence[tuple[str, str, str]]) -> dict[str, Any]:
        """What lies between texts and scores."""
        segments = []
        for source, translation, reference in triples:
            sides = {"src": self.ids(source), "mt": self.ids(translation), "ref": self.ids(reference)}
            if self.name == "regression":
                embedded = {f"{side}_embedding": self.vector(ids).tolist() for side, ids in sides.items()}
                segments.append({**{f"{side}_ids": ids for side, ids in sides.items()}, **embedded})
            else:
                ids = self.joined(translation, source)
                segments.append({"input_ids": ids, "embedding": self.vector(ids).tolist()})
        return {"gamma": self.gamma, "layer_weights": self.shares().tolist(), "segments": segments}
