"""Merging the adapters and differences that a recipe names as models, each into its base, before they are used."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dragoman import suites
from dragoman.pipeline.models.adapted import Adapted, adapted, added
from dragoman.pipeline.models.cast import find_folder, writer
from dragoman.pipeline.process import in_own_process
from dragoman.prompts.examples import Ids
from dragoman.prompts.render import Renderer
from dragoman.recipe.judging import Finished, Judge
from dragoman.recipe.schema import Recipe
from dragoman.store import Digests, Store

if TYPE_CHECKING:
    from dragoman.training.merge import Parity

PROBES = (
    "Translate this sentence from German to English.\nDer Fluss ist alt.",
    "Translate from English to German:\nThe teacher reads a book in the garden.",
    "What is 12 + 5?",
    "Write a short story about a ship.",
    "Who are you?",
    "Name three cities that lie by the sea.",
)
"""What a merged model is compared with its adapter on."""


def merge_adapters(recipe: Recipe, store: Store, say: Callable[[str], None]) -> dict[str, str]:
    """Makes what is not made yet: adapter → artifact. EngineError if a base is not to be had, or is another's."""
    made = {}
    for one in adapters(recipe, store.digests):
        title = f"{'add' if one.difference else 'merge'} {one.adapter.name}"
        made[title] = one.artifact
        if store.find(one.artifact):
            continue
        with store.making(one.artifact) as out:
            if store.find(one.artifact):
                continue  # another run has made it meanwhile
            if one.difference:
                say(f"… {title}  {one.adapter} is a difference: adding it to {one.base}")
                in_own_process(_Add(one, out), title)
                store.finish(one.artifact, {})
                continue
            say(f"… {title}  {one.adapter} is an adapter: merging it into {one.base}")
            parity = in_own_process(_Merge(one, out), title).result
            store.finish(one.artifact, asdict(parity))
            say(f"✓ {title}  {parity.agreement:.0%} of greedy tokens as with the adapter")
    return made


def adapters(recipe: Recipe, digests: Digests) -> Iterator[Adapted]:
    """The adapters and differences among a recipe's models. EngineError if the base of one is not to be had."""
    named: list[tuple[str | None, Recipe | Finished | Judge]] = [(recipe.backbone, recipe)]
    named += [(writer(options), recipe) for method in recipe.methods for options in method.values()]
    named += [(one.model, one) for one in recipe.compare if one.added_to is None]
    named += [(judge.model, judge) for judge in suites.judges(recipe).values()]
    for name, said in named:
        if name and (found := adapted(name, digests, find_folder, said.trust_remote_code, said.bin_weights)):
            yield found
    yield from filter(None, (added(one, digests, find_folder) for one in recipe.compare))


@dataclass(frozen=True, slots=True)
class _Add:
    one: Adapted
    out: Path

    def run(self) -> None:
        from dragoman.models.difference import add_difference

        add_difference(self.one.adapter, self.one.base, self.out / "model", bin_weights=self.one.bin_weights)


@dataclass(frozen=True, slots=True)
class _Merge:
    one: Adapted
    out: Path

    def run(self) -> "Parity":
        from dragoman.training.merge import copy_companions, merge

        one, out = self.one, self.out / "model"
        shutil.rmtree(out, ignore_errors=True)  # of a run that was cut off before it published this
        code, bins = one.trust_remote_code, one.bin_weights
        parity = merge(one.base, one.adapter, out, _probes(one), trust_remote_code=code, bin_weights=bins)
        if (one.adapter / "tokenizer_config.json").is_file():  # it was trained with this one
            for path in out.glob("*.jinja"):
                path.unlink()
            copy_companions(one.adapter, out)
        return parity


def _probes(one: Adapted) -> list[Ids]:
    renderer = Renderer.load(one.base, one.trust_remote_code)
    return [renderer.plain(text) for text in PROBES]
