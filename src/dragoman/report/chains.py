"""Chains of rows in a scorecard: each starts from what the row before became."""

from collections.abc import Iterator, Sequence

from dragoman.scoring.scorecard.schema import Part, Row, Scorecard


def kept_of_before(row: Row) -> Part | None:
    """RP as shares of what the row before can do; None where a row starts from the backbone."""
    return row["after"]["kept"] if "after" in row else None


def paths(card: Scorecard) -> Iterator[Sequence[Row]]:
    """For each row of a chain the rows up to it, itself the last; chain after chain, each in its order."""
    named = {row["name"]: row for row in card["rows"]}
    following: dict[str, list[Row]] = {}
    for row in card["rows"]:
        if "after" in row and row["after"]["row"] in named:
            following.setdefault(row["after"]["row"], []).append(row)
    begun = [row for row in card["rows"] if "after" not in row or row["after"]["row"] not in named]
    waiting = [[row] for row in reversed(begun) if row["name"] in following]
    while waiting:
        path = waiting.pop()
        yield path
        waiting += [[*path, row] for row in reversed(following.get(path[-1]["name"], []))]
