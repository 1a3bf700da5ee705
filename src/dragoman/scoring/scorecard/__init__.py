"""The scorecard: every row against the backbone, and every two rows against each other."""
