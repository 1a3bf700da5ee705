"""The recipe's schema. The text under a field is its documentation and its help.

No torch here, and nothing heavy: `dragoman show` and `--dry-run` answer at once.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, SerializeAsAny, model_validator

from dragoman.recipe.engines import Generation, Hardware
from dragoman.recipe.fields import Direction, Distinct, Logprobs, Positive, Strict, distinct_seeds, folder_name
from dragoman.recipe.judging import Benchmark, Chat, Evaluation, Finished, Pick, Prompt, Verdict
from dragoman.recipe.training import Training


class Files(Strict):
    """Parallel text of one's own: either two aligned files, or one table."""

    source: str | None = None
    """Text file with one source sentence a line; `target` names its translation. Relative paths count from where dragoman is run."""
    target: str | None = None
    """Text file with the translations, line by line."""
    table: str | None = None
    """One file for both sides: .tsv (two columns), .jsonl (`source` and `target`, or a `translation` object), ALMA's .json, .tmx, or a .zip of OPUS; .gz may follow."""
    direction: Direction
    """Languages of source and target, such as `de-en`."""
    both: bool = False
    """Also use every pair the other way round."""

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if self.table is not None and (self.source is not None or self.target is not None):
            raise ValueError("has a table and also source or target; give the table alone, or the two files")
        if self.table is None and (self.source is None or self.target is None):
            raise ValueError("needs both source and target, or one table")
        return self


def _directions(files: Files) -> set[str]:
    source, target = files.direction.split("-")
    return {files.direction, f"{target}-{source}"} if files.both else {files.direction}


class Corpus(Strict):
    """Where translation pairs come from: a corpus of the catalogue, or one's own files."""

    corpus: str | None = None
    """Name in the catalogue (`dragoman data list`), or `lab`."""
    files: tuple[Files, ...] = ()
    """One's own files, instead of a corpus of the catalogue."""
    directions: Annotated[tuple[Direction, ...], Distinct] = ()
    """Directions to take from the corpus; all it has when empty."""
    limit: Positive | None = None
    """At most so many pairs a direction, drawn by the seed; all when absent."""
    seed: int = 0
    """Decides which pairs a limit keeps."""
    disjoint: bool = False
    """Use each sentence in one direction alone, decided by the seed: those of en-de are not also those of de-en."""
    max_characters: Positive | None = None
    """Pairs with a longer side are left out, and counted."""
    drop_copies: bool = False
    """Pairs whose sides are the same but for case and white space are left out, and counted."""

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        return self._named_once()

    def _named_once(self) -> Self:
        if self.corpus is not None and self.files:
            raise ValueError("has a corpus and also files; keep one (`corpus: null` drops an inherited one)")
        if self.corpus is None and not self.files:
            raise ValueError("names no pairs; give a corpus of the catalogue, or files")
        own = {direction for file in self.files for direction in _directions(file)}
        if self.files and (unknown := sorted(set(self.directions) - own)):
            raise ValueError(f"asks for {', '.join(unknown)}, but the files have {', '.join(sorted(own))}")
        return self


class Dev(Corpus):
    """Pairs to validate on while training: named as those of a test, or a share of the pairs to learn from."""

    share: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Hold out about such a share of `data.train` instead, drawn by the seed; every row does without these pairs."""

    def _named_once(self) -> Self:
        if self.share is None:
            return super()._named_once()
        if set(self.model_dump(exclude_defaults=True)) - {"share", "seed"}:
            raise ValueError("is a share of data.train; take out what names other pairs, or the share")
        return self


class Dialogues(Strict):
    """Conversations that end with an answer: a corpus of the catalogue, or a file of one's own."""

    corpus: str | None = None
    """Name in the catalogue (`dragoman data list`), or the lab's own `lab-programs` and `lab-instructions`."""
    file: str | None = None
    """A .json or .jsonl file: Alpaca's format (instruction, input, output), Dolly's, ShareGPT's, Magicoder's, or `messages`."""
    language: str | None = None
    """Language that they are in, such as `de`; what the catalogue says when absent, else English."""
    limit: Positive | None = None
    """At most so many, drawn by the seed; all when absent."""
    share: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Of all examples in training these shall be such a share, instead of a limit."""
    seed: int = 0
    """Decides which ones are taken."""

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.corpus is None) == (self.file is None):
            raise ValueError("needs either a corpus of the catalogue, or a file")
        if self.limit is not None and self.share is not None:
            raise ValueError("has a limit and also a share; keep one")
        return self


class Prompts(Strict):
    """Prompts without answers: a corpus of the catalogue, a file of one's own, or what the backbone itself would be asked."""

    corpus: str | None = None
    """Name in the catalogue (`dragoman data list`), or the lab's own `lab-requests`."""
    file: str | None = None
    """A .jsonl or .json file with `messages` that end with the user's turn, or with a `prompt`, and perhaps a `kind`; or a text file with one prompt a line."""
    own: Positive | None = None
    """Draw so many from the backbone: what it expects a user to write, one line each. Those that are no good are left out, and counted."""
    kinds: Annotated[tuple[str, ...], Distinct] = ()
    """Only prompts of these kinds; all when empty."""
    limit: Positive | None = None
    """At most so many, drawn by the seed; all when absent."""

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if sum(origin is not None for origin in (self.corpus, self.file, self.own)) != 1:
            raise ValueError(
                "needs one of these: a corpus of the catalogue, a file, or own (how many of the model's own)"
            )
        if self.own is not None and (self.kinds or self.limit is not None):
            raise ValueError(
                "draws the model's own prompts: they have no kinds, and `own` says how many; take out what else is said"
            )
        return self


class ReplayData(Strict):
    """General prompts that the backbone answers once, for every row whose `training` has `replay` or `recovery`."""

    prompts: tuple[Prompts, ...]
    """Where they come from, as in `[{corpus: requests}, {file: mine.jsonl}, {own: 500}]`."""
    max_tokens: Positive = 256
    """Longest answer; one that is cut off here is counted, and its end is not trained."""
    temperature: Annotated[float, Field(ge=0)] = 1.0
    """Of the answers; 0 is greedy, and shows less of what the backbone would say."""
    keep_logprobs: Logprobs = 0
    """Log-probabilities of so many most likely tokens are kept with each token, for stored labels."""
    seed: int = 0
    """Decides which prompts a limit keeps, and how answers are drawn."""
    near: bool = False
    """Also take prompts of the kinds that evaluation asks. They are left out otherwise, and counted."""

    @model_validator(mode="after")
    def _some_prompts(self) -> Self:
        if not self.prompts:
            raise ValueError("names no prompts; give a corpus, a file or own, as in `[{corpus: requests}]`")
        return self


class Data(Strict):
    train: Corpus | None = None
    """Pairs to learn from."""
    lessons: tuple[Dialogues, ...] = ()
    """Conversations to learn from, beside pairs or instead of them: another skill than translation."""
    instructions: tuple[Dialogues, ...] = ()
    """General instruction data, which `multitask` mixes in. No other method sees it."""
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

    @model_validator(mode="after")
    def _shares_of_something(self) -> Self:
        if self.dev and self.dev.share is not None and self.train is None:
            raise ValueError("dev is a share of train, and train names no pairs; name the pairs of dev instead")
        if any(source.share is not None for source in self.lessons):
            raise ValueError("lessons are all there is to learn, so they can't be a share of it; give them a limit")
        if sum(source.share or 0 for source in self.instructions) >= 1:
            raise ValueError(
                "the shares of instructions leave no room for what is to be learnt; keep their sum below 1"
            )
        return self


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
    """How the backbone is asked for a translation where nothing is trained (no `methods`); see `compare`."""
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
        if self.methods and self.data.train is None and not self.data.lessons:
            raise ValueError(
                "has nothing to learn from; under data, give train (pairs), or lessons (conversations). Without methods "
                "the backbone is judged as it is"
            )
        if not self.methods and (self.data.train or self.data.lessons):
            raise ValueError(
                "has something to learn from, but no methods; name some, as in `methods: [vanilla, radis]`, or take "
                "data.train and data.lessons out: then the backbone is judged as it is"
            )
        if self.methods and self.prompt != "own":
            raise ValueError("has a prompt of another system, and methods: what is trained is asked as it was trained")
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


def unfit_labels(recipe: Recipe) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Where rows learn stored log-probabilities, and none are kept or they are not the backbone's; and why."""
    drawn: list[tuple[tuple[str | int, ...], dict[str, Any]]] = []
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
