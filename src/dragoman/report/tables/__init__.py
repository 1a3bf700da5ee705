"""Tables in the papers' layouts, as Markdown, LaTeX and JSON."""
