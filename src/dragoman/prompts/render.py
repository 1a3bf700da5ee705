"""The one renderer: here, and nowhere else, a conversation becomes token ids.

A model that answers and a model that is trained must see the same ids, so both are cut from the same rendered text: a
conversation is rendered by the backbone's own chat template with a placeholder as the assistant's answer, and what
comes before the placeholder is the prompt. That needs neither `add_generation_prompt` nor `continue_final_message`,
whose output differs from the finished turn for some backbones (Qwen3 adds an empty think block, Llama-3 trims).
"""

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from dragoman.corpora.records import Turn
from dragoman.errors import DataError, EngineError, TemplateError
from dragoman.prompts.formats import chat_template, unloadable
from dragoman.prompts.reading import Shape, assembled, cuts, marked, pieces, shapes
from dragoman.prompts.template import Template, check_size
from dragoman.prompts.vocabulary import Spellings
from dragoman.recipe.judging import Chat

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Ids = tuple[int, ...]

RunKind = Literal["prompt", "answer", "end"]


class Run(NamedTuple):
    """Neighbouring tokens of a conversation with the same role in it."""

    part: RunKind
    ids: Ids


class Renderer:
    """Renders conversations with a backbone's own vocabulary and chat template.

    Answers are stripped at both ends first: some templates do that themselves, and what follows whitespace would
    differ between a finished turn and one that goes on. The template is tried out at once; one that alters the
    assistant's text is refused with a `TemplateError`. Without a template there are no conversations, only whole
    texts with formats of their own (`written`, `plain`).
    """

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", system: str | None = None):
        self.tokenizer = tokenizer
        self.system = system
        self.name = str(tokenizer.name_or_path) or "the backbone"
        self._template = Template(tokenizer, self.name, system)
        added = tokenizer.added_tokens_decoder.items()
        self._frames: dict[Shape, list[str] | None] = {}
        self.end: Ids = ()
        self._closing = ""
        self._special = frozenset(tokenizer.all_special_ids) | {token for token, what in added if what.special}
        if not self.converses:
            self.end = self.end_of_text
            return
        question = [Turn("user", "Who are you?")]
        self._template.try_out(question)
        before, after = self._around(question)
        self._template.check_probes(question, before, after)
        self._closing, self.end = self._find_end(before, after)

    @classmethod
    def load(
        cls,
        path: str | Path,
        trust_remote_code: bool = False,
        system: str | None = None,
        revision: str | None = None,
        chat: Chat = "own",
    ) -> "Renderer":
        """Reads the tokenizer of a folder or of a model on the hub; `EngineError` if there is none.

        `chat` names a format whose chat template replaces the tokenizer's own, if any.
        """
        from transformers import AutoTokenizer

        check_size(path)
        try:
            tokenizer = AutoTokenizer.from_pretrained(str(path), trust_remote_code=trust_remote_code, revision=revision)
        except (OSError, ValueError, KeyError, ImportError) as error:
            raise EngineError(unloadable(str(path), error)) from error
        # It warns of long texts once, and does nothing about them; whoever asks does.
        tokenizer.deprecation_warnings["sequence-length-is-longer-than-the-specified-maximum"] = True
        if chat != "own":
            tokenizer.chat_template = chat_template(chat, tokenizer)
        return cls(tokenizer, system)

    @property
    def converses(self) -> bool:
        """Whether there is a chat template."""
        return self._template.there

    def require_chat(self) -> None:
        """Raises a `TemplateError` if there is no chat template."""
        self._template.require()

    def prompt(self, turns: Sequence[Turn]) -> Ids:
        """The conversation so far, ready for the assistant to answer; the last turn is the user's."""
        return self._encode(_without_spaces(self._around(turns)[0]))

    def answer(self, turns: Sequence[Turn], text: str) -> tuple[Ids, Ids]:
        """Prompt and answer: after the two together the model would go on with the assistant's turn.

        The prompt is exactly `prompt(turns)`. Where a token would reach over the boundary between
        the two, the answer is tokenised by itself. Special tokens that are spelt out in a text, as
        `</s>` is in crawled pages, stay text in the answer: they don't end it.
        """
        before = self._around(turns)[0]
        start = _without_spaces(before)
        prompt = self._encode(start)
        return prompt, self._answer_after(start, prompt, before[len(start) :], text)

    def written_answer(self, text: str, answer: str) -> tuple[Ids, Ids]:
        """A prompt that is written out in full, and an answer that follows it.

        The two are the ids of the text as a whole, parted where the prompt ends; spaces there belong to the answer.
        Where a token would reach over that place, the prompt keeps the ids that it has by itself, since a model will
        be asked with those, and the answer is tokenised by itself.
        """
        start = _without_spaces(text)
        ids = self.written(start)
        bare = self._encode(start)
        return ids, self._answer_after(start, bare, text[len(start) :], answer)

    def conversation(self, turns: Sequence[Turn]) -> tuple[Run, ...]:
        """A finished conversation as the template renders it whole, cut at the assistant's answers."""
        answers = [turn.text.strip() for turn in turns if turn.role == "assistant"]
        if turns[-1].role != "assistant" or not all(answers):
            raise DataError(
                "a conversation to learn from must end with the assistant's turn, and none of its answers may be "
                f"empty; this one begins: {turns[0].whole[:80]!r}"
            )
        before, *betweens = self._pieces(turns)
        runs: list[Run] = []
        text = ""
        for answer, between in zip(answers, betweens, strict=True):
            start = _without_spaces(before)
            runs.append(Run("prompt", self._after(text, _ids(runs), start)))
            runs.append(Run("answer", self._answer_after(text + start, _ids(runs), before[len(start) :], answer)))
            text += before + answer
            closed = bool(self._closing) and between.startswith(self._closing)
            if closed:
                runs.append(Run("end", self._after(text, _ids(runs), self._closing)))
                text += self._closing
            before = between[len(self._closing) :] if closed else between
        if runs[-1].part != "end":  # a template that leaves the last turn open
            runs.append(Run("end", self.end))
        return tuple(runs)

    @property
    def end_of_text(self) -> Ids:
        """The id that ends a text without a chat format; empty if the vocabulary has none."""
        return () if self.tokenizer.eos_token_id is None else (int(self.tokenizer.eos_token_id),)

    @cached_property
    def stop(self) -> Ids:
        """The ids that end an answer: the end-of-turn token, and the vocabulary's end of text."""
        return tuple(dict.fromkeys([*self.end[-1:], *self.end_of_text]))

    @cached_property
    def opening(self) -> tuple[Ids, str]:
        """What comes before the user's text in a conversation, as ids; and after it, up to the answer, as text."""
        mark = "DragomanRequestHere"
        before, found, after = self._around([Turn("user", mark)])[0].partition(mark)
        if not found:
            raise self._template.not_as_it_is(mark, before)
        return self._encode(_without_spaces(before)), after

    @cached_property
    def ends_of_line(self) -> Ids:
        """The ids that end a line or a turn: special ones, and those whose text begins with a line feed."""
        return tuple(dict.fromkeys([*self.stop, *sorted(self._special), *self.extensions(self.encode("\n")[-1])]))

    @cached_property
    def going_on(self) -> tuple[Ids, int]:
        """How to keep an answer from ending at once: ids to ban among its first tokens, and for how many of them.

        An end that takes several tokens, like Llama-2's `▁` and `</s>`, must not even begin: after its first token a
        model can only end. Hardly anything else begins with `▁`: a word after a space is one token with it, and line
        feeds have none; only digits and the characters of some scripts are separate from a space before them, and
        they may still come without one. A line feed is different, since most explanations begin with one: if the end
        does too, only the token that ends is banned, for as many positions as the end has tokens.
        """
        first = self.end[0]
        if len(self.end) == 1 or "\n" in self._text((first,)):
            return self.stop, len(self.end)
        return tuple(dict.fromkeys([*self.stop, first])), 1

    def decode(self, ids: Sequence[int]) -> str:
        """The text of some ids, without special tokens; spaces are left as they are."""
        text = self.tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return str(text)

    def following(self, ids: Ids, text: str, heal: bool = False) -> Ids:
        """The ids of a text that follows other ids, which stay as they are.

        Special tokens that are spelt out in it stay text. With `heal`, the last of the given ids is dropped first,
        and the result begins with its replacement.
        """
        if not text:
            return ids[-1:] if heal else ()
        before = self._text(ids)
        if heal:
            whole, start = self._encode(before + text), len(ids) - 1
            same = whole[:start] == ids[:-1] and self._special.isdisjoint(whole[start:])
            healed = same and whole[start] in self.extensions(ids[-1])
            return whole[start:] if healed else ids[-1:] + self.following(ids, text)
        found = self._after(before, ids, text)
        return found if self._special.isdisjoint(found) else self._apart(before, ids, text, literally=True)

    @cached_property
    def joins_line_breaks(self) -> bool:
        """Whether a full stop and the line breaks after it are one token, so that a bare full stop implies no line
        break.
        """
        sentence = self._encode("Yes.")
        return self._encode("Yes.\n\nNo")[: len(sentence)] != sentence

    def encode(self, text: str) -> Ids:
        """The ids of a text that an assistant wrote; special tokens that are spelt out in it stay text."""
        if text[:1].isspace():  # SentencePiece would put a space of its own before it
            return self._encode("a" + text, literally=True)[len(self._encode("a")) :]
        return self._encode(text, literally=True)

    def plain(self, text: str) -> Ids:
        """The ids of a text without a chat format, for a model to continue.

        They begin with the begin-of-text token if the tokenizer or the chat template puts one. Special tokens that
        are spelt out stay text.
        """
        return self._begin + self.encode(text)

    def document(self, text: str) -> tuple[Ids, Ids]:
        """The ids of a whole text as it stands, and those that end it; special tokens spelt out in it stay text."""
        eos = self.tokenizer.eos_token_id
        if eos is None:
            raise EngineError(f"{self.name} has no token that ends a text, so it can't be told where one ends.")
        return self.plain(text), (int(eos),)

    def written(self, text: str) -> Ids:
        """The ids of a prompt that is already written out in full: special tokens in it count as tokens.

        The model's begin-of-text token is added if it has one and the text doesn't begin with it.
        """
        ids = self._encode(text)
        return ids if ids[: len(self._begin)] == self._begin else self._begin + ids

    def turns(self, ids: Ids) -> tuple[Turn, ...]:
        """The conversation that these ids are: a prompt, or a prompt and the beginning of the answer.

        The inverse of `prompt` and `answer`: rendering the result gives exactly these ids, which is checked. The
        system prompt is among the turns if this renderer has one. Raises a `DataError` if there is no such
        conversation, for instance if the ids end within a character or in white space.
        """
        text = self._text(ids)
        system = () if self.system is None else (Turn("system", self.system),)
        for shape in shapes(ids.count(self.end[-1]), self._tells_inputs):
            between = self._frame(shape)
            for texts in cuts(text, between) if between else ():
                before, answer = assembled(shape, texts)[:-1], texts[-1].strip()
                turns = [*(() if shape[0].role == "system" else system), *before]
                prompt, begun = self.answer(turns, answer)
                if prompt + begun == ids:
                    return (*turns, Turn("assistant", answer)) if answer else tuple(turns)
        raise DataError(
            f"{len(ids)} token ids can't be read back as a conversation that the chat template of {self.name} renders "
            f"to the same ids; they begin {text[:80]!r} and end {text[-80:]!r}"
        )

    def extensions(self, token: int) -> Ids:
        """All tokens whose text begins with this one's text, including itself; special tokens are left out."""
        return self._spellings.extensions(token)

    @cached_property
    def _begin(self) -> Ids:
        begin = self.tokenizer.bos_token_id
        firsts = [self.tokenizer("Yes")["input_ids"][:1]]
        if self.converses:
            firsts.append(list(self.prompt([Turn("user", "Yes")])[:1]))
        return (int(begin),) if [begin] in firsts else ()

    @cached_property
    def _spellings(self) -> Spellings:
        return Spellings(self.tokenizer)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of everything that determines the ids: vocabulary, merges, template, special tokens, system prompt."""
        tokenizer = self.tokenizer
        if tokenizer.is_fast:
            vocabulary = json.loads(tokenizer.backend_tokenizer.to_str())
            vocabulary.pop("truncation")  # left behind by the last call, not a property of the tokenizer
            vocabulary.pop("padding")
        else:
            vocabulary = tokenizer.get_vocab()
        template = tokenizer.get_chat_template() if self.converses else None
        parts = [vocabulary, template, tokenizer.special_tokens_map, self.system]
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()

    # --- from here on: how it is done

    def _around(self, turns: Sequence[Turn]) -> tuple[str, str]:
        """The template's text before and after the assistant's next answer."""
        mark = "DragomanAnswerHere"
        before, found, after = self._template.render([*turns, Turn("assistant", mark)]).rpartition(mark)
        if not found:
            raise self._template.not_as_it_is(mark, after)
        return before, after

    def _pieces(self, turns: Sequence[Turn]) -> list[str]:
        """The rendered text around the answers of a conversation: before, between and after them."""
        with_marks = [
            Turn(turn.role, f"DragomanAnswer{place}Here") if turn.role == "assistant" else turn
            for place, turn in enumerate(turns)
        ]
        rest = self._template.render(with_marks)
        around: list[str] = []
        for mark in (turn.text for turn in with_marks if turn.role == "assistant"):
            piece, found, rest = rest.partition(mark)
            if not found:
                raise self._template.not_as_it_is(mark, piece)
            around.append(piece)
        return [*around, rest]

    @cached_property
    def _tells_inputs(self) -> bool:
        """Whether the template has a separate place for the input that an instruction is about."""
        apart = Turn("user", "Translate this.", "Guten Morgen!")
        return self._template.render([apart]) != self._template.render([Turn("user", apart.whole)])

    def _frame(self, shape: Shape) -> list[str] | None:
        """The template's text, as decoded, before the words of such a conversation; None if it has no such shape."""
        if shape not in self._frames:
            try:
                whole = self._text(self._encode(self._template.render(marked(shape))))
            except TemplateError:  # one that knows no system prompt
                whole = ""
            between = pieces(shape, whole)
            # before an answer a prompt ends without the spaces
            self._frames[shape] = between and [*between[:-1], _without_spaces(between[-1])]
        return self._frames[shape]

    def _encode(self, text: str, literally: bool = False) -> Ids:
        # the template has already written the token that begins a text
        return tuple(self.tokenizer(text, add_special_tokens=False, split_special_tokens=literally)["input_ids"])

    def _after(self, text: str, ids: Ids, more: str) -> Ids:
        """The ids of `more` where it follows `text`, whose ids are given and stay as they are."""
        whole = self._encode(text + more)
        return whole[len(ids) :] if whole[: len(ids)] == ids else self._apart(text, ids, more)

    def _apart(self, text: str, ids: Ids, more: str, literally: bool = False) -> Ids:
        """The ids of `more` by itself."""
        apart = self._encode(more, literally)
        if self._text(ids + apart) == self._text(self._encode(text + more)):
            return apart
        # SentencePiece puts a space before a text that begins; after a line feed it does not
        return self._encode("\n" + more, literally)[len(self._encode("\n")) :]

    def _text(self, ids: Ids) -> str:
        return str(self.tokenizer.decode(ids, clean_up_tokenization_spaces=False))

    def _answer_after(self, text: str, ids: Ids, space: str, answer: str) -> Ids:
        if not (answer := answer.strip()):
            return ()
        found = self._after(text, ids, space + answer)
        return found if self._special.isdisjoint(found) else self._apart(text, ids, space + answer, literally=True)

    def _find_end(self, before: str, after: str) -> tuple[str, Ids]:
        """The text that closes a turn, and its ids up to and including the token that ends it."""
        special = self._special | set(self.tokenizer.added_tokens_decoder)
        text = before + "Yes"
        ids = self._after(text, self._encode(text), after)
        for place, token in enumerate(ids):
            if token in special:
                mark = self.tokenizer.convert_ids_to_tokens(token)
                return after[: after.index(mark) + len(mark)], ids[: place + 1]
        if after.strip() or self.tokenizer.eos_token_id is None:
            raise TemplateError(
                f"the chat template of {self.name} ends the assistant's turn with {after!r}, in which there is no "
                "special token, so a model could not be told where to stop. Use a template that ends a turn with one."
            )
        return "", (int(self.tokenizer.eos_token_id),)


def _without_spaces(text: str) -> str:
    """Strips the spaces before an answer, which belong to the answer: in every vocabulary a word carries its space in
    front.
    """
    return text.rstrip(" ")


def _ids(runs: Sequence[Run]) -> Ids:
    return tuple(token for run in runs for token in run.ids)
