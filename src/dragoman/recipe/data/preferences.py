"""Fields of `data.preferences`: two translations of a sentence, of which one is better. See `schema.py`."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from dragoman.recipe.fields import Direction, Positive, Strict


class Preferences(Strict):
    """A file of chosen and rejected translations, or of translations with scores by which they are chosen."""

    file: str | None = None
    """Records (.jsonl, .json) with `source` (or `prompt`, the sentence alone), `chosen` and `rejected`; or in ALMA-R's form, with a `translation` that holds sides, other systems' translations and scores."""
    corpus: str | None = None
    """Or `lab-ratings` of the lab: the best and the worst translation of each sentence."""
    direction: Direction | None = None
    """Languages of source and translations, such as `de-en`; of ALMA-R's form all that are there when absent."""
    score: Annotated[str, Field(pattern="^[A-Za-z0-9_]+$")] = "kiwi_xcomet"
    """Score of ALMA-R's form by which the best is chosen and the worst rejected: `kiwi`, `xcomet` or `kiwi_xcomet`, their mean."""
    margin: Annotated[float, Field(ge=0)] = 0.0
    """How much worse by that score the rejected one must be, where scores decide; others are left out, and counted."""
    limit: Positive | None = None
    """At most so many, drawn by the seed; all when absent."""
    seed: int = 0
    """Decides which a limit keeps."""

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.file is None) == (self.corpus is None):
            raise ValueError("needs a file or a corpus, as in `file: preferences.jsonl` or `corpus: lab-ratings`")
        if self.corpus and self.direction is None:
            raise ValueError("needs the direction of its translations, as in `direction: de-en`")
        return self

    @property
    def name(self) -> str:
        """What it is called in counts: the name of its file or corpus."""
        return self.corpus or Path(str(self.file)).name
