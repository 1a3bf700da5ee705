"""The lab: a small world with its own backbone, so that everything runs for real on a laptop."""

from pathlib import Path

BACKBONE = Path(__file__).parent / "backbone"
