"""The recipe's schema. The text under a field is its documentation and its help.

No torch here, and nothing heavy: `dragoman show` and `--dry-run` answer at once.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, PlainSerializer, SerializeAsAny, model_validator

from dragoman.recipe.engines import Generation, Hardware
from dragoman.recipe.fields import Direction, Distinct, Fraction, Positive, Strict, distinct_seeds, folder_name
from dragoman.recipe.judging import Benchmark, Chat, Evaluation, Finished, Pick, Prompt, Verdict


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
    """General prompts that the backbone answers once, for every row whose `training` has `replay`."""

    prompts: tuple[Prompts, ...]
    """Where they come from, as in `[{corpus: requests}, {file: mine.jsonl}, {own: 500}]`."""
    max_tokens: Positive = 256
    """Longest answer; one that is cut off here is counted, and its end is not trained."""
    temperature: Annotated[float, Field(ge=0)] = 1.0
    """Of the answers; 0 is greedy, and shows less of what the backbone would say."""
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
    """General prompts that the backbone answers, so that what it says to them is kept: for rows whose `training` has `replay`. Those that come with Dragoman when absent."""
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


class Lora(Strict):
    """The adapter."""

    rank: Positive = 16
    """Rank of the two factors."""
    alpha: float | None = None
    """Scale of the update is alpha / rank; twice the rank when absent."""
    dropout: Fraction = 0.0
    """Dropout before the first factor."""
    targets: Annotated[str | tuple[str, ...], Field(min_length=1)] = "all-linear"
    """Which layers: `all-linear`, or names such as `q_proj`."""


class Replay(Strict):
    """General prompts with the backbone's own answers, learnt beside the task."""

    share: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """About such a share of the tokens of a step are replay."""
    weight: Annotated[float, Field(gt=0)] = 1.0
    """The loss of a step is the mean over the task's tokens, plus so many times the mean over those of replay."""


class SegmentTraining(Strict):
    """How the tokens of a segment are learnt."""

    labels: Literal["hard", "soft"] = "hard"
    """`hard` learns the token that is written there, `soft` the backbone's distribution over the whole vocabulary."""
    weight: Annotated[float, Field(gt=0)] | None = None
    """Weight of each token in the mean; as the method gave it when absent (prompts have none)."""


class Budget(Strict):
    """How far from the backbone a training may take the model."""

    drift: Annotated[float, Field(gt=0)]
    """The most drift, KL(backbone ‖ model) in nats a token: on general prompts, or on dev pairs where there is no replay."""
    then: Literal["stop", "lower"] = "stop"
    """What is done once it is more: `stop` ends the training there, `lower` halves the learning rate from there on, each time."""


WITHOUT_EFFECT = {"give_up", "save_every", "validate_every", "report_to"}
"""Fields of `Training` that do not decide what is learnt."""


class Training(Strict):
    """How a model is fitted to the examples."""

    epochs: Annotated[float, Field(gt=0)] = 3
    """Passes over the examples."""
    batch_size: Positive = 128
    """Examples in one optimizer step, over all devices and accumulated micro-batches."""
    learning_rate: Annotated[float, Field(gt=0)] = 1e-4
    """Peak of the learning rate."""
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    """How the rate falls after warm-up."""
    warmup: Fraction = 0.0
    """Share of the steps over which the rate rises to its peak."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    """Decoupled weight decay."""
    max_grad_norm: Annotated[float, Field(ge=0)] = 1.0
    """Gradients are scaled down to this norm."""
    lora: Lora | None = Lora()
    """The adapter that is trained; `null` trains all weights instead."""
    replay: Replay | None = None
    """Learn general prompts with the backbone's answers (`data.replay`) beside the task; `null` learns the task alone."""
    segments: Mapping[str, SegmentTraining] = {}
    """How the tokens of a segment (`prompt`, `reference`, `rationale`, `own`, `answer`, `replay`, `end`) are learnt, where not as the method says, as in `{rationale: {labels: soft, weight: 0.5}}`."""
    seed: int = 0
    """Seed of the adapter's start and of the order of the data."""
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    """Of the forward and backward pass; `auto` takes bf16 where the processor has it."""
    batch_tokens: Positive = 16384
    """Tokens, padding counted in, that one micro-batch may hold."""
    packing: Literal["auto", "on", "off"] = "auto"
    """Pack examples end to end with block-diagonal attention (`auto`: on an accelerator), or pad batches of similar length."""
    gradient_checkpointing: bool = False
    """Trade time for memory."""
    save_every: Positive | None = None
    """Optimizer steps between checkpoints; about one a minute when absent, and fewer where they are large."""
    validate_every: Positive | None = None
    """Optimizer steps between validations on `data.dev`, and measures of drift; four times an epoch when absent, or less often where what is measured on is large beside what is trained on."""
    keep: Literal["last", "best"] = "last"
    """Which weights become the model: the last, or those with the lowest validation loss (`best`; needs `data.dev`)."""
    budget: Budget | None = None
    """End the training, or lower its rate, once the model has drifted so far from the backbone, as in `{drift: 0.05, then: stop}`; never when absent."""
    give_up: Annotated[float, Field(gt=1)] | None = None
    """Stop with an error once the loss on `data.dev` is so many times what it was before training; never when absent."""
    report_to: tuple[str, ...] = ()
    """Trackers known to transformers, such as `wandb` or `tensorboard`. The log in the run's folder is always written."""

    @model_validator(mode="after")
    def _someone_to_ask(self) -> Self:
        soft = [name for name, how in self.segments.items() if how.labels == "soft"]
        if soft and self.lora is None:
            raise ValueError(
                f"has soft labels (segments: {', '.join(soft)}) and trains all weights (lora: null): soft labels are "
                "what the backbone says while the adapter is off, and no backbone would be left to ask. Train an "
                "adapter, or take hard labels"
            )
        if self.budget and self.lora is None:
            text = "has a budget for drift and trains all weights (lora: null), and no backbone is left to measure from"
            raise ValueError(f"{text}. Train an adapter, or take the budget out")
        return self

    def deciding(self) -> dict[str, Any]:
        """The settings that decide what is learnt, as JSON. What came later than the first trainings is absent where it
        is the default, as it is in theirs.
        """
        said = self.model_dump(mode="json", exclude=WITHOUT_EFFECT)
        usual = SegmentTraining()
        said["segments"] = {name: said["segments"][name] for name, how in self.segments.items() if how != usual}
        plain: dict[str, Any] = {"keep": "last", "replay": None, "segments": {}, "budget": None}
        return {name: value for name, value in said.items() if name not in plain or value != plain[name]}

    def changed(self, own: Mapping[str, Any] | None) -> "Training":
        """These settings with those of a row laid over them, as `OwnTraining` writes them."""
        return Training.model_validate(laid_over(self.model_dump(), own or {}))


def laid_over(below: Any, own: Any) -> Any:
    """What a row says over what the recipe says; mappings key by key."""
    if not (isinstance(below, Mapping) and isinstance(own, Mapping)):
        return own
    return {**below, **{name: laid_over(below.get(name), value) for name, value in own.items()}}


OwnTraining = Annotated[Training, PlainSerializer(lambda own: own.model_dump(mode="json", exclude_unset=True))]
"""Training settings of a row, written with those alone that it names."""


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
