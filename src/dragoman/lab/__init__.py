"""The lab: a small world with its own backbone, so that everything runs for real on a laptop."""

from pathlib import Path

from dragoman.store import sha256

BACKBONE = Path(__file__).parent / "backbone"


def digest() -> list[str]:
    """The lab's corpora are its code: they change when a file of the world changes."""
    return [sha256(path) for path in sorted(Path(__file__).parent.rglob("*.py"))]
