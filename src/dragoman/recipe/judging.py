"""How models are judged (`evaluation`, `benchmarks`, `compare`, `verdict`, `pick`) and asked (`prompt`). See `schema.py`."""

import re
from collections.abc import Collection
from string import Formatter
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, PlainSerializer, field_validator, model_validator

from dragoman.recipe.engines import Generation
from dragoman.recipe.fields import Fraction, Positive, Strict, folder_name


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
    """A directory, a name on the hub or of `dragoman models list`, or `lab`. Where a server judges: whose vocabulary and chat format it has; the backbone's when absent, which will do for servers that take text."""
    revision: str | None = None
    """Commit or tag of a model on the hub."""
    trust_remote_code: bool = False
    """Run Python code that comes with the model."""
    bin_weights: bool = False
    """Read its weights from `.bin` files where it has no safetensors: their tensors alone."""
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
    alone: bool | None = None
    """Ask for the translation alone ("…, and give only the translation"). When absent, models that were taught it before are asked so (`radis: {alone: 0.2}`), and what a run trains as its backbone is."""
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
    """Who judges conversations: `mt-bench`, `alpaca-eval`, `alpaca-eval-2`, `pairwise`. One of them may have a judge of its own (`benchmarks`)."""
    guard: Judge | None = None
    """Who judges whether answers are safe, such as Llama-Guard-3: for the suite `safety`."""
    code: Code = Code()
    """Programs: how many answers, and pass@k."""
    harness: Harness = Harness()
    """Tasks of lm-evaluation-harness."""

    def deciding(self, but: Collection[str] = ()) -> dict[str, Any]:
        """The settings that decide what is found, without some. What came later than the first evaluations is absent
        where it is the default, as it is in theirs.
        """
        said = self.model_dump(exclude={*but})
        return {name: value for name, value in said.items() if name != "alone" or value is not None}


class Benchmark(Strict):
    """A suite under a name of one's own. Each kind has fields of its own beside these (`dragoman.suites`)."""

    kind: str
    """Which one."""
    language: str = "en"
    """Of the questions, such as `de`."""
    path: str | None = None
    """Its file, folder or archive; what the catalogue has when absent."""
    limit: Positive | None = None
    """At most so many questions, drawn by the seed; all when absent."""


class Verdict(Strict):
    """What `dragoman verdict` lets pass. All are shares; nothing of it decides what a run does."""

    tolerance: Fraction = 0.05
    """Of an ability, and of all together, so much may be lost. A noise floor does not change that: losses are told by answers to the same questions."""
    cut_off: Fraction = 0.05
    """Of translations, and of answers to questions, so many may go on to the limit of tokens."""
    off_target: Fraction = 0.05
    """So many translations may be in another language than was asked for."""
    chatter: Fraction = 0.05
    """So many answers may have more in them than the translation. What learns from rationales is taught to go on: 1 lets that pass."""
    no_translation: Fraction = 0.05
    """So many answers may be empty, and as many have no translation in them that can be found."""
    copies: Fraction = 0.05
    """So many translations may be the source over again."""
    unjudged: Fraction = 0.0
    """So many items of a benchmark may have no judgement; with more there is no verdict."""


class Pick(Strict):
    """Which strength `dragoman scale` picks; nothing of it decides what a run does."""

    keep: Fraction = 0.98
    """The highest at which the lower end of the interval of RP is no less than this share."""


Chat = Literal["own", "alpaca", "parrot", "bigtrans", "bayling", "tower"]
Prompt = Literal["own", "alma", "parrot", "parrot-hint", "bigtrans", "bayling", "tower", "alpaca-lora"]
SLOTS = {"[SRC]": "{source}", "[TGT]": "{target}"}
"""What stands for the languages in ParroT's instructions → what does here."""


def with_slots(text: str, marks: Collection[str] | None = ()) -> str:
    """A text with `{source}`, `{target}` and `{text}`, whichever way it was written. ValueError if it has another
    placeholder; `marks` are those in square brackets that stay as they are (None: all).
    """
    for mark, slot in SLOTS.items():
        text = text.replace(mark, slot)
    try:
        found = {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    except ValueError:
        raise ValueError(
            f"{text!r} has a brace without its other half; write {{{{ and }}}} for braces that are to stay"
        ) from None
    other = [f"{{{name}}}" for name in sorted(found - {"source", "target", "text"})]
    other += [mark for mark in re.findall(r"\[[A-Z]{3}\]", text) if marks is not None and mark not in marks]
    if other:
        raise ValueError(
            f"{text!r} has the placeholder {other[0]}; there are {{source}}, {{target}} and {{text}}, or [SRC] and [TGT]"
        )
    return text


class Instructions(Strict):
    """What a user says for a translation: a list, or a file with one instruction a line."""

    MARKS: ClassVar[tuple[str, ...]] = ()
    """Placeholders beside the languages and the text that may stand in them."""

    texts: tuple[str, ...] = ()
    """Each with `{source}`, `{target}` (or `[SRC]`, `[TGT]`) and perhaps `{text}`; without it the sentence stands in an input of its own. What follows `###` is a hint, which goes behind the sentence."""
    file: str | None = None
    """Text file with one a line. Relative paths count from where dragoman is run."""

    @model_validator(mode="before")
    @classmethod
    def _listed(cls, given: Any) -> Any:
        return {"texts": given} if isinstance(given, list | tuple) else given

    @field_validator("texts")
    @classmethod
    def _with_slots(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            with_slots(text, cls.MARKS)
        return texts

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.file is None and not all(text.strip() for text in self.texts or [""]):
            raise ValueError("has no instruction; give a list of them, or a file, as in `{file: instructions.txt}`")
        if self.file is not None and self.texts:
            raise ValueError("has instructions and a file of them; keep one")
        return self


class Hinted(Instructions):
    """The same with a hint after `###` in each, in which an error has a place: `[SEV]` its severity, `[ERR]` its kind."""

    MARKS: ClassVar[tuple[str, ...]] = ("[SEV]", "[ERR]")

    @field_validator("texts")
    @classmethod
    def _with_a_place(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            hint = text.partition("###")[2]
            if not hint.strip():
                raise ValueError(f"{text!r} has no hint after `###`, where severity and category of an error go")
            if not any(mark in hint for mark in cls.MARKS):
                raise ValueError(f"the hint in {text!r} has no place for an error, [SEV] or [ERR]")
        return texts


class TaughtPrompt(Strict):
    """How a row is taught to translate, and asked for translations: as a published system, or in words of one's own."""

    system: Prompt = "own"
    """Whose words, names of languages, chat format and cutting out of translations; `own`: the chat format of the recipe."""
    template: str | None = None
    """Words of one's own, written out in full from the first to the last character before the answer, special tokens included, with `{source}`, `{target}` and `{text}`. Spaces at its end belong to the answer."""
    instructions: Instructions | None = None
    """Or what the user says in the chat format: `[...]`, or `{file: instructions.txt}`. One is learnt with each pair; judged is the first."""
    pick: Literal["random", "row"] = "random"
    """Which of several instructions a pair gets: drawn by pair and seed, or the k-th pair takes the k-th, over and over."""
    end: bool = True
    """Learn to end after the translation."""

    @model_validator(mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        return {"system": given} if isinstance(given, str) else given

    @field_validator("template")
    @classmethod
    def _whole(cls, template: str | None) -> str | None:
        if template is not None and "{text}" not in with_slots(template, None):
            raise ValueError("has no {text}, which is where the sentence goes")
        return template

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if self.template is not None and self.instructions is not None:
            raise ValueError("has a template and also instructions; a template is written out, so keep one")
        several = self.instructions is not None or (self.template is None and self.system in ("own", "bigtrans"))
        if self.pick == "row" and not several:
            raise ValueError("picks instructions by row, and has none of its own; give it some, or take `pick` out")
        return self

    @property
    def shown(self) -> str:
        """In a few words, as tables and dry runs name it."""
        own = self.instructions
        words: list[str] = [self.system] * (self.system != "own" or self == TaughtPrompt())
        if self.template is not None:
            words.append(f"template {self.template!r}")
        elif own is not None:
            words.append(f"instructions of {own.file}" if own.file is not None else f"{len(own.texts)} instructions")
        words += ["by row"] * (self.pick == "row") + ["without an end"] * (not self.end)
        return ", ".join(words)

    def written(self) -> Any:
        """As a recipe would say it."""
        said = self.model_dump(mode="json", exclude_defaults=True)
        if self.instructions is not None and self.instructions.file is None:
            said["instructions"] = list(self.instructions.texts)
        return self.system if set(said) <= {"system"} else said


RowPrompt = Annotated[TaughtPrompt, PlainSerializer(TaughtPrompt.written)]
"""`prompt` of a row, written as short as it was said."""


class Finished(Strict):
    """A finished model to compare with: judged like the others, not trained."""

    model: str
    """A directory, or a name on the hub."""
    label: Annotated[str, AfterValidator(folder_name)] | None = None
    """Its row in the table; the last part of the model's name when absent."""
    added_to: str | None = None
    """The model, a directory or a name on the hub, to which this one is published as a difference of weights: a run adds the two, once."""
    revision: str | None = None
    """Commit or tag of a model on the hub."""
    prompt: Prompt = "own"
    """How a translation is asked for: in its chat format with one of five instructions, or as a published system wants it."""
    chat: Chat = "own"
    """How it is spoken to otherwise: by its own chat template, with Alpaca's prompt, or as a published system's users speak to it."""
    trust_remote_code: bool = False
    """Run Python code that comes with the model."""
    bin_weights: bool = False
    """Read its weights from `.bin` files where it has no safetensors: their tensors alone, whatever else is in them is refused."""

    @property
    def row(self) -> str:
        return self.label or self.model.rstrip("/").split("/")[-1]
