"""The model that a recipe names: the lab's own, a directory, or one from the hub."""

from dataclasses import dataclass
from pathlib import Path

from dragoman.errors import EngineError
from dragoman.lab import BACKBONE
from dragoman.recipe.schema import Recipe
from dragoman.store import Digests, fingerprint

WANTED = ("*.json", "*.safetensors", "*.model", "*.jinja", "*.txt", "*.py")


@dataclass(frozen=True, slots=True)
class Backbone:
    """Where the weights lie. `digest` names their contents, or the hub's name where they are not here yet."""

    name: str
    folder: Path | None
    digest: str
    revision: str | None = None
    trust_remote_code: bool = False

    @property
    def path(self) -> Path:
        if self.folder is None:
            raise EngineError(f"the backbone {self.name} is not on this machine")
        return self.folder


def find_backbone(recipe: Recipe, digests: Digests, *, download: bool = False) -> Backbone:
    """The backbone's folder and the name of its contents. Nothing is fetched unless `download` is set.

    Raises EngineError where it is neither a directory with safetensors nor to be had from the hub.
    """
    name = recipe.backbone
    folder = BACKBONE if name == "lab" else Path(name)
    if not folder.is_dir():
        looks_local = name.startswith((".", "/", "~")) or name.count("/") != 1
        if looks_local:
            raise EngineError(f"backbone: there is no directory {name}. Name a directory, a model on the hub, or lab.")
        found = _from_hub(recipe, download=download)
        if found is None:
            return Backbone(
                name, None, fingerprint(["hub", name, recipe.revision]), recipe.revision, recipe.trust_remote_code
            )
        folder = found
    if not (folder / "config.json").is_file():
        raise EngineError(f"backbone: {folder} has no config.json; a model in transformers' format is needed.")
    if not any(folder.glob("*.safetensors")):
        raise EngineError(
            f"backbone: {folder} has no .safetensors file. Models are loaded from safetensors only; convert it with "
            "`save_pretrained` of transformers."
        )
    # Python files may change what a model computes; the card (README.md) may not.
    paths = sorted({path for pattern in WANTED for path in folder.glob(pattern) if path.name != "card.json"})
    contents = {path.name: digests.of(path) for path in paths}
    return Backbone(name, folder, fingerprint(contents), recipe.revision, recipe.trust_remote_code)


def _from_hub(recipe: Recipe, *, download: bool) -> Path | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(
            snapshot_download(
                recipe.backbone,
                revision=recipe.revision,
                allow_patterns=list(WANTED),
                local_files_only=not download,
            )
        )
    except LocalEntryNotFoundError as fault:
        if not download:
            return None
        raise EngineError(
            f"backbone: {recipe.backbone} is not on this machine and could not be fetched from the hub. "
            "Check the name and the network, or give a directory."
        ) from fault
    except HfHubHTTPError as fault:
        raise EngineError(
            f"backbone: the hub does not give {recipe.backbone} ({fault}). A gated model needs `hf auth login`."
        ) from fault
