"""COMET: scores translations with a model trained on human judgements.

Official checkpoints are read as they are published and scored as the official package does, without that package,
which needs older versions of nearly everything else. A text that occurs in several triples is encoded once. Earlier
scores are looked up, and so are the vectors of sources and references when another system is scored. Scores agree
with the official ones up to rounding; in bf16, on request, to about two digits.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from dragoman import __version__
from dragoman.errors import DataError
from dragoman.models.loading import pick_device
from dragoman.progress import Bar, progress
from dragoman.scoring.comet import checkpoint as comet_checkpoint
from dragoman.scoring.comet import head as comet_head
from dragoman.scoring.comet.cache import Scores, Vectors, key
from dragoman.scoring.comet.checkpoint import Checkpoint
from dragoman.scoring.comet.tokens import Ids, Tokens
from dragoman.store import fingerprint, sha256

if TYPE_CHECKING:
    import torch

    from dragoman.scoring.comet.encoder import Encoder, Shape

Precision = Literal["fp32", "bf16"]
Texts = tuple[str, ...]

REVISION = 1
"""The revision of how scores are computed here; cached scores of another one are not used."""

_BATCH = {"cpu": 4096}  # tokens; an accelerator wants more
_BATCH_ACCELERATED = 16_384
_GROUP = 8  # batches after which scores are stored; more if they are quick
_WORK = 2e13  # operations, some minutes of one core
_MOST = 4_000_000  # tokens in a group
_BYTES = 4  # of UTF-8 a token, about
_RATED = 4096  # rows of features at once


class Triple(NamedTuple):
    """What is scored. None means no reference; an empty reference is a text like any other."""

    source: str
    translation: str
    reference: str | None = None


class Comet:
    """A COMET model, opened by `open_comet`. Its weights are read when something has to be scored."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        encoder: Path,
        shape: "Shape",
        tokens: Tokens,
        precision: Precision,
        batch_tokens: int | None,
        digest_of: Callable[[Path], str],
    ):
        self.name = checkpoint.name
        self.precision = precision
        self.needs_reference = checkpoint.settings.kind == "regression_metric"
        self._checkpoint, self._folder, self._shape, self._tokens = checkpoint, encoder, shape, tokens
        self._digest_of = digest_of
        self._device = pick_device()
        self._batch_tokens = batch_tokens or _BATCH.get(self._device.type, _BATCH_ACCELERATED)

    @cached_property
    def fingerprint(self) -> str:
        """A short hash of everything that determines the scores."""
        files = {path.name: self._digest_of(path) for path in self._checkpoint.files}
        files |= {name: self._digest_of(self._folder / name) for name in ("config.json", "tokenizer.json")}
        return fingerprint({"files": files, "precision": self.precision, "revision": REVISION})

    @property
    def signature(self) -> str:
        settings = self._checkpoint.settings
        return (
            f"comet|model:{self.name}|contents:{self.fingerprint[:8]}|class:{settings.kind}|layers:{settings.mix}"
            f"|refs:{int(self.needs_reference)}|precision:{self.precision}|version:dragoman-{__version__}"
        )

    def score(self, triples: Sequence[Triple], cache: Path | None = None) -> list[float]:
        """The score of each triple, in order. `cache` is a folder in which scores are stored and looked up.

        A DataError if a text is missing; references only matter to a model that uses them.
        """
        wanted = self._wanted(triples)
        kept = None if cache is None else Scores(cache / f"comet-{self.fingerprint}.scores")
        stored = kept.read() if kept else {}
        names = {triple: key(self.fingerprint, triple) for triple in set(wanted)} if kept else {}
        known = {triple: stored[name] for triple, name in names.items() if name in stored}
        todo = [triple for triple in dict.fromkeys(wanted) if triple not in known]
        for scores in self._scored(todo, cache):
            known |= scores
            if kept:
                kept.add({names[triple]: score for triple, score in scores.items()})
        return [known[triple] for triple in wanted]

    def _wanted(self, triples: Sequence[Triple]) -> list[Texts]:
        """The texts of each triple that the model reads."""
        read = Triple._fields[: 3 if self.needs_reference else 2]
        faulty = [
            (at, side)
            for at, triple in enumerate(triples)
            for side in read
            if not isinstance(getattr(triple, side), str)
        ]
        if faulty:
            at, side = faulty[0]
            other = ", or take a model that does without references" if side == "reference" else ""
            several = len({at for at, _ in faulty})
            raise DataError(
                f"{self.name} cannot score {several:,} of {len(triples):,} translations: number {at + 1} has no "
                f"{side}. Give one for each{other}."
            )
        return [tuple(str(getattr(triple, side)) for side in read) for triple in triples]

    def _scored(self, todo: Sequence[Texts], cache: Path | None) -> Iterator[dict[Texts, float]]:
        """Scores of distinct triples, in groups of similar length, the longest first."""
        if not todo:
            return
        ordered = sorted(todo, key=lambda texts: (-len(texts[0]), texts))
        uses = Counter(text for texts in ordered for text in texts)
        kept = None
        if cache is not None and self.needs_reference:
            kept = Vectors(cache / f"comet-{self.fingerprint}.vectors", self._shape.hidden)
        vectors = self._known(ordered, kept)  # of texts that are still to be used
        total, unit = (len(uses) - len(vectors), "texts") if self.needs_reference else (len(ordered), "pairs")
        with _full_precision(), progress(f"comet {self.name}", total, unit) as bar:
            for group in self._groups(ordered):
                if self.needs_reference:
                    values = self._compared(group, vectors, kept, bar)
                    uses.subtract(text for texts in group for text in texts)
                    vectors = {text: vector for text, vector in vectors.items() if uses[text]}
                else:
                    values = self._joined(group, bar)
                if not all(map(math.isfinite, values)):
                    raise DataError(f"{self.name} gives scores that are no numbers: its checkpoint is damaged.")
                yield dict(zip(group, values, strict=True))

    def _known(self, wanted: Sequence[Texts], kept: Vectors | None) -> "dict[str, torch.Tensor]":
        """The cached vectors of these sources and references."""
        import numpy as np
        import torch

        found = kept.read({key(self.fingerprint, [text]): text for text in _given(wanted)}) if kept else {}
        if not found:
            return {}
        return dict(zip(found, torch.from_numpy(np.stack(list(found.values()))).to(self._device), strict=True))

    def _compared(
        self, group: Sequence[Texts], vectors: "dict[str, torch.Tensor]", kept: Vectors | None, bar: Bar
    ) -> list[float]:
        """Scores of triples; adds the vectors of their texts to `vectors`, and those that other systems share to
        `kept`.
        """
        import torch

        new = list({text: None for texts in group for text in texts if text not in vectors})
        for places, found in self._encoded(self._tokens.of(new), bar):
            vectors.update(zip((new[place] for place in places), found, strict=True))
        if kept is not None:
            shared = _given(group) & set(new)
            kept.add({key(self.fingerprint, [text]): vectors[text].cpu().numpy() for text in shared})
        sides = [torch.stack([vectors[text] for text in side]) for side in zip(*group, strict=True)]
        source, translation, reference = sides
        return self._rated(comet_head.features(source, translation, reference))

    def _joined(self, group: Sequence[Texts], bar: Bar) -> list[float]:
        """Scores of pairs, each of which is one text to the encoder."""
        values = [math.nan] * len(group)
        ids = self._tokens.joined([(translation, source) for source, translation in group])
        for places, found in self._encoded(ids, bar):
            for place, value in zip(places, self._rated(found), strict=True):
                values[place] = value
        return values

    def _encoded(self, ids: Sequence[Ids], bar: Bar) -> "Iterator[tuple[list[int], torch.Tensor]]":
        """One batch at a time: the indices of its texts, and their vectors."""
        order = sorted(range(len(ids)), key=lambda place: -len(ids[place]))
        while order:
            taken, tokens = 0, 0
            while taken < len(order) and (not taken or tokens + len(ids[order[taken]]) <= self._batch_tokens):
                tokens += len(ids[order[taken]])
                taken += 1
            places, order = order[:taken], order[taken:]
            yield places, self._encoder.vectors([ids[place] for place in places])
            bar.advance(taken, tokens)

    def _groups(self, ordered: Sequence[Texts]) -> Iterator[list[Texts]]:
        """Groups of triples whose texts make up a few batches."""
        group: list[Texts] = []
        shape = self._shape
        each = 2 * shape.layers * shape.hidden * (4 * shape.hidden + 2 * shape.intermediate)  # operations for a token
        size, limit = 0, _BYTES * min(max(_GROUP * self._batch_tokens, _WORK / each), _MOST)
        for texts in ordered:
            group.append(texts)
            size += sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
            if size >= limit:
                yield group
                group, size = [], 0
        if group:
            yield group

    def _rated(self, features: "torch.Tensor") -> list[float]:
        import torch

        with torch.inference_mode():
            values = [self._head(some) for some in features.split(_RATED)]
        return [float(value) for value in torch.cat(values).tolist()]

    @cached_property
    def _encoder(self) -> "Encoder":
        import torch

        from dragoman.scoring.comet.encoder import Encoder

        settings, weights = self._checkpoint.settings, self._checkpoint.weights
        return Encoder(
            weights,
            self._shape,
            comet_head.layer_weights(weights, settings.mix),
            "mean" if self.needs_reference else "first",
            self._device,
            torch.bfloat16 if self.precision == "bf16" else torch.float32,
            settings.normed,
        )

    @cached_property
    def _head(self) -> comet_head.Head:
        settings = self._checkpoint.settings
        return comet_head.Head.of(
            self._checkpoint.weights, settings.sizes, settings.activation, settings.final, self._device
        )


def open_comet(
    checkpoint: str | Path,
    encoder: str | Path | None = None,
    precision: Precision = "fp32",
    *,
    batch_tokens: int | None = None,
    digest_of: Callable[[Path], str] = sha256,
) -> Comet:
    """A COMET model as it is published: its folder, or its name on the hub if it was downloaded before.

    `encoder` is a folder with `config.json` and `tokenizer.json` of the encoder; by default, what the checkpoint
    names. `digest_of` may remember the digests of files (`store.Digests.of`). A DataError says what is wrong: not a
    COMET model, an unsupported class or setting, weights that do not fit the model, no encoder.
    """
    from dragoman.scoring.comet.encoder import Shape

    opened = comet_checkpoint.open_checkpoint(checkpoint)
    folder = comet_checkpoint.find_encoder(opened, encoder)
    config = comet_checkpoint.read_config(folder)
    try:  # somebody's file
        shape = Shape.of(config)
    except KeyError as error:
        raise DataError(f"{folder / 'config.json'} has no {error.args[0]}, which the encoder needs.") from error
    width = shape.hidden * (6 if opened.settings.kind == "regression_metric" else 1)
    comet_checkpoint.check_weights(
        opened,
        {
            **shape.weights(),
            **comet_head.mix_shapes(shape.layers),
            **comet_head.head_shapes(width, opened.settings.sizes),
        },
    )
    tokens = Tokens(folder, shape.positions, shape.padding, shape.vocabulary)
    return Comet(opened, folder, shape, tokens, precision, batch_tokens, digest_of)


def _given(triples: Iterable[Texts]) -> set[str]:
    """The sources and references, which all systems have in common."""
    return {text for source, _, reference in triples for text in (source, reference)}


@contextmanager
def _full_precision() -> Iterator[None]:
    """Within the block, fp32 products are computed in fp32, whatever the process is set to."""
    import torch

    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
