"""Fields of `generation` and `hardware`: how models are asked, by which engine, and on what. See `schema.py`."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dragoman.recipe.fields import Fraction, Positive, Strict


class Vllm(Strict):
    """The `vllm` engine."""

    memory: Annotated[float, Field(gt=0, le=1)] = 0.9
    """Share of an accelerator's memory that it may take."""
    tensor_parallel: Positive = 1
    """Accelerators that share one copy of the model."""
    data_parallel: Positive = 1
    """Copies of the model, each on accelerators of its own; Ray runs them on this machine."""
    sequences: Positive = 256
    """Prompts that are in work at once."""
    max_length: Positive | None = None
    """Longest prompt and answer together; the model's context when absent."""
    eager: bool | None = None
    """Start sooner and run slower, without compiling; on a processor alone when absent."""
    cpu_cache: Positive = 1
    """GiB of memory for keys and values where there is no accelerator."""


class Server(Strict):
    """The `openai` engine: a server that speaks the OpenAI protocol."""

    address: str | None = None
    """Such as `http://localhost:8000/v1`; the environment's OPENAI_BASE_URL when absent."""
    model: str | None = None
    """The model's name on the server; the only one it serves when absent."""
    key: str = "OPENAI_API_KEY"
    """Environment variable that holds the key. The key itself has no place in a recipe."""
    api: Literal["auto", "completions", "chat"] = "auto"
    """`completions` takes token ids, `chat` takes text; `auto` asks the server."""
    concurrency: Positive = 64
    """Requests that are under way at once."""
    timeout: Annotated[float, Field(gt=0)] = 600
    """Seconds to wait for one answer."""
    retries: Annotated[int, Field(ge=0)] = 8
    """How often a request is tried again after a busy server, a cut connection or no answer in time."""


class Ray(Strict):
    """The `ray` engine: actors on the machines of a Ray cluster, each with an engine of its own."""

    address: str | None = None
    """Of the cluster; `auto` finds the one this machine belongs to. When absent, one is started here."""
    engine: Literal["auto", "hf", "vllm"] = "auto"
    """What each actor holds."""
    actors: tuple[Positive, Positive] = (1, 1)
    """At least and at most so many; the cluster decides in between."""
    cpus: Annotated[float, Field(gt=0)] = 1
    """Processor cores of an actor."""
    gpus: Annotated[float, Field(ge=0)] | None = None
    """Accelerators of an actor; what its engine needs where the cluster has any, when absent."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.actors[0] > self.actors[1]:
            raise ValueError(f"asks for at least {self.actors[0]} actors and at most {self.actors[1]}")
        return self


class Generation(Strict):
    """How models are asked."""

    engine: Literal["auto", "hf", "vllm", "openai", "ray"] = "auto"
    """Which engine completes prompts; `auto` is `vllm` where it is installed and there is an accelerator, else `hf`. A server (`openai`) is asked for rationales alone: models are judged with `auto` then."""
    batch_tokens: Positive = 32768
    """Tokens, padding and room for the answers counted in, that one batch of the `hf` engine may hold."""
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    """Of the models that are asked; `auto` takes bf16 where the processor has it."""
    shard: Positive = 512
    """Completions in one shard of the cache: what a kill can cost at most."""
    cache: str | None = None
    """Folder or address (`s3://bucket/folder`, any of fsspec) of finished completions, to share them between machines; below `runs` when absent."""
    tolerate: Fraction = 0.0
    """Share of an ask's prompts that a server may refuse for good before that is an error. They are counted, and get no rationale."""
    vllm: Vllm = Vllm()
    """The `vllm` engine."""
    openai: Server = Server()
    """The `openai` engine."""
    ray: Ray = Ray()
    """The `ray` engine."""


class Hardware(Strict):
    """Accelerators that `dragoman run --dry-run` reckons with. A run takes what it finds."""

    gpu: str = "a100-80gb"
    """Such as `a100-80gb`, `h100-80gb`, `h200`, `l40s`, `rtx-4090`."""
    count: Positive = 1
    """How many of them."""
