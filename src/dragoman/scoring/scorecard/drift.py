"""Drift in the scorecard: how far every row has moved from the backbone."""

from collections.abc import Mapping, Sequence

import numpy as np

from dragoman.scoring.divergence import text_drift
from dragoman.scoring.scorecard.schema import Drift
from dragoman.scoring.scorecard.translation import trainings
from dragoman.suites.drift.suite import DriftResult


def drifts(rows: Mapping[str, Sequence[DriftResult]], bootstrap: int) -> dict[str, Drift]:
    """Row → how far it has moved from the backbone. Every kind of text has the same texts with each seed."""
    found: dict[str, Drift] = {}
    for row, results in rows.items():
        first = results[0]
        found[row] = {
            "kinds": {
                kind: text_drift([np.array([*one.sums[kind].values()]) for one in results], bootstrap, row)
                for kind in first.sums
            },
            "signature": f"{first.signature}|interval:bs:{bootstrap}{trainings(results)}",
            "lacking": first.lacking,
        }
    return found
