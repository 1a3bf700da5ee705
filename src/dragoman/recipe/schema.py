"""What a recipe says. The text under a field is its documentation and its help.

No torch here, and nothing heavy: `dragoman show` and `--dry-run` answer at once.
"""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_DIRECTION = re.compile(r"[a-z]{2,3}(_[A-Za-z0-9]+)?-[a-z]{2,3}(_[A-Za-z0-9]+)?")


class Strict(BaseModel):
    """Unknown keys are errors; the text under each field becomes its description."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def _name(text: str) -> str:
    if not NAME.fullmatch(text):
        raise ValueError(f"'{text}' will name a folder: use letters, digits and . _ -")
    return text


def _direction(text: str) -> str:
    if not _DIRECTION.fullmatch(text):
        raise ValueError(f"'{text}' is not a direction; write source and target language as in de-en")
    source, target = text.split("-")
    if source == target:
        raise ValueError(f"'{text}' has the same language on both sides")
    return text


def _distinct(words: tuple[str, ...]) -> tuple[str, ...]:
    if twice := next((word for word in words if words.count(word) > 1), None):
        raise ValueError(f"names '{twice}' twice; once is enough")
    return words


def _no_seed_twice(seeds: tuple[int, ...]) -> tuple[int, ...]:
    if twice := next((seed for seed in seeds if seeds.count(seed) > 1), None):
        raise ValueError(f"has {twice} twice: that would be the same training again")
    return seeds


Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(ge=1)]
Direction = Annotated[str, AfterValidator(_direction)]
Distinct = AfterValidator(_distinct)


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
        if self.corpus is not None and self.files:
            raise ValueError("has a corpus and also files; keep one (`corpus: null` drops an inherited one)")
        if self.corpus is None and not self.files:
            raise ValueError("names no pairs; give a corpus of the catalogue, or files")
        own = {direction for file in self.files for direction in _directions(file)}
        if self.files and (unknown := sorted(set(self.directions) - own)):
            raise ValueError(f"asks for {', '.join(unknown)}, but the files have {', '.join(sorted(own))}")
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


class Data(Strict):
    train: Corpus | None = None
    """Pairs to learn from."""
    lessons: tuple[Dialogues, ...] = ()
    """Conversations to learn from, beside pairs or instead of them: another skill than translation."""
    instructions: tuple[Dialogues, ...] = ()
    """General instruction data, which `multitask` mixes in. No other method sees it."""
    test: Corpus | None = None
    """Pairs to be judged on."""
    max_tokens: Positive = 1024
    """Training examples whose prompt and reference are longer than this are left out, and counted."""
    contamination: Literal["auto", "remove", "refuse"] = "auto"
    """What to do with training data that shares a sentence or 13 words in a row with what is judged on: leave it out and list it, or refuse to go on; `auto` leaves it out, and refuses where a tenth of a test set is there."""

    @model_validator(mode="after")
    def _shares_of_something(self) -> Self:
        if any(source.share is not None for source in self.lessons):
            raise ValueError("lessons are all there is to learn, so they can't be a share of it; give them a limit")
        if sum(source.share or 0 for source in self.instructions) >= 1:
            raise ValueError(
                "the shares of instructions leave no room for what is to be learnt; keep their sum below 1"
            )
        return self


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


class Lora(Strict):
    """The adapter."""

    rank: Positive = 16
    """Rank of the two factors."""
    alpha: float | None = None
    """Scale of the update is alpha / rank; twice the rank when absent."""
    dropout: Fraction = 0.0
    """Dropout before the first factor."""
    targets: str | tuple[str, ...] = "all-linear"
    """Which layers: `all-linear`, or names such as `q_proj`."""


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
    report_to: tuple[str, ...] = ()
    """Trackers known to transformers, such as `wandb` or `tensorboard`. The log in the run's folder is always written."""


class Comet(Strict):
    """A COMET model that scores translations, as it is published: `hparams.yaml` and `checkpoints/model.ckpt`."""

    checkpoint: str
    """Its folder; or its name on the hub, such as `Unbabel/wmt22-comet-da`, where it was downloaded before."""
    encoder: str | None = None
    """Folder with `config.json` and tokenizer of the encoder; what the checkpoint names when absent."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Of the encoder. Published scores are fp32."""


class Judge(Strict):
    """A model that judges answers."""

    model: str | None = None
    """A directory, a name on the hub, or `lab`. Where a server judges: whose vocabulary and chat format it has; the backbone's when absent, which will do for servers that take text."""
    revision: str | None = None
    """Commit or tag of a model on the hub."""
    trust_remote_code: bool = False
    """Run Python code that comes with the model."""
    generation: Generation | None = None
    """How it is asked, such as `{engine: openai, openai: {address: …}}`; as the models that it judges when absent."""
    max_tokens: Positive = 2048
    """Longest judgement, where the benchmark does not say."""

    @model_validator(mode="after")
    def _someone(self) -> Self:
        if self.model is None and (self.generation is None or self.generation.engine != "openai"):
            raise ValueError(
                "names no model; only of a judge on a server (`generation: {engine: openai}`) none is needed"
            )
        return self


class Code(Strict):
    """How programs are asked for and counted: pass@k of HumanEval."""

    samples: Positive = 1
    """Answers to each problem; one is greedy, several are drawn."""
    k: tuple[Positive, ...] = (1,)
    """For which k pass@k is given; none may be larger than `samples`."""
    temperature: Annotated[float, Field(gt=0)] = 0.2
    """Of several answers. HumanEval's authors take 0.2 for pass@1 and 0.8 for pass@100."""
    top_p: Annotated[float, Field(gt=0, le=1)] = 0.95
    """Likewise."""

    @model_validator(mode="after")
    def _enough(self) -> Self:
        if max(self.k, default=1) > self.samples:
            raise ValueError(
                f"asks for pass@{max(self.k)} with {self.samples} samples; it takes at least {max(self.k)}"
            )
        return self


class Harness(Strict):
    """How lm-evaluation-harness runs its tasks."""

    backend: Literal["auto", "hf", "vllm", "openai"] = "auto"
    """Which of its backends; `auto` is `vllm` where it is installed and there is an accelerator, else `hf`. `openai` asks `generation.openai`."""
    chat_template: bool = True
    """Put questions into the model's chat format."""
    shots: Annotated[int, Field(ge=0)] | None = None
    """Examples before each question; what each task says when absent."""
    limit: Positive | None = None
    """At most so many questions of each task; all when absent."""
    batch_size: Positive = 16
    """Questions in a batch of the `hf` backend."""
    data: dict[str, str] = {}
    """Local files instead of the hub's, by task: a .jsonl or .json file, or a folder with one for each split or subset."""


class Evaluation(Strict):
    """How models are judged."""

    questions: Positive = 100
    """Questions of each ability family."""
    max_tokens: Positive = 256
    """Longest answer to a question."""
    translation_tokens: Positive = 256
    """Longest answer to a translation request."""
    noise_seeds: Annotated[int, Field(ge=0)] = 2
    """How many other draws of questions the backbone answers, to know how much retention moves by chance."""
    bootstrap: Positive = 1000
    """Resamples behind intervals and significance."""
    seed: int = 0
    """Decides which questions are asked."""
    skills: tuple[str, ...] = ()
    """Families of questions that are to be learnt rather than kept, such as `lab-qa-de` or `*-de`: judged, and no part of RP."""
    comet: tuple[Comet, ...] = ()
    """COMET models that score translations, beside chrF++ and BLEU."""
    judge: Judge | None = None
    """Who judges conversations: `mt-bench`, `alpaca-eval`, `alpaca-eval-2`, `pairwise`."""
    guard: Judge | None = None
    """Who judges whether answers are safe, such as Llama-Guard-3: for the suite `safety`."""
    code: Code = Code()
    """Programs: how many answers, and pass@k."""
    harness: Harness = Harness()
    """Tasks of lm-evaluation-harness."""


class Benchmark(Strict):
    """A published benchmark in one language, and how its questions are put: a suite under a name of one's own."""

    kind: Literal[
        "xquad", "mlqa", "mmlu", "bbh", "mt-bench", "alpaca-eval", "alpaca-eval-2", "pairwise", "safety", "xstest"
    ]
    """Which one."""
    language: str = "en"
    """Of the questions, such as `de`."""
    context: str | None = None
    """Language of the text that is asked about (XQuAD, MLQA), where it is not that of the questions."""
    path: str | None = None
    """Its file, folder or archive; what the catalogue has when absent."""
    originals: str | None = None
    """The English originals of a translated MMLU or BBH, by which damaged rows and answers are repaired, row by row."""
    instruction: str | None = None
    """What is asked for; a standard wording in English when absent."""
    input: str | None = None
    """What it is about, with `{context}` and `{question}`, or `{question}` and `{options}`; likewise."""
    extract: Literal["first_line", "whole", "letter", "text"] | None = None
    """Where the answer stands in what a model says; what suits the benchmark when absent."""
    limit: Positive | None = None
    """At most so many questions, drawn by the seed; all when absent."""


class Hardware(Strict):
    """Accelerators that `dragoman run --dry-run` reckons with. A run takes what it finds."""

    gpu: str = "a100-80gb"
    """Such as `a100-80gb`, `h100-80gb`, `h200`, `l40s`, `rtx-4090`."""
    count: Positive = 1
    """How many of them."""


JUDGED = ("mt-bench", "alpaca-eval", "alpaca-eval-2", "pairwise")
GUARDED = ("safety",)
Prompt = Literal["own", "alma", "parrot", "parrot-hint", "bigtrans", "bayling", "tower", "alpaca-lora"]


class Finished(Strict):
    """A finished model to compare with: judged like the others, not trained."""

    model: str
    """A directory, or a name on the hub."""
    label: Annotated[str, AfterValidator(_name)] | None = None
    """Its row in the table; the last part of the model's name when absent."""
    revision: str | None = None
    """Commit or tag of a model on the hub."""
    prompt: Prompt = "own"
    """How a translation is asked for: in its chat format with one of five instructions, or as a published system wants it."""
    chat: Literal["own", "alpaca"] = "own"
    """How it is spoken to otherwise: by its own chat template, or with Alpaca's prompt."""
    trust_remote_code: bool = False
    """Run Python code that comes with the model."""

    @property
    def row(self) -> str:
        return self.label or self.model.rstrip("/").split("/")[-1]


class Recipe(Strict):
    """An experiment: a backbone, pairs, the methods to compare, and how they are judged."""

    name: Annotated[str, AfterValidator(_name)]
    """Results land in `runs/NAME`."""
    backbone: str
    """A directory, a name on the Hugging Face hub, or `lab`."""
    revision: str | None = None
    """Commit or tag of a backbone on the hub."""
    chat: Literal["own", "alpaca"] = "own"
    """How it is spoken to: by its own chat template, or with Alpaca's prompt (`### Instruction:` …), for base models that have none."""
    trust_remote_code: bool = False
    """Run Python code that comes with the backbone. Off unless a recipe says so by name."""
    system: str | None = None
    """System prompt; what the chat template does by itself when absent."""
    data: Data = Data()
    """What is learnt from, and what is judged on."""
    methods: tuple[dict[str, Any], ...] = ()
    """A name (`vanilla`), or a name with its options (`radis: {rationale_fraction: 0.5}`). Each is trained, judged and compared. With none, the backbone is judged as it is."""
    compare: tuple[Finished, ...] = ()
    """Finished models that are judged beside."""
    prompt: Prompt = "own"
    """How the backbone is asked for a translation where nothing is trained (no `methods`); see `compare`."""
    generation: Generation = Generation()
    """How models are asked."""
    training: Training = Training()
    """How a model is fitted to the examples."""
    seeds: Annotated[tuple[int, ...], AfterValidator(_no_seed_twice)] = ()
    """Train each method once with each of these seeds, and report means; `training.seed` alone when empty."""
    hardware: Hardware | None = None
    """Accelerators that `--dry-run` reckons with."""
    evaluate: Annotated[tuple[str, ...], Field(min_length=1), Distinct] = ("translation",)
    """Suites to judge with: `translation`, `humaneval`, `mt-bench`, `alpaca-eval-2`, `safety`, tasks of lm-evaluation-harness (`gsm8k`, `ifeval`, `harness:NAME`), benchmarks in a language (`xquad-de`), the lab's, files of questions."""
    benchmarks: dict[Annotated[str, AfterValidator(_name)], Benchmark] = {}
    """Benchmarks with files, prompts or limits of one's own, by the name that `evaluate` uses. Without an entry `mlqa-de-en` means: MLQA, German context, English question."""
    evaluation: Evaluation = Evaluation()
    """How models are judged."""
    runs: str = "runs"
    """Folder for results; finished work is kept below it, in `.store`, and shared by all recipes there."""

    @property
    def kinds(self) -> frozenset[str]:
        """What the suites are: of those that the recipe describes their kind, of the others their name."""
        return frozenset(self.benchmarks[name].kind if name in self.benchmarks else name for name in self.evaluate)

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
        taken = [options.get("label") or name for method in self.methods for name, options in method.items()]
        for row in (other.row for other in self.compare):
            if row in taken or row == "backbone":
                raise ValueError(f"has two rows {row}; give the one under compare a label")
            _name(row)
            taken.append(row)
        return self

    @model_validator(mode="after")
    def _judges_are_named(self) -> Self:
        kinds = self.kinds
        for field, suites in (("judge", JUDGED), ("guard", GUARDED)):
            if (needed := sorted(kinds & set(suites))) and getattr(self.evaluation, field) is None:
                raise ValueError(
                    f"asks for {', '.join(needed)}, which another model judges; name it, as in "
                    f"`evaluation: {{{field}: {{model: …}}}}` (evaluation.{field}.model=… on the command line)"
                )
        return self

    @model_validator(mode="after")
    def _translation_has_a_test(self) -> Self:
        if "translation" in self.evaluate and self.data.test is None:
            raise ValueError("judges translation, but data.test names no pairs; give it some, or take the suite out")
        return self
