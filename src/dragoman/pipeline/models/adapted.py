"""Adapters and differences that are named as models: which base each is for, and where the two are merged."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dragoman.errors import EngineError
from dragoman.models.config import read_json
from dragoman.models.loading import fingerprint as model_contents
from dragoman.models.weights import companions
from dragoman.recipe.judging import Finished
from dragoman.store import Digests, fingerprint

CONFIG = "adapter_config.json"


@dataclass(frozen=True, slots=True)
class Adapted:
    """An adapter or a difference, the base that it is for, and the artifact that the two are merged in."""

    adapter: Path
    base: Path
    artifact: str
    trust_remote_code: bool = False
    bin_weights: bool = False
    difference: bool = False

    def folder(self, store: Path) -> Path:
        """The merged model, which may not be there yet."""
        return store / "artifacts" / self.artifact / "model"


class Find(Protocol):
    """`cast.find_folder`: the folder of a model by any name that a person may use."""

    def __call__(
        self, name: str, revision: str | None, trust_remote_code: bool, /, *, bin_weights: bool = False
    ) -> Path: ...


def adapted(
    name: str, digests: Digests, find: Find, trust_remote_code: bool = False, bin_weights: bool = False
) -> Adapted | None:
    """A folder that holds an adapter and no model, with its base. EngineError if its base is not to be had."""
    folder = Path(name).expanduser()
    if not (folder / CONFIG).is_file() or (folder / "config.json").is_file():
        return None
    base = _base(folder, find, trust_remote_code, bin_weights)
    beside = [*companions(base), *companions(folder)]
    weights = model_contents(base, adapter=folder, digest_of=digests.of)
    contents = fingerprint([weights, [[path.name, digests.of(path)] for path in beside]])
    return Adapted(
        folder, base, f"merge-{_label(folder.resolve().name)}-{contents[:12]}", trust_remote_code, bin_weights
    )


def added(one: Finished, digests: Digests, find: Find) -> Adapted | None:
    """A model that is a difference to another, with that one. EngineError if either is not to be had."""
    if one.added_to is None:
        return None
    code, bins = one.trust_remote_code, one.bin_weights
    folder = find(one.model, one.revision, code, bin_weights=bins)
    base = find(one.added_to, None, code, bin_weights=bins)
    beside = [path for path in (folder / "config.json", *companions(folder)) if path.is_file()]
    weights = [model_contents(part, digest_of=digests.of) for part in (folder, base)]
    contents = fingerprint([*weights, [[path.name, digests.of(path)] for path in beside]])
    return Adapted(folder, base, f"sum-{_label(one.row)}-{contents[:12]}", code, bins, difference=True)


def _label(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name)


def _base(adapter: Path, find: Find, trust_remote_code: bool, bin_weights: bool) -> Path:
    """The folder of the model that an adapter says it was made for."""
    about = read_json(adapter / CONFIG)
    name, revision = about.get("base_model_name_or_path"), about.get("revision")
    if not isinstance(name, str) or not name:
        raise EngineError(f"{adapter} is an adapter, and does not say of which base. {_advice(adapter)}")
    beside = adapter.parent / name
    place = str(beside) if beside.is_dir() and not Path(name).is_dir() else name
    commit = revision if isinstance(revision, str) and revision else None
    try:
        return find(place, commit, trust_remote_code, bin_weights=bin_weights)
    except EngineError as error:
        raise EngineError(
            f"{adapter} is an adapter for {name}, which could not be found. {_advice(adapter)}\n  {error}"
        ) from error


def _advice(adapter: Path) -> str:
    return (
        f"Bring its base here and write where it is as base_model_name_or_path in {adapter / CONFIG}; or name the base "
        f"as the model: `dragoman translate` and `dragoman chat` take this beside it, as --adapter {adapter}."
    )
