"""A learning rate in a recipe's file: one line changes, and what a person wrote around it stays."""

from pathlib import Path

import pytest

from dragoman.errors import RecipeError
from dragoman.pipeline.tune.write_rate import Target, changed

BLOCK = """\
# Mine.
name: mine   # a name
training:
  # how it is trained
  epochs: 3
  learning_rate: 1e-4  # tried in May
methods: [vanilla]
"""
WRITTEN = {
    "a line": (BLOCK, BLOCK.replace("1e-4", "3e-3")),
    "windows": (BLOCK.replace("\n", "\r\n"), BLOCK.replace("1e-4", "3e-3").replace("\n", "\r\n")),
    "a mark of order": ("\ufeff" + BLOCK, "\ufeff" + BLOCK.replace("1e-4", "3e-3")),
    "quoted": ("training: {learning_rate: '1e-4', epochs: 1}\n", "training: {learning_rate: 3e-3, epochs: 1}\n"),
    "none yet": (
        "training:\n    # few\n    epochs: 3\nname: a\n",
        "training:\n    # few\n    learning_rate: 3e-3\n    epochs: 3\nname: a\n",
    ),
    "none yet, in braces": ("training: {epochs: 3}\n", "training: {learning_rate: 3e-3, epochs: 3}\n"),
    "empty braces": ("training: {}  # all usual\n", "training: {learning_rate: 3e-3}  # all usual\n"),
    "nothing under it": ("training:\nname: a\n", "training: {learning_rate: 3e-3}\nname: a\n"),
    "no training": ("extends: base.yaml\nname: a", "extends: base.yaml\nname: a\ntraining:\n  learning_rate: 3e-3\n"),
    "no training, windows": ("name: a\r\n", "name: a\r\ntraining:\r\n  learning_rate: 3e-3\r\n"),
    "all in braces": ("{name: a}\n", "{training: {learning_rate: 3e-3}, name: a}\n"),
}


@pytest.mark.parametrize("case", WRITTEN)
def test_one_line_changes_or_is_added(case: str) -> None:
    before, after = WRITTEN[case]
    assert changed(before, ("training",), "3e-3") == after
    assert changed(after, ("training",), "3e-3") == after


def test_the_rate_of_one_row() -> None:
    text = "methods:\n  - vanilla\n  - radis:\n      training: {learning_rate: 1e-4}  # its own\n"
    new = changed(text, ("methods", 1, "radis", "training"), "3e-3")
    assert new == text.replace("1e-4", "3e-3")


REFUSED = {
    "an alias": ("base: &base {epochs: 3}\ntraining: *base\n", "stands for what is written elsewhere"),
    "an alias for the rate": ("a: &lr 1e-4\ntraining: {learning_rate: *lr}\n", "training.learning_rate stands for"),
    "what others stand for": (
        "training: {learning_rate: &lr 1e-4}\nother: *lr\n",
        "cannot be changed without changing more",
    ),
    "merged from an anchor": ("training: &t\n  epochs: 3\nother: *t\n", "cannot be changed without changing more"),
    "no mapping": ("training: 3\n", "training is no mapping"),
    "an end of the document": ("name: a\n...\n", "cannot be changed without changing more"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_change_more_is_refused(case: str) -> None:
    text, why = REFUSED[case]
    with pytest.raises(RecipeError, match=why.replace("(", r"\(")):
        changed(text, ("training",), "3e-3")


def test_a_file_keeps_its_mode_and_a_link_its_place(tmp_path: Path) -> None:
    (tmp_path / "real.yaml").write_bytes(BLOCK.encode())
    (tmp_path / "real.yaml").chmod(0o640)
    link = tmp_path / "link.yaml"
    link.symlink_to("real.yaml")
    assert Target(link).write("3e-3")
    assert not Target(link).write("3e-3")
    assert link.is_symlink()
    assert (tmp_path / "real.yaml").read_text() == BLOCK.replace("1e-4", "3e-3")
    assert (tmp_path / "real.yaml").stat().st_mode & 0o777 == 0o640


def test_a_file_that_is_read_only_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(BLOCK)
    assert Target(path).obstacle() == ""
    path.chmod(0o444)
    assert Target(path).obstacle() == "the file is read-only"
    assert Target(path).line("3e-3") == "`learning_rate: 3e-3` under `training`"
