"""Entry point of the command, as `dragoman` and as `python -m dragoman`.

As little as possible comes before the handling of Ctrl-C is set up; and child processes, which import this file
again, need no more of it.
"""

from dragoman.interrupts import watch


def main() -> None:
    watch()
    from dragoman.cli import main as command

    command()


if __name__ == "__main__":
    main()
