"""Speakers for a recipe's models: each with its vocabulary and chat format; and checks that they can be spoken to."""

from collections.abc import Mapping

from dragoman import suites
from dragoman.errors import TemplateError
from dragoman.generation.openai.connect import told_context
from dragoman.models.config import context_of, taught_alone
from dragoman.models.loading import pick_device
from dragoman.pipeline.models.cast import Cast, Model, asked_beside, setting
from dragoman.pipeline.models.engines import ModelSpec
from dragoman.pipeline.rows import method_of, settings_of, starts_apart
from dragoman.prompts.speak import Speaker
from dragoman.prompts.systems import SYSTEMS
from dragoman.recipe.judging import Judge
from dragoman.recipe.schema import Recipe


def speaker(recipe: Recipe, model: Model, others: Mapping[str, Model] | None = None) -> Speaker:
    """The speaker of a model, and through `of` the speakers of others.

    It asks for the translation alone where the recipe says so, or says nothing and the model was taught it.
    """
    said = recipe.evaluation.alone
    known = {name: Speaker(other.renderer(recipe.system)) for name, other in (others or {}).items()}
    return Speaker(
        model.renderer(recipe.system),
        others=known,
        context=context_of(model.path),
        format=model.format,
        alone=taught_alone(model.path) if said is None else said,
    )


def check_voices(recipe: Recipe, cast: Cast, speak: Speaker) -> None:
    """Checks that every model can be spoken to as the recipe wants; `speak` is the backbone's speaker, with the
    others'.

    TemplateError with all that have no chat template and would need one: for what, and what to write.
    """
    faults = []
    alike = {row: voice for row, voice in cast.taught.items() if voice.chat == cast.backbone.chat}
    if not speak.renderer.converses:
        taught = any(_learns_turns(recipe, row, voice) for row, voice in alike.items())
        speaking = [suite for voice in (cast.backbone, *alike.values()) for suite in conversing(recipe, voice)]
        if taught or speaking:
            told = () if taught else tuple(dict.fromkeys(speaking))
            faults.append(_without_template(cast.backbone, "backbone", told))
    for row, voice in cast.taught.items():
        if row not in alike and not starts_apart(recipe, row):
            try:
                speaker(recipe, voice)
            except TemplateError as error:
                faults.append(_unspeakable(row, voice, error))
    for row, voice in cast.finished.items():
        if not speaker(recipe, voice).renderer.converses and (asked := conversing(recipe, voice)):
            faults.append(_without_template(voice, row, asked))
    for name, option in asked_beside(recipe).items():
        if not speak.of(name).renderer.converses:
            faults.append(f"{option}: {name} has no chat template, in which it is asked; take another")
    for name, judge in cast.judges.items():
        if suites.parts(recipe)[name] == "judge" and not judge_speaker(judge).renderer.converses:
            faults.append(  # a guard's prompts are written out
                f"{setting(name)}: {judge.name} has no chat template, in which a judge is asked; take its instruct or "
                "chat version, or another judge"
            )
    if faults:
        raise TemplateError("\n".join(faults))


def _learns_turns(recipe: Recipe, row: str, voice: Model) -> bool:
    """Whether a row learns something as turns of a conversation, and not as texts that are written out alone."""
    settings, data, method = settings_of(recipe, row), recipe.data, method_of(recipe, row)
    written = {"texts"} | ({"train", "preferences"} if voice.format and voice.format.template else set())
    learnt = {*method.sees, *(() if method.only else ("train", "lessons"))} - written
    return bool(any(getattr(data, name, None) for name in learnt) or settings.replay or settings.recovery)


def _unspeakable(row: str, voice: Model, error: TemplateError) -> str:
    """The message about a row whose system's chat format the vocabulary can't say."""
    ends = voice.format.stops[0] if voice.format else ""
    return (
        f"methods: {row}: prompt: {error} A row learns in the chat format `{voice.chat}`: its tokens, such as {ends}, "
        "have to be in the vocabulary that the row starts from."
    )


def conversing(recipe: Recipe, model: Model) -> tuple[str, ...]:
    """The suites that use a model's chat format: all whose prompts have no format of their own."""
    own = model.format is not None and bool(model.format.template)
    return tuple(suite.name for suite in suites.of(recipe) if suite.converses(recipe, own))


def _without_template(model: Model, row: str, suites: tuple[str, ...]) -> str:
    system = SYSTEMS.get(model.prompt)
    chat = (system and system.chat) or "alpaca"
    why = "its own format" if system and system.chat else "Alpaca's prompt"
    if system and not system.chat:
        why += f"; `{model.prompt}` is a format for translations alone"
    if row == "backbone":
        who, where = f"the backbone {model.name}", f"in the recipe (`chat={chat}` on the command line)"
    else:
        who, where = f"compare.{row}: {model.name}", "in that entry"
    if not suites:
        return (
            f"{who} has no chat template, and what is taught is a conversation. Take the instruct or chat version of "
            f"this model, put a chat_template.jinja in its folder, or write `chat: {chat}` {where}: {why}."
        )
    told = f"{', '.join(suites)} speak{'s' if len(suites) == 1 else ''} to it in one"
    without = "this suite" if len(suites) == 1 else "these suites"
    asked = (
        " A translation system can be asked in its own words (`prompt: alma`)."
        if "translation" in suites and system is None
        else ""
    )
    return (
        f"{who} has no chat template, and {told}. Write `chat: {chat}` {where}: {why}. Or put a chat_template.jinja in "
        f"its folder, or leave {without} out.{asked}"
    )


def judge_speaker(judge: Model, settings: Judge | None = None) -> Speaker:
    """The speaker of a judge, which does not get the system prompt of the models it judges.

    If its settings name no model, a served judge is spoken to in the backbone's format. Its context is what the
    server tells; if it tells none, the server has to refuse what is too long.
    """
    renderer = judge.renderer()
    if settings and settings.model is None and settings.generation and settings.generation.engine == "openai":
        return Speaker(renderer, context=told_context(settings.generation.openai))
    return Speaker(renderer, context=context_of(judge.path))


def spec_of(model: Model, system: str | None = None) -> ModelSpec:
    """A model in the form that the door takes; a judge is not given the system prompt of those that it judges."""
    return ModelSpec(model.path, model.path, None, model.trust_remote_code, system, model.chat, model.bin_weights)


def device_name() -> str:
    import torch

    device = pick_device()
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"{torch.get_num_threads()} CPU threads"
