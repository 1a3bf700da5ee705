"""Where the command begins, as `dragoman` and as `python -m dragoman`.

As little as can be stands before the watch for Ctrl-C; and a process of its own, which imports this file anew, needs no
more of it.
"""

from dragoman.interrupts import watch


def main() -> None:
    watch()
    from dragoman.cli import main as command

    command()


if __name__ == "__main__":
    main()
