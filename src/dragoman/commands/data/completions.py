"""Generated completions of a recipe, as text with its segments."""

from collections.abc import Iterator
from dataclasses import dataclass

from dragoman.errors import DataError
from dragoman.generation.ask import Completion, Ids
from dragoman.generation.inspect_cache import Kept, kept
from dragoman.models.loading import fingerprint
from dragoman.pipeline.models.cast import find_backbone, find_others
from dragoman.pipeline.plan import open_store
from dragoman.prompts.render import Renderer
from dragoman.recipe.schema import Recipe


@dataclass(frozen=True, slots=True)
class Shown:
    """A completion with its prompt, cut into named parts of text, and how it ended."""

    parts: tuple[tuple[str, str], ...]
    ending: str


@dataclass(frozen=True, slots=True)
class ShownGroup:
    """Completions of one model under one sampling: a summary line, and some of them."""

    title: str
    completions: tuple[Shown, ...]


def generated_for(recipe: Recipe, count: int) -> Iterator[ShownGroup]:
    """What the recipe's models have written, `count` completions of each sampling. DataError if there is nothing."""
    store = open_store(recipe)
    models = [find_backbone(recipe, store.digests), *find_others(recipe, store.digests).values()]
    by_contents = {fingerprint(model.path, digest_of=store.digests.of): model for model in models}
    store.digests.save()
    cache, nothing = recipe.generation.cache or store.folder / "completions", True
    for group in kept(cache, count):
        contents = group.model.partition("|")[0]
        model = models[-1] if contents == "server" else by_contents.get(contents)  # a server answers for the last model
        if model is None:
            continue
        nothing = False
        renderer = model.renderer(recipe.system)
        healed = bool(group.sampling.get("heal"))
        shown = tuple(_shown(renderer, healed, *sample) for sample in group.samples)
        yield ShownGroup(f"{model.name}: {_title(group)}", shown)
    if nothing:
        names = " or ".join(model.name for model in models)
        raise DataError(f"{cache} holds nothing of {names} yet; `dragoman generate` makes it")


def _title(group: Kept) -> str:
    sampling, ended = group.sampling, group.ended
    how = "greedy" if sampling["temperature"] == 0 else f"temperature {sampling['temperature']:g}"
    words = [f"{ended.total:,} completions, {how}, at most {sampling['max_tokens']} tokens"]
    words += ["healed"] if sampling.get("heal") else []
    words += [f"{sampling['logprobs']} log-probabilities a token"] if sampling.get("logprobs") else []
    words += [f"{group.tokens / max(ended.total, 1):.0f} tokens on average", str(ended)]
    words += [f"{group.shards:,} shards in {group.address}"]
    return "; ".join(words)


def _shown(renderer: Renderer, healed: bool, prompt: Ids, completion: Completion) -> Shown:
    turns = renderer.turns(prompt)
    parts = [("prompt", turn.whole) for turn in turns if turn.role != "assistant"]
    reference = turns[-1].text if turns[-1].role == "assistant" else ""
    written = completion.text.removeprefix(renderer.decode(prompt[-1:])) if healed else completion.text
    parts += [("reference", reference), ("rationale" if reference else "answer", written)]
    ending = {"stop": "ended by itself", "length": "cut at the limit", "failed": "failed"}[completion.finish]
    return Shown(tuple((name, text) for name, text in parts if text), f"{len(completion.ids)} tokens, {ending}")
