"""Small models to extend: random weights behind a vocabulary of our own, or a real one; and text in new languages."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer

from tests.look_alikes import look_alike
from tests.tiny_models import llama

PERSONS, DEEDS = ("بارون", "پدرم", "خواهرت", "پزشک"), ("می‌خواند", "می‌نویسد", "می‌آید", "می‌گوید")
THINGS, PLACES = ("کتاب‌ها", "نامه‌ای", "روزنامه"), ("در خانه", "کنار رودخانه", "به آرامی", "امروز صبح")
PERSIAN = tuple(
    f"{who} {place} {what} {does}." for who in PERSONS for place in PLACES for what in THINGS for does in DEEDS
)
"""Text in a language that no vocabulary of ours has seen."""
OLD = "Good morning! Guten Morgen!\n\nThey are there, 12 of them (in brackets).  It is a greeting."


def tiny(folder: Path, kind: str, *, dtype: Any = None, **settings: Any) -> Path:
    """A two-layer Llama in a folder, behind a look-alike's vocabulary."""
    look_alike(kind, folder)
    return _with_weights(folder, dtype, settings)


def behind_real(folder: Path, files: Path, **settings: Any) -> Path:
    """One behind a real tokenizer."""
    shutil.copytree(files, folder, copy_function=shutil.copyfile)
    return _with_weights(folder, None, settings)


def _with_weights(folder: Path, dtype: Any, settings: dict[str, Any]) -> Path:
    rows = max(AutoTokenizer.from_pretrained(folder).get_vocab().values()) + 1
    model = llama(settings.pop("rows", rows), **{"hidden_size": 16, "intermediate_size": 32, **settings})
    model.to(dtype).save_pretrained(folder)
    return folder


def cut(folder: Path, text: str) -> list[int]:
    ids: list[int] = AutoTokenizer.from_pretrained(folder)(text, add_special_tokens=False)["input_ids"]
    return ids


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def of_old(ids: Sequence[int], first: int, old: Sequence[Sequence[int]]) -> list[int]:
    """Ids in which each new one is replaced by the old ones that it is made of."""
    return [part for token in ids for part in (old[token - first] if first <= token < first + len(old) else (token,))]
