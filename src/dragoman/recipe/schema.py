"""The recipe's schema. The text under a field is its documentation and its help.

No torch here, and nothing heavy: `dragoman show` and `--dry-run` answer at once.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, SerializeAsAny, model_validator

from dragoman.recipe.data import Data
from dragoman.recipe.data.pairs import Corpus
from dragoman.recipe.engines import Generation, Hardware
from dragoman.recipe.faults import suggestion
from dragoman.recipe.fields import Distinct, Strict, distinct_seeds, folder_name
from dragoman.recipe.judging import Benchmark, Chat, Evaluation, Finished, Pick, Prompt, Verdict
from dragoman.recipe.source import Keys
from dragoman.recipe.training import Training


class Recipe(Strict):
    """An experiment: a backbone, pairs, the methods to compare, and how they are judged."""

    name: Annotated[str, AfterValidator(folder_name)]
    """Results land in `runs/NAME`."""
    backbone: str
    """A directory, a name on the Hugging Face hub or of `dragoman models list`, or `lab`."""
    revision: str | None = None
    """Commit or tag of a backbone on the hub."""
    chat: Chat = "own"
    """How it is spoken to: by its own chat template, with Alpaca's prompt (`### Instruction:` …), for base models that have none, or as a published system's users speak to it."""
    trust_remote_code: bool = False
    """Run Python code that comes with the backbone. Off unless a recipe says so by name."""
    bin_weights: bool = False
    """Read the backbone's weights from `.bin` files where it has no safetensors: their tensors alone, whatever else is in them is refused. Off unless a recipe says so by name."""
    system: str | None = None
    """System prompt; what the chat template does by itself when absent."""
    data: Data = Data()
    """What is learnt from, and what is judged on."""
    methods: tuple[dict[str, Any], ...] = ()
    """A name (`vanilla`), or a name with its options (`radis: {rationale_fraction: 0.5}`). Each is trained, judged and compared. With none, the backbone is judged as it is."""
    compare: tuple[Finished, ...] = ()
    """Finished models that are judged beside: a list of mappings, as in `[{model: haoranxu/ALMA-7B, prompt: alma, label: alma}]`."""
    prompt: Prompt = "own"
    """How the backbone is asked for a translation (see `compare`), and how every row is taught to be that has no `prompt` of its own."""
    generation: Generation = Generation()
    """How models are asked."""
    training: Training = Training()
    """How a model is fitted to the examples."""
    seeds: Annotated[tuple[int, ...], AfterValidator(distinct_seeds)] = ()
    """Train each method once with each of these seeds, and report means; `training.seed` alone when empty."""
    hardware: Hardware | None = None
    """Accelerators that `--dry-run` reckons with."""
    evaluate: Annotated[tuple[str, ...], Field(min_length=1), Distinct] = ("translation",)
    """Suites to judge with: `translation`, `humaneval`, `mt-bench`, `alpaca-eval-2`, `safety`, tasks of lm-evaluation-harness (`gsm8k`, `ifeval`, `harness:NAME`), benchmarks in a language (`xquad-de`), the lab's, files of questions."""
    benchmarks: dict[Annotated[str, AfterValidator(folder_name)], SerializeAsAny[Benchmark]] = {}
    """Benchmarks with files, prompts or limits of one's own, by the name that `evaluate` uses. Without an entry `mlqa-de-en` means: MLQA, German context, English question."""
    evaluation: Evaluation = Evaluation()
    """How models are judged."""
    verdict: Verdict = Verdict()
    """What `dragoman verdict` lets pass."""
    pick: Pick = Pick()
    """Which strength of a row `dragoman scale` picks."""
    runs: str = "runs"
    """Folder for results; finished work is kept below it, in `.store`, and shared by all recipes there."""

    @model_validator(mode="after")
    def _something_to_learn(self) -> Self:
        if self.methods and not self.data.learnt:
            raise ValueError(
                "has nothing to learn from; under data, give train (pairs), lessons (conversations), texts, "
                "ratings, or preferences. Without methods the backbone is judged as it is"
            )
        if not self.methods and self.data.learnt:
            raise ValueError(
                "has something to learn from, but no methods; name some, as in `methods: [vanilla, radis]`, or take "
                "it out of data: then the backbone is judged as it is"
            )
        return self

    @model_validator(mode="after")
    def _rows_apart(self) -> Self:
        rows = ((name, options) for method in self.methods for name, options in method.items())
        taken = [(isinstance(options, dict) and options.get("label")) or name for name, options in rows]
        for row in (other.row for other in self.compare):
            if row in taken or row == "backbone":
                raise ValueError(f"has two rows {row}; give the one under compare a label")
            folder_name(row)
            taken.append(row)
        return self


def unfit_rows(recipe: Recipe) -> Iterator[tuple[Keys, str]]:
    """Where rows can't be what they are said to be, and why."""
    yield from _unfit_starts(recipe)
    yield from _unfit_choices(recipe)
    yield from _unfit_labels(recipe)
    yield from _unfit_vocabularies(recipe)


def _unfit_starts(recipe: Recipe) -> Iterator[tuple[Keys, str]]:
    """Rows that start from a row that is not there, or, one after another, from themselves."""
    places: dict[str, Keys] = {}
    before: dict[str, Any] = {}
    for index, method in enumerate(recipe.methods):
        for name, options in method.items():
            row = options.get("label") or name
            places[row], before[row] = ("methods", index, name, "after"), options.get("after")
    for row, first in before.items():
        if isinstance(first, dict) and not Path(first["recipe"]).is_file():
            text = f"there is no file {first['recipe']}; the path counts from where dragoman is run"
            yield (*places[row], "recipe"), text
        if not isinstance(first, str):
            continue
        circle = [row]
        while isinstance(last := before.get(circle[-1]), str) and last not in circle:
            circle.append(last)
        others = places.keys() - {row}
        if first == "backbone":
            yield places[row], "rows start from the backbone by themselves; leave `after` out"
        elif first not in places:
            known = suggestion(first, others) if others else "there is no other"
            yield places[row], f"no row '{first}' to start from; {known}"
        elif first == row:
            yield places[row], f"{row} can't start from what it becomes itself; name another row, or leave `after` out"
        elif last == row and row == next(one for one in before if one in circle):
            yield places[row], f"{' comes after '.join([*circle, row])}: one of these has to start from the backbone"


def _unfit_vocabularies(recipe: Recipe) -> Iterator[tuple[Keys, str]]:
    """Rows with pieces that no text of the recipe yields, that are not trained, or that no strength is known for."""
    there = _languages(recipe)
    for index, method in enumerate(recipe.methods):
        for name, options in method.items():
            own, said = ("methods", index, name), options.get("vocabulary")
            settings = recipe.training.changed(options.get("training"))
            strength = options.get("scale", 1.0)
            if settings.lora and (said or settings.embeddings) and settings.embeddings is not False and strength != 1:
                text = "an adapter with which embeddings are trained has no strength but 1; write `scale: 1`, or train "
                yield (*own, "scale"), f"{text}all weights (lora: null)"
            if settings.embeddings == "new" and settings.lora and not (said or options.get("after")):
                text = "trains new rows alone, and the backbone gets none; give the row a `vocabulary`, or take `true`"
                yield (*own, "training", "embeddings"), text
            for word in [word for word in (said or {}).get("languages", ()) if there and word not in there]:
                text = f"the recipe has no texts and no pairs in '{word}'; {suggestion(word, there)}"
                yield (*own, "vocabulary", "languages"), text


def _languages(recipe: Recipe) -> set[str]:
    """The languages of a recipe's texts and pairs; none if the pairs' are not known."""
    directions = _directions(recipe.data.train) if recipe.data.train else set()
    if directions is None:
        return set()
    sides = {language for direction in directions for language in direction.split("-")}
    return sides | {text.language for text in recipe.data.texts if text.language}


def _unfit_choices(recipe: Recipe) -> Iterator[tuple[Keys, str]]:
    """Rows that are to learn from pairs or conversations which the recipe does not name."""
    train = recipe.data.train
    directions = _directions(train) if train else set()
    lessons = {source.name for source in recipe.data.lessons}
    for index, method in enumerate(recipe.methods):
        for name, options in method.items():
            for field, there in (("directions", directions), ("lessons", lessons)):
                asked = (options.get("learn") or {}).get(field, ())
                for word in [word for word in asked if there is not None and word not in there]:
                    known = suggestion(word, there) if there else "there are none"
                    where = "data.train" if field == "directions" else "data.lessons"
                    yield ("methods", index, name, "learn", field), f"{where} has no '{word}'; {known}"


def _directions(train: Corpus) -> set[str] | None:
    """The directions of the pairs to learn from; None if they are all that a corpus has."""
    if train.files and not train.directions:
        return {direction for file in train.files for direction in file.directions}
    return set(train.directions) or None


def _unfit_labels(recipe: Recipe) -> Iterator[tuple[Keys, str]]:
    """Where rows learn stored log-probabilities, and none are kept or they are not the backbone's; and why."""
    drawn: list[tuple[Keys, dict[str, Any]]] = []
    for index, method in enumerate(recipe.methods):
        for name, options in method.items():
            settings = recipe.training.changed(options.get("training"))
            stored = {segment for segment, how in settings.segments.items() if how.labels == "stored"}
            if "rationale" in stored and options.get("rationale"):
                how_drawn = {**options["rationale"], "refresh": options.get("refresh")}
                drawn.append((("methods", index, name, "rationale"), how_drawn))
            if "replay" in stored and settings.replay and recipe.data.replay:
                drawn.append((("data", "replay"), recipe.data.replay.model_dump()))
    for place, said in drawn:
        if why := _unfit(said, recipe.generation.engine == "openai"):
            yield place, f"labels are `stored`, and {why}"


def _unfit(drawn: Mapping[str, Any], server: bool) -> str:
    """Why the log-probabilities of text that is drawn so are not the backbone's; empty if they are. A `server` may give
    them as they are after temperature and top_p; our own engines give them as they are before.
    """
    if not drawn["keep_logprobs"]:
        beside = " beside the prompts" if "prompts" in drawn else ""
        return f"no log-probabilities are kept; write `keep_logprobs: 20`{beside}"
    if drawn.get("model") is not None:
        return f"those of {drawn['model']} would be kept, not the backbone's; leave `model` out, or take hard labels"
    if drawn.get("refresh"):
        return "later they are those of the model in training; leave `refresh` out, or take soft or hard labels"
    if server and (drawn["temperature"] != 1 or drawn.get("top_p", 1) != 1):
        return (
            "a server does not say whether it gives them as before temperature and top_p; set `temperature: 1` and "
            "leave `top_p` out, or take another engine"
        )
    return ""
