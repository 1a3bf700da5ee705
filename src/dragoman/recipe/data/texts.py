"""Fields of `data.texts` and `data.mixture`: plain text. See `schema.py`."""

from collections.abc import Sequence
from string import Formatter
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from dragoman.recipe.data.pairs import Corpus
from dragoman.recipe.fields import Positive, Strict

PLACES = ("source", "target", "text", "translation")
TEMPLATE = "{source}: {text}\n{target}: {translation}"
NEAR = 1e-6  # to 1, as a sum


def _template(template: str) -> str:
    try:
        named = [name for _, name, _, _ in Formatter().parse(template) if name is not None]
    except ValueError as error:
        raise ValueError(
            f"has a brace that opens or closes nothing ({error}); write `{{{{` for one in the text"
        ) from error
    if unknown := [name for name in named if name not in PLACES]:
        raise ValueError(f"has {{{unknown[0]}}}, and there are {', '.join(f'{{{place}}}' for place in PLACES)}")
    if missing := [place for place in ("text", "translation") if place not in named]:
        raise ValueError(f"has no {{{missing[0]}}}; write both sides, as in {TEMPLATE!r}")
    return template


class Texts(Strict):
    """Documents to be learnt as they stand: a file or folder of one's own, a corpus, or pairs written as text."""

    file: str | None = None
    """A file with one document a line, a .jsonl, .json or .parquet file with a field for it, or a folder of such files; .gz, .bz2, .xz or .zst may follow."""
    corpus: str | None = None
    """A corpus of pairs of the catalogue, whose sentences in `language` are taken (those of one document together), or `lab-texts`."""
    pairs: Corpus | Literal["train"] | None = None
    """Pairs, each written as one text: those of `data.train`, or of a corpus or files of their own, as in `{corpus: everyday, directions: [de-en]}`."""
    field: str = "text"
    """Field of .jsonl, .json and .parquet files that has the text."""
    language: str | None = None
    """Language of the documents, such as `de`; that of pairs is their direction."""
    template: Annotated[str, AfterValidator(_template)] = TEMPLATE
    """How a pair is written: `{source}` and `{target}` are the English names of its languages, `{text}` and `{translation}` its sides."""
    limit: Positive | None = None
    """At most so many documents, drawn by the seed; all when absent."""
    seed: int = 0
    """Decides which documents a limit keeps, and which are held out."""
    share: Annotated[float, Field(gt=0, le=1)] | None = None
    """Fixed share of what is drawn; by `data.mixture`, or by size when absent."""
    dev: Annotated[float, Field(gt=0, le=1)] | None = None
    """Hold out about such a share of the documents, on which a row that learns texts is validated; 1 holds out all."""
    max_perplexity: Annotated[float, Field(gt=1)] | None = None
    """Documents with a higher perplexity are left out, and counted."""
    perplexity_of: str | None = None
    """The model by which perplexity is told, a folder or a name on the hub; the backbone when absent."""

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if sum(origin is not None for origin in (self.file, self.corpus, self.pairs)) != 1:
            raise ValueError("needs one of these: a file (or folder), a corpus, or pairs")
        if self.pairs is None and self.language is None:
            raise ValueError("needs the language of its documents, as in `language: de`")
        if self.pairs is not None and self.language is not None:
            raise ValueError("has pairs, whose language is their direction; take `language` out")
        if self.pairs is None and self.template != TEMPLATE:
            raise ValueError("has a template, by which pairs are written, and no pairs; take one of the two")
        if self.perplexity_of is not None and self.max_perplexity is None:
            raise ValueError("names a model that tells perplexity and no threshold; add max_perplexity, or take it out")
        if self.dev == 1 and self.share is not None:
            raise ValueError("is held out whole (dev: 1), so no share of it is learnt; take `share` out")
        return self


class Mixture(Strict):
    """In which shares documents of several texts are drawn, and until when."""

    temperature: Annotated[float, Field(gt=0)] | None = None
    """Shares of texts without a `share` of their own are as size^(1/T): 1 is by size, more draws small ones more often."""
    by: Literal["documents", "tokens"] = "documents"
    """What sizes and shares count: documents, or tokens of the backbone's vocabulary."""
    stop: Literal["once", "first", "all"] = "once"
    """`once`: every document once; a text that is used up is drawn no more. `first`: when one text is used up. `all`: when each has been used up once, and those that are before begin again."""
    documents: Positive | None = None
    """At most so many documents in all."""
    seed: int = 0
    """Decides which text is drawn from."""


def wrong_shares(texts: Sequence[Texts], mixture: Mixture | None) -> str:
    """What is wrong with the shares of some texts; empty if nothing is."""
    if mixture and not texts:
        return "has a mixture and no texts that would be mixed; name some under texts, or take it out"
    learnt = [text for text in texts if text.dev != 1]
    if texts and not learnt:
        return "has texts that are all held out (dev: 1), and none to learn; add some, or lower dev"
    shares = [text.share for text in learnt if text.share is not None]
    if not shares:
        return ""
    total = sum(shares)
    if len(shares) == len(learnt):
        if abs(total - 1) > NEAR:
            return f"texts: the shares sum up to {total:g}, not to 1"
        return "mixture: every text has a share, so a temperature decides nothing; take it out" * bool(
            mixture and mixture.temperature
        )
    if total >= 1 - NEAR:
        return f"texts: the shares of some sum up to {total:g}, which leaves nothing to the others"
    if not (mixture and mixture.temperature):
        return (
            "texts: some have a share and others have none; give each one, or write `mixture: {temperature: 1}`, which "
            "shares out the rest by size"
        )
    return ""
