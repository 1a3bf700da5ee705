"""The models of a recipe as those who ask see them: whose chat format and vocabulary, where the weights lie."""

from collections.abc import Mapping

import torch

from dragoman.generation.greet import told_context
from dragoman.generation.models import pick_device
from dragoman.pipeline.backbone import Backbone
from dragoman.pipeline.engines import Asked
from dragoman.pipeline.lengths import context_of
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker
from dragoman.prompts.systems import SYSTEMS
from dragoman.recipe.judging import Judge
from dragoman.recipe.schema import Recipe


def speaker(recipe: Recipe, model: Backbone, others: Mapping[str, Backbone] | None = None) -> Speaker:
    """Speaks to a model, and through `of` to others."""

    def load(model: Backbone) -> Renderer:
        return Renderer.load(model.path, model.trust_remote_code, recipe.system, chat=model.chat)

    known = {name: Speaker(load(other)) for name, other in (others or {}).items()}
    return Speaker(load(model), others=known, context=context_of(model.path), format=SYSTEMS.get(model.prompt))


def judge_speaker(judge: Backbone, settings: Judge | None = None) -> Speaker:
    """Speaks to a judge, which is not given the system prompt of those that it judges.

    Where its settings name no model, a server judges in the backbone's words, and has a context of its own: what it
    tells; where it tells none, it is the one to refuse what is too long.
    """
    renderer = Renderer.load(judge.path, judge.trust_remote_code, chat=judge.chat)
    if settings and settings.model is None and settings.generation and settings.generation.engine == "openai":
        return Speaker(renderer, context=told_context(settings.generation.openai))
    return Speaker(renderer, context=context_of(judge.path))


def asked(recipe: Recipe, model: Backbone) -> Asked:
    """A model as the door takes it."""
    return Asked(model.path, model.path, None, model.trust_remote_code, recipe.system, model.chat)


def device_name() -> str:
    device = pick_device()
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"{torch.get_num_threads()} CPU threads"
