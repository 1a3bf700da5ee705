"""`python -m dragoman`, where the command is not on the path."""

from dragoman.cli import main

main()
