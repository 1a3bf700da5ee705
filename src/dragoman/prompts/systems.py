"""Published translation systems: how each is asked, in its own words, and how its script cuts the translation out.

The formats were read in the systems' public repositories and model cards: ALMA (fe1ixxu/ALMA), ParroT
(wxjiao/ParroT), BigTrans (ZNLP/BigTranslate), BayLing (ictnlp/BayLing), TowerInstruct (its model card) and
alpaca-lora (tloen/alpaca-lora). Where one leaves something open, the constant here says what we chose. Requests other
than translation use the system's chat format (`chat`), if it has one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from dragoman.corpora.records import Pair
from dragoman.prompts.formats import BAYLING, BIGTRANS, PREAMBLE, PREAMBLE_INPUT
from dragoman.prompts.languages import language_name
from dragoman.prompts.names_in_chinese import name_in_chinese
from dragoman.prompts.translation import DEMONSTRATED
from dragoman.recipe.judging import Chat

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
    """The prompt in full, special tokens spelled out, with `{source}`, `{target}` and `{text}`."""
    taken: Callable[[str, Pair], str] = _whole
    stops: tuple[str, ...] = ("</s>",)
    """Tokens that end an answer, whatever the tokenizer's chat template says."""
    called: Callable[[str], str] = name
    chat: Chat | None = None
    """Its format for conversations; None if it was taught none."""

    def ask(self, pair: Pair) -> str:
        """The prompt for a pair; the model's begin-of-text token is to be put before it."""
        source, target = self.called(pair.source_language), self.called(pair.target_language)
        return self.template.format(source=source, target=target, text=pair.source.strip())

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
    instruction = "Translate the following sentences from {source} to {target}."
    between = "\n\n### Input:\n" if apart else "\n\n"
    return System(
        f"{PREAMBLE_INPUT if apart else PREAMBLE}\n\n### Instruction:\n{instruction}{between}{{text}}{said}\n\n"
        "### Response:",
        _parrot,
        chat="parrot",
    )


SYSTEMS: Mapping[str, System] = {
    "alma": System("Translate this from {source} to {target}:\n{source}: {text}\n{target}:", _alma),
    "parrot": parrot(),
    "parrot-hint": parrot("no"),
    "bigtrans": System(
        BIGTRANS + "### 指令:\n请将以下{source}句子翻译成{target}：{text}\n\n### 回复:",
        called=name_in_chinese,
        chat="bigtrans",
    ),
    # Its script's request in English; it has one in Chinese as well.
    "bayling": System(
        BAYLING + "### Instruction:\nProvide the {target} translation for this sentence: {text}\n### Response:\n",
        _one_line,
        chat="bayling",
    ),
    "tower": System(
        "<|im_start|>user\nTranslate the following text from {source} into {target}.\n{source}: {text}\n{target}:"
        "<|im_end|>\n<|im_start|>assistant\n",
        stops=("<|im_end|>", "</s>"),
        chat="tower",
    ),
    # The words of the request are ours, those of our demonstrations.
    "alpaca-lora": System(
        f"{PREAMBLE_INPUT}\n\n### Instruction:\n{DEMONSTRATED[0]}\n\n### Input:\n{{text}}\n\n### Response:\n",
        _alpaca,
        chat="alpaca",
    ),
}
"""Systems by their names in recipes (`prompt`)."""
