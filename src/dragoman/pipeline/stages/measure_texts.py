"""Measuring the documents of a recipe's texts, where thresholds or shares want it: a part of the data stage."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from dragoman.disk import write_atomic
from dragoman.pipeline.data.make_data import text_pairs
from dragoman.pipeline.data.record_files import chunks
from dragoman.pipeline.data.texts.measures import measure, needed, part_of
from dragoman.pipeline.data.texts.sources import Source, sources
from dragoman.pipeline.models.cast import Cast, Model
from dragoman.pipeline.models.speakers import speaker
from dragoman.progress import progress
from dragoman.recipe.schema import Recipe

CHUNK = 1024  # documents; what a kill can cost


@dataclass(frozen=True, slots=True)
class MeasureTexts:
    """Counts the tokens of documents, and tells their perplexity where a recipe has a threshold.

    What was measured before a kill is not measured again.
    """

    recipe: Recipe
    cast: Cast
    out: Path

    def run(self) -> None:
        for source in sources(self.recipe):
            if needed(self.recipe, source):
                self._measure(source)

    def _measure(self, source: Source) -> None:
        said, backbone = source.said, self.cast.backbone
        model = self.cast.tellers[said.perplexity_of] if said.perplexity_of is not None else backbone
        speak, teller = speaker(self.recipe, backbone), speaker(self.recipe, model)
        losses = None if said.max_perplexity is None else self._losses(model)
        pairs = text_pairs([])
        total = sum(1 for _ in source.read(pairs))
        with progress(f"measuring {source.origin}", total, "documents") as bar:
            for number, chunk in enumerate(chunks(source.read(pairs), CHUNK)):
                path = part_of(self.out, source, number)
                if not path.exists():
                    file = BytesIO()
                    np.save(file, measure([text.text for text, _ in chunk], speak, teller, losses))
                    write_atomic(path, file.getvalue())
                bar.advance(len(chunk))

    def _losses(self, model: Model) -> Callable[..., Any]:
        """The sums of a model's losses on some texts."""
        from dragoman.analysis.drift import View, losses
        from dragoman.models.loading import load_model
        from dragoman.training.losses.loss import make_head, teach_forward

        causal = load_model(
            model.path,
            precision=self.recipe.generation.precision,
            trust_remote_code=model.trust_remote_code,
            bin_weights=model.bin_weights,
        )
        teach_forward(causal)  # refuses a head that `make_head` does not understand
        view = View(causal, make_head(causal), nullcontext)
        return lambda texts: losses(view, texts, self.recipe.generation.batch_tokens)
