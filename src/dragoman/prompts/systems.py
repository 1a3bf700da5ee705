"""Published translation systems, how each is asked and its answer cut out; and the words that rows are taught.

The formats were read in the systems' public repositories and model cards: ALMA (fe1ixxu/ALMA), ParroT
(wxjiao/ParroT), BigTrans (ZNLP/BigTranslate), BayLing (ictnlp/BayLing), TowerInstruct (its model card) and
alpaca-lora (tloen/alpaca-lora). Where one leaves something open, the constant here says what we chose. Requests other
than translation use the system's chat format (`chat`), if it has one.

A finished model is asked by `template`. A row is taught `instructions` as turns of that chat format, where there are
any, which comes to the same tokens; a template otherwise.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from dragoman.corpora.records import Pair, Turn, draw
from dragoman.json_values import Json
from dragoman.prompts.formats import BAYLING, BIGTRANS, PREAMBLE, PREAMBLE_INPUT
from dragoman.prompts.languages import language_name
from dragoman.prompts.names_in_chinese import name_in_chinese
from dragoman.prompts.translation import DEMONSTRATED, INSTRUCTIONS, Instruction, instructions_in
from dragoman.recipe.judging import Chat, TaughtPrompt, with_slots

Hint = Literal["no", "minor", "major", "preferred"]


def name(code: str) -> str:
    """A language's name as the systems use it: without a region or script."""
    return language_name(code.split("_")[0])


def _whole(answer: str, pair: Pair) -> str:
    return answer.strip()


@dataclass(frozen=True, slots=True)
class System:
    """A translation model's own format."""

    template: str
    """The prompt in full, special tokens spelled out, with `{source}`, `{target}` and `{text}`. Empty if it is asked by
    its instructions."""
    taken: Callable[[str, Pair], str] = _whole
    stops: tuple[str, ...] = ("</s>",)
    """Tokens that end an answer, whatever the tokenizer's chat template says."""
    called: Callable[[str], str] = name
    chat: Chat | None = None
    """Its format for conversations; None if it was taught none."""
    instructions: tuple[Instruction, ...] = ()
    """What its user says. The first one is that of `template`."""
    pick: Literal["random", "row"] = "random"
    """Which of them a pair is learnt with: one drawn by pair and seed, or the k-th pair's the k-th, over and over."""
    ends: bool = True
    """Whether a row learns to end after the translation."""

    def ask(self, pair: Pair) -> str:
        """The prompt for a pair; the model's begin-of-text token is to be put before it."""
        source, target = self.called(pair.source_language), self.called(pair.target_language)
        return self.template.format(source=source, target=target, text=pair.source.strip())

    def turn(self, pair: Pair, place: int = 0) -> Turn:
        """What the user says for a pair, by the instruction at a place."""
        source, target = self.called(pair.source_language), self.called(pair.target_language)
        return self.instructions[place].turn(source, target, pair.source.strip())

    def asked(self, pair: Pair, place: int = 0) -> str | tuple[Turn, ...]:
        """The request for a pair: the prompt written out, or else a turn of its chat format."""
        return self.ask(pair) if self.template else (self.turn(pair, place),)

    def place(self, pair: Pair, seed: int, row: int) -> int:
        """The place of the instruction that a pair is learnt with."""
        if self.pick == "row" and self.instructions:
            return row % len(self.instructions)
        return int(draw(pair.key, "instruction", seed) * len(self.instructions))

    @property
    def told(self) -> Json:
        """Everything that decides how a row is taught and asked, for its fingerprint."""
        names: list[Json] = [self.called.__name__, self.taken.__name__]
        said: list[Json] = [[one.text, one.hint] for one in self.instructions]
        return [self.template, said, self.pick, self.ends, self.chat, list(self.stops), *names]

    def after(self, answer: str, pair: Pair) -> str:
        """The translation in an answer, taken out as the system's own script does."""
        return self.taken(answer, pair)


def _alma(answer: str, pair: Pair) -> str:
    """The first non-empty line of three, before the target's name is repeated; if that comes at once, the line after
    it.
    """
    first, *more = answer.split(f"\n{name(pair.target_language)}:")
    lines = [line.strip() for line in first.split("\n")[:3]]
    found = next((line for line in lines if line), None)
    if found is not None or len(lines) == 3:
        return found or ""
    return more[0].split("\n")[0].strip() if more else ""


def _parrot(answer: str, pair: Pair) -> str:
    """The answer on one line; if part of it is marked `<p>…</p>` (a worse translation stands beside it), that part."""
    text = answer.split("### Response:")[0].strip().replace("\n", " ")
    return text.split("</p>")[0].split("<p>")[-1] if "</p>" in text else text


def _alpaca(answer: str, pair: Pair) -> str:
    return answer.split("### Response:")[0].strip()


def _one_line(answer: str, pair: Pair) -> str:
    return answer.strip().replace("\n", " ")


_HINTS: Mapping[Hint, str] = {
    "no": "A translation with no errors could be",
    "minor": "A translation with minor errors could be",
    "major": "A translation with major errors could be",
    "preferred": "We prefer to translate it to",
}


def parrot(hint: Hint | None = None, apart: bool = True) -> System:
    """ParroT with the instruction that it is tested with (it was trained with 33), and a hint.

    The sentence stands in an input of its own with the hint after it, as in its training data and by its script's
    default. With `apart` off it follows the instruction, as in the script's other template.
    """
    said = f"\n\n### Hint: {_HINTS[hint]}" if hint else ""
    between = "\n\n### Input:\n" if apart else "\n\n"
    instruction = _PARROT if apart else f"{_PARROT}\n\n{{text}}"
    return System(
        f"{PREAMBLE_INPUT if apart else PREAMBLE}\n\n### Instruction:\n{_PARROT}{between}{{text}}{said}\n\n"
        "### Response:",
        _parrot,
        chat="parrot",
        instructions=(Instruction(instruction, _HINTS[hint] if hint else ""),),
    )


_PARROT = "Translate the following sentences from {source} to {target}."
_BAYLING = "Provide the {target} translation for this sentence: {text}"
_TOWER = "Translate the following text from {source} into {target}.\n{source}: {text}\n{target}:"
_BIGTRANS = (
    "请将以下{source}句子翻译成{target}：{text}",
    "请提供{source}句子“{text}”的{target}翻译",
    "以下{source}句子“{text}”用{target}如何表达",
    "以下{source}句子“{text}”的{target}翻译是什么？",
    "请生成以下{source}句子“{text}”的{target}翻译",
    "如何用{target}表达{source}句子“{text}”",
    "这个{source}句子“{text}”用{target}怎么说？",
)
_BIGTRANS_EVERY = tuple(
    Instruction(form.replace("{source}", source).replace("句子", unit))
    for source in ("{source}", "")
    for unit in ("句子", "文本")
    for form in _BIGTRANS
)
"""The 28 that BigTrans is trained with: each with the source's name or without, of a sentence or of a text."""

SYSTEMS: Mapping[str, System] = {
    "alma": System("Translate this from {source} to {target}:\n{source}: {text}\n{target}:", _alma),
    "parrot": parrot(),
    "parrot-hint": parrot("no"),
    "bigtrans": System(
        f"{BIGTRANS}### 指令:\n{_BIGTRANS[0]}\n\n### 回复:",
        called=name_in_chinese,
        chat="bigtrans",
        instructions=_BIGTRANS_EVERY,
    ),
    # Its script's request in English; it has one in Chinese as well.
    "bayling": System(
        f"{BAYLING}### Instruction:\n{_BAYLING}\n### Response:\n",
        _one_line,
        chat="bayling",
        instructions=(Instruction(_BAYLING),),
    ),
    "tower": System(
        f"<|im_start|>user\n{_TOWER}<|im_end|>\n<|im_start|>assistant\n",
        stops=("<|im_end|>", "</s>"),
        chat="tower",
        instructions=(Instruction(_TOWER),),
    ),
    # The words of the request are ours, those of our demonstrations.
    "alpaca-lora": System(
        f"{PREAMBLE_INPUT}\n\n### Instruction:\n{DEMONSTRATED[0]}\n\n### Input:\n{{text}}\n\n### Response:\n",
        _alpaca,
        chat="alpaca",
        instructions=(Instruction(DEMONSTRATED[0]),),
    ),
}
"""Systems by their names in recipes (`prompt`)."""
_OWN = System("", called=language_name, instructions=tuple(map(Instruction, INSTRUCTIONS)))


def taught(said: TaughtPrompt) -> System | None:
    """How a row is taught; None for one of five instructions in its own chat format, as rows are by themselves.

    DataError if a file of instructions can't be read.
    """
    if said == TaughtPrompt():
        return None
    system = SYSTEMS.get(said.system, _OWN)
    if said.template is not None:
        return replace(system, template=with_slots(said.template, None), instructions=(), ends=said.end)
    own = said.instructions
    if own is not None:
        found = instructions_in(Path(own.file)) if own.file is not None else tuple(map(Instruction.of, own.texts))
        hint = system.instructions[0].hint if system.instructions else ""
        found = tuple(one if one.hint else replace(one, hint=hint) for one in found)
        system = replace(system, instructions=found)
    return replace(system, template="" if system.instructions else system.template, pick=said.pick, ends=said.end)
