"""What determines how answers are judged: COMET models, servers that judge, and files that suites read for it."""

import os
from collections.abc import Mapping
from pathlib import Path

from dragoman import suites
from dragoman.generation.openai.connect import ADDRESS
from dragoman.paths import below
from dragoman.recipe.schema import Recipe
from dragoman.store import Digests


def judging_inputs(recipe: Recipe, digests: Digests) -> dict[str, object]:
    """Everything that determines how answers are judged, by contents, besides the questions and the judges' weights."""
    comets = recipe.evaluation.comet if "translation" in recipe.evaluate else ()
    found: Mapping[str, Mapping[str, object]] = {
        f"judging {suite.name}": suite.judging_inputs(recipe, digests) for suite in suites.of(recipe)
    }
    return {
        "comet": [digests.of(path) for one in comets for path in below(Path(one.checkpoint)) if path.exists()],
        **{name: told for name, told in found.items() if told},
        **({"servers": servers} if (servers := _servers(recipe)) else {}),
    }


def _servers(recipe: Recipe) -> list[list[str | None]]:
    """Servers that answer or judge: their models' contents are unknown, so address and name stand for them."""
    evaluation = recipe.evaluation
    own = [getattr(described, "judge", None) for described in recipe.benchmarks.values()]
    judges = [evaluation.judge, evaluation.guard, *own]
    asked = [judge.generation for judge in judges if judge and judge.generation]
    used = [generation.openai for generation in asked if generation.engine == "openai"]
    used += dict.fromkeys(server for suite in suites.of(recipe) for server in suite.servers(recipe))
    return [[server.address or os.environ.get(ADDRESS), server.model] for server in used]
