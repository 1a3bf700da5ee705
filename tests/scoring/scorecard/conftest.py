import pytest

from dragoman.scoring.scorecard import abilities


@pytest.fixture
def few_stand_for_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes shares of a handful of items, as of a benchmark's hundreds."""
    monkeypatch.setattr(abilities, "NONE", 0.5)
