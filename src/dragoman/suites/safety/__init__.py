"""Safety and over-refusal: harmful and seemingly harmful requests."""
