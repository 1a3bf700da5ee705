"""What a recipe may say, checked with all its faults at once, each with file and line. No torch."""
