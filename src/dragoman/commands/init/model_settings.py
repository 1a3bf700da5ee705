"""Settings that suit a model's size: its learning rate, and how long examples may be.

The rates at the ends are those of the lab's model (4 million parameters, 3e-3) and of the RaDis paper's of 7 billion
(1e-4), with an adapter. Between them they are interpolated, and so a place to begin.
"""

import re
from dataclasses import dataclass

from dragoman.errors import EngineError
from dragoman.pipeline.forecast.geometry import geometry_of
from dragoman.pipeline.models.cast import find_folder

RATES = ((20e6, "3e-3"), (100e6, "1e-3"), (700e6, "5e-4"), (3e9, "2e-4"))  # below so many parameters
LARGE = "1e-4"
MAX_TOKENS, RATIONALE = 1024, 256


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """What a starter recipe says for a model. `size` is its parameters in words, `context` its tokens, if known."""

    learning_rate: str
    max_tokens: int
    rationale: int
    size: str
    context: int | None


def settings_for(backbone: str) -> ModelSettings:
    """Settings for a model by any name; nothing is fetched. Without its files, its name tells the size (`1.5B`)."""
    try:
        folder = find_folder(backbone, fetch=False)
    except EngineError:
        folder = None
    geometry = geometry_of(backbone, folder)
    parameters = geometry.parameters if geometry else _named(backbone)
    context = geometry.context if geometry and geometry.context else None
    rationale = RATIONALE if context is None else min(RATIONALE, max(1, context // 4))
    return ModelSettings(
        next((rate for below, rate in RATES if parameters is not None and parameters < below), LARGE),
        MAX_TOKENS if context is None else max(1, min(MAX_TOKENS, context - rationale)),
        rationale,
        _spoken(parameters) if parameters else "",
        context,
    )


def _named(backbone: str) -> float | None:
    """The parameters that a name speaks of: 1.5e9 for `Qwen/Qwen2.5-1.5B-Instruct`; not those of experts (`8x7B`)."""
    found = re.search(r"(?<![\d.x])(\d+(?:\.\d+)?)\s?([bm])(?![a-z])", backbone.lower())
    return float(found[1]) * {"b": 1e9, "m": 1e6}[found[2]] if found else None


def _spoken(parameters: float) -> str:
    return f"{parameters / 1e9:.3g} billion" if parameters >= 999.5e6 else f"{parameters / 1e6:.3g} million"
