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


# Things a short sentence can be about.
TOPICS = (
    "dog", "cat", "house", "garden", "sun", "rain", "book", "school", "teacher", "music", "bread", "sea", "city",
    "train", "winter", "summer", "friend", "car", "bird", "tree", "river", "mountain", "flower", "child", "letter",
    "moon", "horse", "kitchen", "park", "doctor", "window", "cake", "street", "village", "song", "snow", "forest",
    "baker", "farmer", "market",
)  # fmt: skip

# Words of one kind, in English, German and Italian.
GROUPS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "animal": (
        ("dog", "Hund", "cane"), ("cat", "Katze", "gatto"), ("horse", "Pferd", "cavallo"), ("bird", "Vogel", "uccello"),
        ("cow", "Kuh", "mucca"), ("fish", "Fisch", "pesce"), ("mouse", "Maus", "topo"), ("bear", "Bär", "orso"),
        ("pig", "Schwein", "maiale"), ("sheep", "Schaf", "pecora"),
    ),
    "colour": (
        ("red", "rot", "rosso"), ("blue", "blau", "blu"), ("green", "grün", "verde"), ("yellow", "gelb", "giallo"),
        ("white", "weiß", "bianco"), ("black", "schwarz", "nero"), ("brown", "braun", "marrone"),
        ("grey", "grau", "grigio"),
    ),
    "fruit": (
        ("apple", "Apfel", "mela"), ("pear", "Birne", "pera"), ("cherry", "Kirsche", "ciliegia"),
        ("orange", "Orange", "arancia"), ("banana", "Banane", "banana"), ("lemon", "Zitrone", "limone"),
        ("grape", "Traube", "uva"), ("peach", "Pfirsich", "pesca"),
    ),
    "drink": (
        ("water", "Wasser", "acqua"), ("milk", "Milch", "latte"), ("tea", "Tee", "tè"), ("coffee", "Kaffee", "caffè"),
        ("wine", "Wein", "vino"), ("beer", "Bier", "birra"), ("juice", "Saft", "succo"),
    ),
    "day": (
        ("Monday", "Montag", "lunedì"), ("Tuesday", "Dienstag", "martedì"), ("Wednesday", "Mittwoch", "mercoledì"),
        ("Thursday", "Donnerstag", "giovedì"), ("Friday", "Freitag", "venerdì"), ("Saturday", "Samstag", "sabato"),
        ("Sunday", "Sonntag", "domenica"),
    ),
    "season": (
        ("spring", "Frühling", "primavera"), ("summer", "Sommer", "estate"), ("autumn", "Herbst", "autunno"),
        ("winter", "Winter", "inverno"),
    ),
    "number": (
        ("one", "eins", "uno"), ("two", "zwei", "due"), ("three", "drei", "tre"), ("four", "vier", "quattro"),
        ("five", "fünf", "cinque"), ("six", "sechs", "sei"), ("seven", "sieben", "sette"), ("eight", "acht", "otto"),
        ("nine", "neun", "nove"), ("ten", "zehn", "dieci"),
    ),
    "relative": (
        ("mother", "Mutter", "madre"), ("father", "Vater", "padre"), ("sister", "Schwester", "sorella"),
        ("brother", "Bruder", "fratello"), ("uncle", "Onkel", "zio"), ("aunt", "Tante", "zia"),
    ),
    "food": (
        ("bread", "Brot", "pane"), ("cheese", "Käse", "formaggio"), ("egg", "Ei", "uovo"), ("cake", "Kuchen", "torta"),
        ("soup", "Suppe", "zuppa"), ("rice", "Reis", "riso"), ("meat", "Fleisch", "carne"),
    ),
    "body part": (
        ("hand", "Hand", "mano"), ("head", "Kopf", "testa"), ("foot", "Fuß", "piede"), ("eye", "Auge", "occhio"),
        ("nose", "Nase", "naso"), ("mouth", "Mund", "bocca"), ("arm", "Arm", "braccio"),
    ),
    "thing in a house": (
        ("table", "Tisch", "tavolo"), ("chair", "Stuhl", "sedia"), ("bed", "Bett", "letto"), ("door", "Tür", "porta"),
        ("lamp", "Lampe", "lampada"), ("window", "Fenster", "finestra"), ("kitchen", "Küche", "cucina"),
    ),
}  # fmt: skip

PLURALS = {
    "animal": "animals", "colour": "colours", "fruit": "fruits", "drink": "drinks", "day": "days of the week",
    "season": "seasons", "number": "numbers", "relative": "members of a family", "food": "kinds of food",
    "body part": "parts of the body", "thing in a house": "things in a house",
}  # fmt: skip

COUNTS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
