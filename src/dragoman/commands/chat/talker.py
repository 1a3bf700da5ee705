"""A model that answers turns of a conversation, and translates as it is judged."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dragoman.commands.files import languages
from dragoman.corpora.records import Pair, Turn
from dragoman.errors import DataError
from dragoman.generation.ask import Engine, Sampling
from dragoman.pipeline.models.engines import local_engine
from dragoman.pipeline.models.speakers import speaker, spec_of
from dragoman.pipeline.plan import open_store
from dragoman.pipeline.translate_file.lines import one_model
from dragoman.progress import note
from dragoman.prompts.speak import Speaker
from dragoman.recipe.schema import Recipe
from dragoman.suites.translation.suite import hypothesis, translation_ask


class Talker:
    """A model in memory. `max_tokens` limits its answers, `translation_tokens` its translations."""

    def __init__(self, speak: Speaker, engine: Engine, max_tokens: int = 512, translation_tokens: int = 256):
        self.speak = speak
        self.engine = engine
        self.max_tokens = max_tokens
        self.translation_tokens = translation_tokens

    @classmethod
    def load(cls, recipe: Recipe, adapter: Path | None = None, max_tokens: int = 512) -> "Talker":
        """The backbone of a recipe, perhaps with an adapter.

        EngineError or TemplateError if it cannot talk, or the adapter is for another model.
        """
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()
        model = one_model(recipe, open_store(recipe, note))
        speak = speaker(recipe, model)
        speak.renderer.require_chat()
        engine = local_engine("hf", recipe.generation, replace(spec_of(model, recipe.system), adapter=adapter))
        return cls(speak, engine, max_tokens, recipe.evaluation.translation_tokens)

    def answer(self, turns: Sequence[Turn], temperature: float = 0.0) -> str:
        """What the assistant says next. EngineError if the conversation is too long."""
        sampling = Sampling(self.max_tokens, self.speak.renderer.stop, temperature)
        (_, completion), *_ = self.engine.complete([self.speak.turns(turns)], sampling)
        return completion.text.strip()

    def translate(self, text: str, direction: str) -> str:
        """The translation alone, asked for and extracted as it is scored.

        DataError if there is no such direction, or no translation in the answer.
        """
        pair = Pair(text.strip(), "", *languages(direction))
        ask = translation_ask("", [pair], self.speak, self.translation_tokens, "")
        (_, completion), *_ = self.engine.complete(ask.prompts, ask.sampling)
        found = hypothesis(self.speak.after(completion.text, pair), pair)
        if found is None:
            raise DataError(f"no translation was found in the answer: {completion.text.strip() or '(nothing)'}")
        return found

    def told(self, system: str | None) -> "Talker":
        """The same model with another system prompt."""
        from dragoman.prompts.render import Renderer

        renderer = Renderer(self.speak.renderer.tokenizer, system)
        kept = self.speak
        speak = Speaker(renderer, context=kept.context, format=kept.format, alone=kept.alone)
        return Talker(speak, self.engine, self.max_tokens, self.translation_tokens)
