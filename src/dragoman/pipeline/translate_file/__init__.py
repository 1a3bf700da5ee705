"""Files in another language: data files (`dragoman data translate`), and lines of text (`dragoman translate`)."""
