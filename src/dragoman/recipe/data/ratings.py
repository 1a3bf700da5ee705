"""Fields of `data.ratings`: translations that were rated. See `schema.py`."""

from typing import Self

from pydantic import model_validator

from dragoman.recipe.fields import Direction, Positive, Strict


class Ratings(Strict):
    """Translations of several systems with what raters said of them: a table of one's own, or the lab's."""

    file: str | None = None
    """An MQM table (.tsv): a row for each error, which stands in `target` as `<v>…</v>`."""
    corpus: str | None = None
    """`lab-ratings` of the lab, whose translations have errors made by rule."""
    direction: Direction
    """Languages of source and translations, such as `zh-en`."""
    limit: Positive | None = None
    """At most so many sources, drawn by the seed; all when absent."""
    seed: int = 0
    """Decides which sources a limit keeps."""

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.file is None) == (self.corpus is None):
            raise ValueError("needs either a file, or a corpus, as in `corpus: lab-ratings`")
        return self
