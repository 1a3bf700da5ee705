"""Choosing the engine that answers for each model, as the recipe says and this machine allows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from dragoman import suites
from dragoman.errors import EngineError
from dragoman.generation.ask import Engine
from dragoman.generation.door import Door, OpenModel
from dragoman.generation.local_engine import Local, local_kind
from dragoman.generation.openai.engine import ServerEngine
from dragoman.generation.ray.cluster import library
from dragoman.generation.ray.engine import RayEngine
from dragoman.generation.vllm.startup import installed
from dragoman.models.loading import fingerprint, pick_device, pick_dtype
from dragoman.prompts.render import Renderer
from dragoman.recipe.engines import Generation, Ray
from dragoman.recipe.judging import Chat
from dragoman.recipe.schema import Recipe
from dragoman.store import Digests


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model to ask: its weights, perhaps an adapter on them, and whose chat format it is spoken to in."""

    folder: Path
    voice: Path
    adapter: Path | None = None
    trust_remote_code: bool = False
    system: str | None = None
    chat: Chat = "own"
    bin_weights: bool = False

    def renderer(self) -> Renderer:
        return Renderer.load(self.voice, self.trust_remote_code, self.system, chat=self.chat)


def open_door(
    settings: Generation,
    cache: Path,
    models: Mapping[str, ModelSpec],
    *,
    served: str | None = None,
    engines: Mapping[str, Generation] | None = None,
) -> Door:
    """The door to some models by name; `served` is the one that a server answers for, if the recipe has a server.

    All others are asked on this machine, or over Ray; those in `engines` with these settings. Completions are cached
    in `cache`, or in the shared cache that the recipe names.
    """
    memo = Digests(cache / "weights.json")

    def open_model(name: str) -> OpenModel:
        if own := (engines or {}).get(name):
            found = _on_a_server(own, models[name]) if own.engine == "openai" else _here(own, models[name], memo)
            return replace(found, tolerate=own.tolerate)
        if settings.engine == "openai" and name == served:
            return _on_a_server(settings, models[name])
        return _here(settings, models[name], memo)

    return Door(settings.cache or cache, open_model, shard=settings.shard, tolerate=settings.tolerate)


def judge_engine(recipe: Recipe, judge: str) -> Generation:
    """How a judge of a recipe answers: as its own settings say, else as the recipe's.

    A server that answers for the recipe's models has another model than the judge, which then answers here.
    """
    own = suites.judges(recipe)[judge].generation
    if own is None and recipe.generation.engine == "openai":
        return recipe.generation.model_copy(update={"engine": "auto"})
    return own or recipe.generation


def check_engine(settings: Generation, spec: ModelSpec, written: str = "") -> None:
    """Checks that the engine that a recipe names could start here. EngineError with what is missing.

    `written` names prompts that are no conversation which the model's chat template renders, if there are any.
    """
    spread = settings.engine == "ray"
    if spread or settings.vllm.data_parallel > 1:
        library()
    if "vllm" in (settings.engine, spread and settings.ray.engine):
        installed(accelerator=pick_device().type != "cpu")
    if settings.engine == "openai":
        server = _server(settings, spec)
        server.close()
        if written and server.way.api != "completions":
            raise EngineError(
                f"the server at {server.address} takes conversations, and {written} is no conversation: it needs a "
                "server that completes token ids (vLLM's completions), or the engine hf, vllm or ray"
            )


def answering(settings: Generation, *, judging: bool = False) -> str | list[str | None]:
    """Who answers, as the recipe says it. Engines agree but for near ties, so another one makes another stage."""
    if settings.engine == "ray":
        return settings.ray.engine
    if settings.engine == "openai":
        return "auto" if judging else [settings.openai.address, settings.openai.model]
    return settings.engine


def local_engine(kind: Local, settings: Generation, spec: ModelSpec) -> Engine:
    """An engine on this machine. Actors on other machines call it too, so all its arguments can be pickled."""
    renderer = spec.renderer()
    if kind == "vllm":
        from dragoman.generation.vllm.engine import VllmEngine

        return VllmEngine(
            spec.folder,
            decode=renderer.decode,
            extensions=renderer.extensions,
            settings=settings.vllm.model_copy(update={"data_parallel": 1}),  # the copies are actors
            precision=settings.precision,
            adapter=spec.adapter,
            trust_remote_code=spec.trust_remote_code,
            bin_weights=spec.bin_weights,
        )
    from dragoman.generation.hf.engine import HfEngine

    return HfEngine(
        spec.folder,
        decode=renderer.decode,
        extensions=renderer.extensions,
        batch_tokens=settings.batch_tokens,
        precision=settings.precision,
        adapter=spec.adapter,
        trust_remote_code=spec.trust_remote_code,
        bin_weights=spec.bin_weights,
    )


def _here(settings: Generation, spec: ModelSpec, memo: Digests) -> OpenModel:
    kind = local_kind(settings)
    make: Callable[[], Engine] = partial(local_engine, kind, settings, spec)
    spread, each = settings.ray if settings.engine == "ray" else None, settings.vllm.tensor_parallel
    if spread is None and kind == "vllm" and settings.vllm.data_parallel > 1:
        copies = settings.vllm.data_parallel
        spread = Ray(actors=(copies, copies), gpus=each if pick_device().type != "cpu" else 0)
    if spread is not None and kind == "vllm" and each > 1 and spread.gpus is None:
        spread = spread.model_copy(update={"gpus": float(each)})
    contents = fingerprint(spec.folder, adapter=spec.adapter, digest_of=memo.of)
    memo.save()
    dtype = pick_dtype(settings.precision, pick_device())
    load = make if spread is None else partial(_over_ray, make, spread, settings.shard)
    return OpenModel(f"{contents}|{kind}|{dtype}", load, made_in=_made_in(kind, str(dtype), settings, spread))


def _made_in(kind: Local, dtype: str, settings: Generation, spread: Ray | None) -> str:
    """For instance `hf-bfloat16-32768`: with the size of its batches if we make them."""
    engine = f"{kind}-{dtype.removeprefix('torch.')}"
    if spread is not None:
        return f"ray-{engine}"
    return f"{engine}-{settings.batch_tokens}" if kind == "hf" else engine


def _over_ray(make: Callable[[], Engine], spread: Ray, shard: int) -> Engine:

    return RayEngine(make, spread, shard=shard)


def _on_a_server(settings: Generation, spec: ModelSpec) -> OpenModel:
    """The served model; its weights cannot be seen, so the server's address and its name for the model stand for
    them.
    """
    engine = _server(settings, spec)
    return OpenModel(f"server|{engine.name}", lambda: engine, made_in="server")


def _server(settings: Generation, spec: ModelSpec) -> ServerEngine:

    renderer = spec.renderer()
    return ServerEngine(
        settings.openai,
        decode=renderer.decode,
        encode=renderer.encode,
        turns=renderer.turns,
        extensions=renderer.extensions,
        vocabulary=1 + max(renderer.tokenizer.get_vocab().values()),
    )
