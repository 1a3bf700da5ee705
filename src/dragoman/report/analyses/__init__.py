"""The analyses for people: terminal, Markdown, pictures."""
