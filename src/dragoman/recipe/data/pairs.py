"""Fields of `data.train`, `data.test` and `data.dev`: pairs. See `schema.py`."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from dragoman.recipe.fields import Direction, Distinct, Positive, Strict


class Files(Strict):
    """Parallel text of one's own: either two aligned files, or one table."""

    source: str | None = None
    """Text file with one source sentence a line; `target` names its translation. Relative paths count from where dragoman is run."""
    target: str | None = None
    """Text file with the translations, line by line."""
    table: str | None = None
    """One file for both sides: .tsv (two columns), .jsonl (`source` and `target`, or a `translation` object), ALMA's .json, .tmx, or a .zip of OPUS; .gz may follow."""
    direction: Direction
    """Languages of source and target, such as `de-en`."""
    both: bool = False
    """Also use every pair the other way round."""

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if self.table is not None and (self.source is not None or self.target is not None):
            raise ValueError("has a table and also source or target; give the table alone, or the two files")
        if self.table is None and (self.source is None or self.target is None):
            raise ValueError("needs both source and target, or one table")
        return self

    @property
    def directions(self) -> set[str]:
        """All directions of its pairs."""
        source, target = self.direction.split("-")
        return {self.direction, f"{target}-{source}"} if self.both else {self.direction}


class Corpus(Strict):
    """Where translation pairs come from: a corpus of the catalogue, or one's own files."""

    corpus: str | None = None
    """Name in the catalogue (`dragoman data list`), or `lab`."""
    files: tuple[Files, ...] = ()
    """One's own files, instead of a corpus of the catalogue."""
    directions: Annotated[tuple[Direction, ...], Distinct] = ()
    """Directions to take from the corpus; all it has when empty."""
    limit: Positive | None = None
    """At most so many pairs a direction, drawn by the seed; all when absent."""
    seed: int = 0
    """Decides which pairs a limit keeps."""
    disjoint: bool = False
    """Use each sentence in one direction alone, decided by the seed: those of en-de are not also those of de-en."""
    max_characters: Positive | None = None
    """Pairs with a longer side are left out, and counted."""
    drop_copies: bool = False
    """Pairs whose sides are the same but for case and white space are left out, and counted."""

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        return self._named_once()

    def _named_once(self) -> Self:
        if self.corpus is not None and self.files:
            raise ValueError("has a corpus and also files; keep one (`corpus: null` drops an inherited one)")
        if self.corpus is None and not self.files:
            raise ValueError("names no pairs; give a corpus of the catalogue, or files")
        own = {direction for file in self.files for direction in file.directions}
        if self.files and (unknown := sorted(set(self.directions) - own)):
            raise ValueError(f"asks for {', '.join(unknown)}, but the files have {', '.join(sorted(own))}")
        return self


class Dev(Corpus):
    """Pairs to validate on while training: named as those of a test, or a share of the pairs to learn from."""

    share: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Hold out about such a share of `data.train` instead, drawn by the seed; every row does without these pairs."""

    def _named_once(self) -> Self:
        if self.share is None:
            return super()._named_once()
        if set(self.model_dump(exclude_defaults=True)) - {"share", "seed"}:
            raise ValueError("is a share of data.train; take out what names other pairs, or the share")
        return self
