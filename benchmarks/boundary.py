"""What follows a reference: its last token as it is (`exact`), or taken back and generated again (`heal`).

Two backbones of the lab complete the same references, greedily, with nothing banned and with the end banned: the
one that ships, which has seen full stops and blank lines both apart and as one token; and a copy of it that was tuned
on translations tokenised whole, as backbones with such a vocabulary usually were. And, with the real tokenizers and
references in `--data`: how many references end in a token that would be another one if a blank line followed.

`python benchmarks/boundary.py [--pairs 1000] [--steps 150] [--data DIR] [--out FILE]`
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import command
import torch

from dragoman.corpora.records import Turn
from dragoman.generation.ask import Completion, Sampling
from dragoman.generation.door import loops
from dragoman.generation.hf.engine import HfEngine
from dragoman.lab import BACKBONE, explanations, world
from dragoman.lab.pretraining import mixture
from dragoman.lab.pretraining.tokenizer import chat
from dragoman.models.loading import load_model
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Prefix, Speaker

DIRECTIONS = ("de-en", "en-de", "it-en", "en-it")
NEW_TOKENS = 192
BATCH = 24
SHOWN = 6
WAYS = {
    "exact": Sampling(NEW_TOKENS, ()),
    "heal": Sampling(NEW_TOKENS, (), heal=True),
    "exact, end banned": Sampling(NEW_TOKENS, ()),
    "heal, end banned": Sampling(NEW_TOKENS, (), heal=True),
}
TOKENIZERS = (
    "qwen2.5-7b-instruct",
    "llama-3-8b-instruct",
    "smollm2-135m-instruct",
    "llama-2-7b-chat",
    "mistral-7b-instruct-v0.2",
)
LANGUAGES = ("cs", "de", "ru", "zh", "en")


def measure(pairs: int, steps: int, data: Path | None, seed: int = 0) -> dict[str, Any]:
    """All numbers, by backbone and way, and those of the real tokenizers where there are any."""
    torch.manual_seed(seed)
    speak = Speaker(Renderer.load(BACKBONE))
    asked = world.pairs("train", DIRECTIONS, pairs // len(DIRECTIONS), seed)
    prefixes = [speak.prefix(pair) for pair in asked]
    model = load_model(BACKBONE, precision="fp32", device="cpu")
    found: dict[str, Any] = {"pairs": len(prefixes), "max_tokens": NEW_TOKENS, "lab": compare(model, speak, prefixes)}
    _tune(model, speak, steps, seed)
    found["lab, tuned on whole translations"] = {"steps": steps, **compare(model, speak, prefixes)}
    if data is not None:
        found["real tokenizers"] = {name: _real(data, name) for name in TOKENIZERS}
    return found


def compare(model: Any, speak: Speaker, prefixes: Sequence[Prefix]) -> dict[str, Any]:
    """Both ways with one model: what comes of each, and a few side by side."""
    engine = HfEngine(model, decode=speak.decode, extensions=speak.renderer.extensions)
    after: dict[str, list[Completion]] = {}
    found: dict[str, Any] = {}
    for way, sampling in WAYS.items():
        sampling = replace(sampling, stop=speak.stop, ban_first=speak.stop if "banned" in way else ())
        done = dict(engine.complete([prefix.ids for prefix in prefixes], sampling))
        whole = [done[place] for place in range(len(prefixes))]
        after[way] = [_after(speak, *both) for both in zip(prefixes, whole, strict=True)] if sampling.heal else whole
        found[way] = _numbers(after[way])
        found[way]["nats at the boundary"] = _nats(model, prefixes, whole, sampling.heal)
        if sampling.heal:
            changed = [one.ids[0] != prefix.ids[-1] for one, prefix in zip(whole, prefixes, strict=True)]
            found[way]["last token changed"] = sum(changed) / len(changed)
    exact, heal = after["exact"], after["heal"]
    found["same text"] = sum(one.text == two.text for one, two in zip(exact, heal, strict=True)) / len(exact)
    different = [place for place in range(len(exact)) if exact[place].text != heal[place].text]
    found["examples"] = [
        {
            "reference": speak.decode(prefixes[place].reference),
            **{way: texts[place].text for way, texts in after.items()},
        }
        for place in random.Random(1).sample(different, min(SHOWN, len(different)))
    ]
    return found


def _after(speak: Speaker, prefix: Prefix, healed: Completion) -> Completion:
    """What a healed completion has after the reference: its text, and its ids from the second on."""
    text = speak.decode(prefix.reference[:-1] + healed.body)
    return replace(healed, ids=healed.ids[1:], text=text[len(speak.decode(prefix.reference)) :])


def _numbers(rationales: Sequence[Completion]) -> dict[str, Any]:
    total = len(rationales)
    empty = sum(not one.text.strip() for one in rationales)
    kinds = Counter(_kind(one.text) for one in rationales if one.text.strip())
    lengths = [len(one.body) for one in rationales]
    return {
        "ends at once": sum(one.finish == "stop" and not one.text for one in rationales) / total,
        "mean length": sum(lengths) / total,
        "mean length of those with text": sum(lengths) / max(1, total - empty),
        "begins with a line break": sum(one.text.startswith("\n") for one in rationales) / total,
        "cut": sum(one.finish == "length" for one in rationales) / total,
        "empty": empty / total,
        "looping": sum(loops(one.body) for one in rationales) / total,
        "openings": {kind: count / total for kind, count in kinds.most_common(12)},
        "different openings": len(kinds),
    }


@torch.inference_mode()
def _nats(model: Any, prefixes: Sequence[Prefix], whole: Sequence[Completion], healed: bool) -> float:
    """How unlikely, to the backbone itself, the ids are that it would be trained on: -log P of a reference's last
    token and the one after it, or of the one that stands for both. The mean over those that go on.
    """
    found = []
    for prefix, completion in zip(prefixes, whole, strict=True):
        ids = prefix.ids[:-1] + completion.ids if healed else prefix.ids + completion.ids
        start = len(prefix.ids) - 1
        merged = ids[start] != prefix.ids[-1]
        if completion.finish == "stop" and len(ids) == start + 2 and not merged:
            continue  # ended at once
        end = start + (1 if merged else 2)
        chances = model(torch.tensor([ids[:end]])).logits[0, start - 1 : -1].log_softmax(-1)
        chosen = torch.tensor(ids[start:end])
        found.append(-chances.gather(1, chosen[:, None]).sum().item())
    return sum(found) / max(1, len(found))


def _kind(text: str) -> str:
    """The label of the first line, such as `Grammar:`, or its first three words."""
    line = text.strip().splitlines()[0]
    label, colon, _ = line.partition(":")
    return f"{label}:" if colon and len(label.split()) <= 2 else " ".join(line.split()[:3])


def _tune(model: Any, speak: Speaker, steps: int, seed: int) -> None:
    """Some more training on translations with remarks, tokenised as they stand: `.` and a blank line are one token."""
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, weight_decay=0.0)
    documents = _translations(seed)
    for _ in range(steps):
        rows = [speak.renderer.tokenizer(next(documents), add_special_tokens=False)["input_ids"] for _ in range(BATCH)]
        width = max(map(len, rows))
        ids = torch.tensor([row + [0] * (width - len(row)) for row in rows])
        place = torch.arange(width)
        lengths = torch.tensor([[len(row)] for row in rows])
        marker = speak.renderer.tokenizer.convert_tokens_to_ids("<|assistant|>")
        starts = torch.tensor([[row.index(marker)] for row in rows])
        labels = torch.where((place > starts) & (place < lengths), ids, -100)  # padded on the right: nothing sees it
        loss = model(input_ids=ids, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    model.eval()


def _translations(seed: int) -> Iterator[str]:
    """The conversations of pre-training that translate, without end; as many as there go on with remarks."""
    rng = random.Random(seed)
    for meaning in world.meanings("pretrain", f"boundary {seed}"):
        source, target = rng.choice(DIRECTIONS).split("-")
        asked, answer = explanations.translation_dialogue(meaning, source, target, rng, explained=False).turns
        remarks = random.Random(f"remarks 0 {meaning.clause.verb.en} {meaning.asked}")  # as late in pre-training
        after = explanations.translation_answer(meaning, source, target, remarks)
        explained = rng.random() < mixture.EXPLAINED
        yield chat([asked, Turn("assistant", answer.text + after) if explained else answer])


def _real(data: Path, name: str) -> dict[str, Any]:
    """The share of ALMA's references whose last token is another one before a blank line, by language."""
    renderer = Renderer.load(data / "tokenizers" / name)
    tokenizer = renderer.tokenizer
    found: dict[str, Any] = {}
    beyond = reached = moved = total = 0
    for language in LANGUAGES:
        other = "de" if language == "en" else language
        path = data / "alma" / "human_written_data" / f"{other}en" / f"train.{other}-en.{language}"
        lines = [line.strip() for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
        alone = tokenizer(lines, add_special_tokens=False)["input_ids"]
        followed = tokenizer([line + "\n\nExplanation" for line in lines], add_special_tokens=False)["input_ids"]
        changed = 0
        for ids, longer in zip(alone, followed, strict=True):
            if longer[: len(ids)] == ids:
                continue
            changed += 1
            last_only = longer[: len(ids) - 1] == ids[:-1]
            beyond += not last_only
            reached += last_only and longer[len(ids) - 1] in renderer.extensions(ids[-1])
        found[language] = changed / len(lines)
        moved, total = moved + changed, total + len(lines)
    found["all"] = moved / total
    found["references"] = total
    found["more than the last token changes"] = beyond / total
    found["of those that change, healing can give the tokenizer's own"] = reached / max(1, moved)
    return found


def main() -> None:
    options = command.parser(__doc__)
    options.add_argument("--pairs", type=int, default=1000)
    options.add_argument("--steps", type=int, default=150)
    options.add_argument("--data", type=Path)
    given = options.parse_args()
    command.tell(measure(given.pairs, given.steps, given.data), given.out)


if __name__ == "__main__":
    main()
