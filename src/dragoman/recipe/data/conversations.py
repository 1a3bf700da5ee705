"""Fields of `data.lessons`, `data.instructions` and `data.replay`. See `schema.py`."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from dragoman.recipe.fields import Distinct, Logprobs, Positive, Strict

LAB_LANGUAGES = ("lab-alpaca",)
"""The lab's conversations that there are in several languages."""


class Dialogues(Strict):
    """Conversations that end with an answer: a corpus of the catalogue, or a file of one's own."""

    corpus: str | None = None
    """Name in the catalogue (`dragoman data list`), or the lab's own `lab-programs` and `lab-instructions`."""
    file: str | None = None
    """A .json or .jsonl file: Alpaca's format (instruction, input, output), Dolly's, ShareGPT's, Magicoder's, or `messages`."""
    language: str | None = None
    """Language that they are in, such as `de`; what the catalogue says when absent, else English."""
    limit: Positive | None = None
    """At most so many, drawn by the seed; all when absent."""
    share: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Of all examples in training these shall be such a share, instead of a limit."""
    seed: int = 0
    """Decides which ones are taken."""

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.corpus is None) == (self.file is None):
            raise ValueError("needs either a corpus of the catalogue, or a file")
        if self.limit is not None and self.share is not None:
            raise ValueError("has a limit and also a share; keep one")
        return self

    @property
    def name(self) -> str:
        """What it is called in counts, and by rows that learn from it alone."""
        name = self.corpus or Path(str(self.file)).name
        return f"{name}-{self.language or 'en'}" if name in LAB_LANGUAGES else name


class Prompts(Strict):
    """Prompts without answers: a corpus of the catalogue, a file of one's own, or what the backbone itself would be asked."""

    corpus: str | None = None
    """Name in the catalogue (`dragoman data list`), or the lab's own `lab-requests`."""
    file: str | None = None
    """A .jsonl or .json file with `messages` that end with the user's turn, or with a `prompt`, and perhaps a `kind`; or a text file with one prompt a line."""
    own: Positive | None = None
    """Draw so many from the backbone: what it expects a user to write, one line each. Those that are no good are left out, and counted."""
    kinds: Annotated[tuple[str, ...], Distinct] = ()
    """Only prompts of these kinds; all when empty."""
    limit: Positive | None = None
    """At most so many, drawn by the seed; all when absent."""

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if sum(origin is not None for origin in (self.corpus, self.file, self.own)) != 1:
            raise ValueError(
                "needs one of these: a corpus of the catalogue, a file, or own (how many of the model's own)"
            )
        if self.own is not None and (self.kinds or self.limit is not None):
            raise ValueError(
                "draws the model's own prompts: they have no kinds, and `own` says how many; take out what else is said"
            )
        return self


class ReplayData(Strict):
    """General prompts that the backbone answers once, for every row whose `training` has `replay` or `recovery`."""

    prompts: tuple[Prompts, ...]
    """Where they come from, as in `[{corpus: requests}, {file: mine.jsonl}, {own: 500}]`."""
    max_tokens: Positive = 256
    """Longest answer; one that is cut off here is counted, and its end is not trained."""
    temperature: Annotated[float, Field(ge=0)] = 1.0
    """Of the answers; 0 is greedy, and shows less of what the backbone would say."""
    keep_logprobs: Logprobs = 0
    """Log-probabilities of so many most likely tokens are kept with each token, for stored labels."""
    seed: int = 0
    """Decides which prompts a limit keeps, and how answers are drawn."""
    near: bool = False
    """Also take prompts of the kinds that evaluation asks. They are left out otherwise, and counted."""

    @model_validator(mode="after")
    def _some_prompts(self) -> Self:
        if not self.prompts:
            raise ValueError("names no prompts; give a corpus, a file or own, as in `[{corpus: requests}]`")
        return self
