"""The cast: all models that a recipe names, wherever they come from, and the part of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

from dragoman import suites
from dragoman.errors import DataError, EngineError
from dragoman.json_values import Json
from dragoman.lab import BACKBONE
from dragoman.models.catalog import catalogue
from dragoman.models.config import ORIGIN, read_config
from dragoman.models.loading import locate
from dragoman.models.weights import deciding_files, weight_files
from dragoman.pipeline.models import catalogued
from dragoman.pipeline.models.adapted import adapted, added
from dragoman.pipeline.rows import prompt_of, rows
from dragoman.prompts.formats import FORMATS
from dragoman.prompts.render import Renderer
from dragoman.prompts.systems import SYSTEMS, System, taught
from dragoman.recipe.judging import Chat, Finished, Judge, Prompt
from dragoman.recipe.schema import Recipe
from dragoman.store import Digests, fingerprint

# What may change a model's prompts or answers, beside its weights; its card may not.
DECIDING = ("*.json", "*.model", "*.jinja", "*.txt", "*.py")


@dataclass(frozen=True, slots=True)
class Model:
    """Where the weights are, and how the model is spoken to.

    `digest` identifies their contents, or is the hub's name if they are not here yet; it includes the chat format if
    that is not the model's own, so that whatever is made with another format has another name.
    """

    name: str
    folder: Path | None
    digest: str
    trust_remote_code: bool = False
    bin_weights: bool = False
    """Whether its weights may be read from .bin files."""
    chat: Chat = "own"
    prompt: Prompt = "own"
    """In whose words it is asked for a translation."""
    taught: System | None = None
    """How a row was taught to be asked for one, in place of that."""

    @property
    def path(self) -> Path:
        if self.folder is None:
            raise EngineError(f"the model {self.name} is not on this machine")
        return self.folder

    @property
    def format(self) -> System | None:
        """How it is asked for a translation; None for its chat format."""
        return self.taught or SYSTEMS.get(self.prompt)

    @property
    def asked(self) -> Json:
        """What decides how it is asked for a translation, for fingerprints."""
        return self.taught.told if self.taught else self.prompt

    @property
    def weights(self) -> str:
        """What its weights are, such as `dequantised from Q4_1`; empty if they are those that were published."""
        origin = read_config(self.path).get(ORIGIN)
        return f"dequantised from {origin}" if isinstance(origin, str) else ""

    @property
    def files(self) -> list[Path]:
        """The files that determine how it answers."""
        return _deciding(self.path)

    def renderer(self, system: str | None = None) -> Renderer:
        """Its tokenizer and chat format, with a system prompt for what it is asked."""
        return _renderer(self, system)


@dataclass(frozen=True, slots=True)
class Cast:
    """All models that a recipe names, and the part that each plays."""

    backbone: Model
    others: Mapping[str, Model]
    """The models that write rationales instead of the backbone, by the name that methods use."""
    finished: Mapping[str, Model]
    """Rows that are compared but not trained."""
    judges: Mapping[str, Model]
    """By their names in `suites.judges`; for a judge on a server, the model whose vocabulary and chat format it has."""
    tellers: Mapping[str, Model] = field(default_factory=dict)
    """The models by which the perplexity of texts is told, where it is not the backbone."""
    taught: Mapping[str, Model] = field(default_factory=dict)
    """Rows that are trained → the backbone, spoken to as the row is taught to be."""

    def voice(self, row: str) -> Model:
        """The model whose vocabulary and chat format a row has."""
        return self.finished.get(row) or self.taught.get(row, self.backbone)

    @property
    def every(self) -> tuple[Model, ...]:
        return (
            self.backbone,
            *self.others.values(),
            *self.finished.values(),
            *self.judges.values(),
            *self.tellers.values(),
        )


def find_cast(recipe: Recipe, digests: Digests, *, fetch: bool = False) -> Cast:
    """All models of a recipe. Nothing is fetched unless `fetch` is set.

    Raises EngineError if a model does not exist, or has no weights that may be read.
    """
    backbone = find_backbone(recipe, digests, fetch=fetch)
    finished = {
        one.row: spoken_to(
            _finished(recipe, one, digests, fetch),
            one.chat,
            one.prompt,
        )
        for one in recipe.compare
    }
    judges = {
        name: _find(recipe, setting(name), who.model, who.revision, _Allowed.by(who), digests, fetch)
        if who.model
        else backbone
        for name, who in suites.judges(recipe).items()
    }
    tellers = {
        name: _find(recipe, "data.texts: perplexity_of", name, None, _Allowed.by(recipe), digests, fetch)
        for name in (text.perplexity_of for text in recipe.data.texts)
        if name is not None
    }
    spoken = {row: as_taught(recipe, row, backbone) for row in rows(recipe)}
    return Cast(backbone, find_others(recipe, digests, fetch=fetch), finished, judges, tellers, spoken)


def setting(judge: str) -> str:
    """The recipe field that sets a judge, given the judge's name in `suites.judges`."""
    return judge if "." in judge else f"evaluation.{judge}"


def find_backbone(recipe: Recipe, digests: Digests, *, fetch: bool = False) -> Model:
    """The backbone's folder and digest. Nothing is fetched unless `fetch` is set.

    Raises EngineError if it does not exist, or has no weights that may be read.
    """
    found = _find(recipe, "backbone", recipe.backbone, recipe.revision, _Allowed.by(recipe), digests, fetch)
    return spoken_to(found, recipe.chat, recipe.prompt)


def as_taught(recipe: Recipe, row: str, model: Model) -> Model:
    """The same model, asked for translations as a row is taught to be, and spoken to in that system's chat format if it
    has one. DataError if a file of instructions can't be read.
    """
    try:
        format = taught(prompt_of(recipe, row))
    except DataError as error:
        raise DataError(f"methods: {row}: prompt.instructions: {error}") from error
    if format and format.chat and format.chat != model.chat:
        model = spoken_to(model, format.chat, "own")
    return replace(model, prompt="own", taught=format)


def spoken_to(found: Model, chat: Chat, prompt: Prompt) -> Model:
    """A model in its own chat format, spoken to in another one."""
    digest = found.digest if chat == "own" else fingerprint([found.digest, chat, FORMATS[chat].template])
    return replace(found, chat=chat, prompt=prompt, digest=digest)


def find_others(recipe: Recipe, digests: Digests, *, fetch: bool = False) -> dict[str, Model]:
    """The other models that methods ask, by name: teachers, and those that write rationales."""
    return {
        name: _find(recipe, field, name, None, _Allowed.by(recipe), digests, fetch)
        for name, field in asked_beside(recipe).items()
    }


def asked_beside(recipe: Recipe) -> dict[str, str]:
    """The models that methods ask beside the backbone → the option that first names each."""
    found: dict[str, str] = {}
    for row, (_, options) in rows(recipe).items():
        if name := writer(options):
            found.setdefault(name, f"methods: {row}: {'teacher' if options.get('teacher') else 'rationale.model'}")
    return found


def writer(options: Mapping[str, Any]) -> str | None:
    """The model that a method's options name beside the backbone: its teacher, or who writes its rationales."""
    found: str | None = options.get("teacher") or (options.get("rationale") or {}).get("model")
    return found


def find_folder(
    name: str,
    revision: str | None = None,
    trust_remote_code: bool = False,
    *,
    bin_weights: bool = False,
    fetch: bool = True,
) -> Path:
    """The folder of a model by any name that a person may use: `lab`, one of the catalogue, a directory, or one of
    the hub.

    A model of the catalogue is made at its first use. Raises EngineError if there is no such model, or it cannot be
    had; with `fetch` off, nothing is fetched or made.
    """
    if name == "lab":
        return BACKBONE
    if entry := catalogue().get(name):
        if revision is not None:
            raise EngineError(f"{name} is a model of the catalogue, which has no revisions: leave {revision!r} out.")
        return catalogued.folder_of(entry, fetch=fetch)
    return locate(name, revision, trust_remote_code, bin_weights=bin_weights, fetch=fetch)


def _finished(recipe: Recipe, one: Finished, digests: Digests, fetch: bool) -> Model:
    """A model to compare with. The sum of a difference and its base is made by a run; until then there is no folder."""
    field, allowed = f"compare.{one.row}", _Allowed.by(one)
    if one.added_to is None:
        return _find(recipe, field, one.model, one.revision, allowed, digests, fetch)
    try:
        both = added(one, digests, partial(find_folder, fetch=fetch))
    except EngineError:
        if fetch or not all(map(_on_the_hub, (one.model, one.added_to))):
            raise
        both = None
    whole = both.folder(Path(recipe.runs) / ".store") if both else None
    if whole is None or not whole.is_dir():
        known = both.artifact if both else [one.model, one.revision, one.added_to]
        return Model(one.model, None, fingerprint(["sum", known]), *allowed)
    return replace(_find(recipe, field, str(whole), None, allowed, digests, fetch), name=one.model)


def _find(
    recipe: Recipe,
    field: str,
    name: str,
    revision: str | None,
    allowed: "_Allowed",
    digests: Digests,
    fetch: bool,
) -> Model:
    """A model by its name. An adapter is merged into its base by a run; until then there is no folder."""
    code, bins = allowed
    if with_base := adapted(name, digests, partial(find_folder, fetch=fetch), code, bins):
        merged = with_base.folder(Path(recipe.runs) / ".store")
        if not merged.is_dir():
            return Model(name, None, fingerprint(["adapter", with_base.artifact]), code, bins)
        return replace(_find(recipe, field, str(merged), None, allowed, digests, fetch), name=name)
    try:
        folder = find_folder(name, revision, code, bin_weights=bins, fetch=fetch)
    except EngineError:
        if fetch or not (name in catalogue() or _on_the_hub(name)):
            raise
        entry = catalogue().get(name)
        return Model(name, None, entry.digest if entry else fingerprint(["hub", name, revision]), code, bins)
    weight_files(folder, bins, f"{field}: {folder}")
    read_config(folder)
    contents = {path.name: digests.of(path) for path in _deciding(folder)}
    return Model(name, folder, fingerprint(contents), code, bins)


class _Allowed(NamedTuple):
    """What a recipe allows for a model, by name."""

    code: bool
    bins: bool

    @classmethod
    def by(cls, said: Recipe | Finished | Judge) -> "_Allowed":
        return cls(said.trust_remote_code, said.bin_weights)


@cache
def _renderer(model: Model, system: str | None) -> Renderer:
    """A tokenizer is read once, however many ask for it; the digest in `model` tells another one in its place."""
    return Renderer.load(model.path, model.trust_remote_code, system, chat=model.chat)


def _deciding(folder: Path) -> list[Path]:
    beside = {path for pattern in DECIDING for path in folder.glob(pattern) if path.name != "card.json"}
    return sorted({*beside, *deciding_files(folder)})


def _on_the_hub(name: str) -> bool:
    """Whether this could be a name on the hub: an owner and a model."""
    return name.count("/") == 1 and not name.startswith((".", "/", "~"))
