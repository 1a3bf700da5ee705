"""Names and everyday words that several families share, so that the lab's small vocabulary is used often."""

WOMEN = ("Anna", "Clara", "Emma", "Greta", "Ida", "Laura", "Maria", "Nina", "Paula", "Rosa", "Sara", "Julia")
MEN = ("Ben", "David", "Felix", "Hans", "Jonas", "Karl", "Luca", "Marco", "Otto", "Paul", "Tom", "Peter")
PEOPLE = WOMEN + MEN


def he(name: str) -> str:
    """The pronoun of a person as subject."""
    return "she" if name in WOMEN else "he"


def him(name: str) -> str:
    """The pronoun of a person as object."""
    return "her" if name in WOMEN else "him"


def his(name: str) -> str:
    """The pronoun of a person as owner."""
    return "her" if name in WOMEN else "his"
