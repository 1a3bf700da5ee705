"""Fields of `data.ratings`: translations that were rated. See `schema.py`."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dragoman.recipe.fields import Direction, Positive, Strict


class Scored(Strict):
    """A system's translations and their scores."""

    file: str
    """Text file with one translation a line, which corresponds to the line of the source."""
    scores: str
    """Text file with one number a line."""
    system: str | None = None
    """Its name; that of the file when absent."""


class Ratings(Strict):
    """Translations of several systems with what was said of them: a table, scored outputs, or the lab's."""

    file: str | None = None
    """An MQM table (.tsv): a row for each error, which stands in `target` as `<v>…</v>`. Or scored outputs (.jsonl, .json): records with `source`, `translation`, `score`, and perhaps `system` and `severity`, or ParroT's JSON."""
    source: str | None = None
    """Or text file with one source sentence a line, beside `outputs`."""
    outputs: tuple[Scored, ...] = ()
    """Of these sentences the translations by several systems, with scores, as in `[{file: a.zh, scores: a.comet}, …]`."""
    corpus: str | None = None
    """Or name in the catalogue (`dragoman data list`), or `lab-ratings` of the lab, whose translations have errors made by rule."""
    direction: Direction
    """Languages of source and translations, such as `zh-en`."""
    scale: Literal["comet", "mqm"] = "comet"
    """Of scored outputs: from 0 to 1, as COMET scores, or in points of MQM, from 0 down."""
    minor: Annotated[float, Field(le=0)] = -1.0
    """Scored outputs of so many points of MQM or fewer have minor errors, where no severity is told; 25 points are all that COMET's scores can differ by."""
    major: Annotated[float, Field(le=0)] = -5.0
    """And of so many or fewer, major ones."""
    limit: Positive | None = None
    """At most so many sources, drawn by the seed; all when absent."""
    seed: int = 0
    """Decides which sources a limit keeps."""

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if sum(origin is not None for origin in (self.file, self.source, self.corpus)) != 1:
            raise ValueError(
                "needs one of these: a file, a source with its outputs, or a corpus, as in `corpus: lab-ratings`"
            )
        if (self.source is None) != (not self.outputs):
            raise ValueError(
                "needs a source and outputs together, as in `source: a.en, outputs: [{file: …, scores: …}]`"
            )
        if self.major > self.minor:
            raise ValueError(f"has major errors at {self.major:g}, above minor ones at {self.minor:g}")
        return self

    @property
    def name(self) -> str:
        """What it is called in counts: the name of its file or corpus."""
        return self.corpus or Path(str(self.file or self.source)).name

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that it names."""
        outputs = (path for one in self.outputs for path in (one.file, one.scores))
        return tuple(Path(path) for path in (self.file, self.source, *outputs) if path is not None)
