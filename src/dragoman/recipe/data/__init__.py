"""Fields of `data`: what is learnt from, and what is judged on. See `schema.py`."""

from typing import Literal, Self

from pydantic import model_validator

from dragoman.recipe.data.conversations import Dialogues, ReplayData
from dragoman.recipe.data.pairs import Corpus, Dev
from dragoman.recipe.data.preferences import Preferences
from dragoman.recipe.data.ratings import Ratings
from dragoman.recipe.data.texts import Mixture, Texts, wrong_shares
from dragoman.recipe.fields import Positive, Strict


class Data(Strict):
    train: Corpus | None = None
    """Pairs to learn from."""
    lessons: tuple[Dialogues, ...] = ()
    """Conversations to learn from, beside pairs or instead of them: another skill than translation."""
    instructions: tuple[Dialogues, ...] = ()
    """General instruction data, which `multitask` mixes in. No other method sees it."""
    texts: tuple[Texts, ...] = ()
    """Plain text to learn from, in one language or several: for `pretrain`. No other method sees it."""
    mixture: Mixture | None = None
    """In which shares the documents of `texts` are drawn; all of them once, mixed by size, when absent."""
    ratings: tuple[Ratings, ...] = ()
    """Translations with scores and marked errors, for `parrot`. No other method sees them."""
    preferences: tuple[Preferences, ...] = ()
    """Pairs of a chosen and a rejected translation, for `cpo`. No other method sees them."""
    test: Corpus | None = None
    """Pairs to be judged on."""
    dev: Dev | None = None
    """Pairs to validate on while training: the loss on them is logged, and can choose what is kept (`training.keep`)."""
    replay: ReplayData | None = None
    """General prompts that the backbone answers, so that what it says to them is kept: for rows whose `training` has `replay` or `recovery`. Those that come with Dragoman when absent."""
    max_tokens: Positive = 1024
    """Training examples whose prompt and reference are longer than this are left out, and counted."""
    contamination: Literal["auto", "remove", "refuse"] = "auto"
    """What to do with training data that shares a sentence or 13 words in a row with what is judged on: leave it out and list it, or refuse to go on; `auto` leaves it out, and refuses where a tenth of a test set is there."""
    mix_ups: Literal["refuse", "warn"] = "refuse"
    """What to do with files of one's own that are certainly mixed up (swapped languages, copies, a header row, lines shifted against each other): refuse to go on, or warn. What is not certain is a warning either way."""

    @property
    def learnt(self) -> bool:
        """Whether there is anything that methods learn from by itself."""
        return bool(self.train or self.lessons or self.texts or self.ratings or self.preferences)

    @model_validator(mode="after")
    def _shares_of_something(self) -> Self:
        if self.dev and self.dev.share is not None and self.train is None:
            raise ValueError("dev is a share of train, and train names no pairs; name the pairs of dev instead")
        if any(source.share is not None for source in self.lessons):
            raise ValueError("lessons are all there is to learn, so they can't be a share of it; give them a limit")
        if wrong := wrong_shares(self.texts, self.mixture):
            raise ValueError(wrong)
        if self.train is None and any(text.pairs == "train" for text in self.texts):
            raise ValueError("has texts of the pairs of train, and train names none; name the pairs in texts")
        if sum(source.share or 0 for source in self.instructions) >= 1:
            raise ValueError(
                "the shares of instructions leave no room for what is to be learnt; keep their sum below 1"
            )
        return self
