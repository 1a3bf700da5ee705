"""Sentences whose translations were checked by hand, one for each rule of grammar."""

from typing import Any

import pytest

from dragoman.lab import world
from dragoman.lab.grammar import lexicon
from dragoman.lab.grammar.meaning import Clause, Meaning, Phrase, Pronoun, Spot
from dragoman.lab.grammar.verbs import BE, MODALS

N = {noun.en: noun for noun in lexicon.NOUNS}
V = {f"{verb.en}/{verb.de}": verb for verb in lexicon.VERBS}
A = {adjective.en: adjective for adjective in lexicon.ADJECTIVES}
ADV = {adverb.en: adverb for adverb in lexicon.ADVERBS}
NAME = {name.text: name for name in lexicon.NAMES}
ME, YOU, WE, THEY = Pronoun(1), Pronoun(2), Pronoun(1, True), Pronoun(3, True)
HE, SHE = Pronoun(3), Pronoun(3, gender="f")


def the(noun: str, adjective: str | None = None, plural: bool = False, **more: Any) -> Phrase:
    return Phrase(N[noun], plural, adjective=A[adjective] if adjective else None, **more)


def a(noun: str, adjective: str | None = None, plural: bool = False) -> Phrase:
    return the(noun, adjective, plural, determiner="bare" if plural or N[noun].mass else "a")


def some(number: int, noun: str, adjective: str | None = None) -> Phrase:
    return the(noun, adjective, True, determiner="number", number=number)


def own(owner: Pronoun, noun: str, adjective: str | None = None, plural: bool = False) -> Phrase:
    return the(noun, adjective, plural, determiner="own", owner=owner)


def of(phrase: Phrase) -> Pronoun:
    return Pronoun(3, phrase.many, antecedent=phrase)


def who(head: Any) -> Phrase:
    return Phrase(head)


def does(verb: str, subject: Any, tense: Any = "present", thing: Phrase | None = None, **more: Any) -> Clause:
    return Clause(V[verb], subject, tense, thing, **more)


def at(noun: str, adjective: str | None = None) -> Spot:
    return Spot("at", the(noun, adjective))


def to(noun: str) -> Spot:
    return Spot("to", the(noun))


MAN, WOMAN, BOY = the("man"), the("woman"), the("boy")
TABLE = [
    # word order and tenses
    (
        does("read/lesen", WOMAN, thing=a("book")),
        "The woman reads a book.",
        "Die Frau liest ein Buch.",
        "La donna legge un libro.",
    ),
    (
        does("read/lesen", WOMAN, "past", a("book"), time=ADV["yesterday"], time_first=True),
        "Yesterday the woman read a book.",
        "Gestern hat die Frau ein Buch gelesen.",
        "Ieri la donna ha letto un libro.",
    ),
    (
        does("read/lesen", WOMAN, "future", the("book"), time=ADV["tomorrow"]),
        "The woman will read the book tomorrow.",
        "Die Frau wird morgen das Buch lesen.",
        "La donna leggerà il libro domani.",
    ),
    (
        does("go/gehen", WOMAN, "past", spots=(to("school"),)),
        "The woman went to the school.",
        "Die Frau ist in die Schule gegangen.",
        "La donna è andata a scuola.",
    ),
    (
        does("arrive/ankommen", the("girl", plural=True), "past", spots=(at("station"),)),
        "The girls arrived at the station.",
        "Die Mädchen sind am Bahnhof angekommen.",
        "Le ragazze sono arrivate alla stazione.",
    ),
    # separable and reflexive verbs
    (
        does("call/anrufen", who(NAME["Anna"]), thing=own(of(who(NAME["Anna"])), "mother")),
        "Anna calls her mother.",
        "Anna ruft ihre Mutter an.",
        "Anna chiama sua madre.",
    ),
    (
        does("get/aufstehen", who(WE), "past", manner=ADV["slowly"]),
        "We got up slowly.",
        "Wir sind langsam aufgestanden.",
        "Ci siamo alzati lentamente.",
    ),
    (
        does("rest/ausruhen", the("grandmother"), "past", spots=(at("garden"),)),
        "The grandmother rested in the garden.",
        "Die Großmutter hat sich im Garten ausgeruht.",
        "La nonna si è riposata nel giardino.",
    ),
    (does("get/aufstehen", who(ME), modal=MODALS[1]), "I must get up.", "Ich muss aufstehen.", "Devo alzarmi."),
    # one English word, two German ones
    (
        does("eat/fressen", the("horse"), thing=some(2, "apple")),
        "The horse eats two apples.",
        "Das Pferd frisst zwei Äpfel.",
        "Il cavallo mangia due mele.",
    ),
    (
        does("eat/essen", BOY, thing=some(12, "cherry", "sweet")),
        "The boy eats twelve sweet cherries.",
        "Der Junge isst zwölf süße Kirschen.",
        "Il ragazzo mangia dodici ciliegie dolci.",
    ),
    (
        does("know/kennen", who(YOU), "past", the("neighbour", "old")),
        "You knew the old neighbour.",
        "Du kanntest den alten Nachbarn.",
        "Conoscevi il vecchio vicino.",
    ),
    (
        does("go/fahren", who(THEY), "past", spots=(to("museum"), Spot("by", the("bicycle")))),
        "They went to the museum by bicycle.",
        "Sie sind mit dem Fahrrad ins Museum gefahren.",
        "Sono andati al museo in bicicletta.",
    ),
    # cases and prepositions
    (
        does("give/geben", MAN, thing=a("hat", "red"), recipient=the("child", "small")),
        "The man gives a red hat to the small child.",
        "Der Mann gibt dem kleinen Kind einen roten Hut.",
        "L'uomo dà un cappello rosso al piccolo bambino.",
    ),
    (
        does("help/helfen", who(ME), thing=the("friend", plural=True)),
        "I help the friends.",
        "Ich helfe den Freunden.",
        "Aiuto gli amici.",
    ),
    (
        does("help/helfen", BOY, "past", who(YOU)),
        "The boy helped you.",
        "Der Junge hat dir geholfen.",
        "Il ragazzo ti ha aiutato.",
    ),
    (
        does("wait/warten", who(SHE), "past", the("train")),
        "She waited for the train.",
        "Sie hat auf den Zug gewartet.",
        "Lei ha aspettato il treno.",
    ),
    (
        does("answer/antworten", who(HE), thing=the("student", plural=True)),
        "He answers the students.",
        "Er antwortet den Studentinnen.",
        "Lui risponde alle studentesse.",
    ),
    (
        does("see/sehen", BOY, thing=the("bear"), spots=(Spot("under", the("tree", "old")),)),
        "The boy sees the bear under the old tree.",
        "Der Junge sieht den Bären unter dem alten Baum.",
        "Il ragazzo vede l'orso sotto il vecchio albero.",
    ),
    (
        does(
            "bring/bringen",
            Phrase(NAME["Maria"], also=who(NAME["Emma"])),
            thing=a("water"),
            recipient=who(NAME["Anna"]),
        ),
        "Maria and Emma bring water to Anna.",
        "Maria und Emma bringen Anna Wasser.",
        "Maria ed Emma portano acqua ad Anna.",
    ),
    # articles by sound
    (
        does("have/haben", the("uncle"), thing=a("umbrella", "new")),
        "The uncle has a new umbrella.",
        "Der Onkel hat einen neuen Regenschirm.",
        "Lo zio ha un nuovo ombrello.",
    ),
    (
        does("watch/beobachten", the("pupil", plural=True), thing=the("squirrel", plural=True), spots=(at("park"),)),
        "The pupils watch the squirrels in the park.",
        "Die Schüler beobachten die Eichhörnchen im Park.",
        "Gli alunni osservano gli scoiattoli nel parco.",
    ),
    (
        does("see/sehen", the("woman", determiner="this"), thing=a("squirrel")),
        "This woman sees a squirrel.",
        "Diese Frau sieht ein Eichhörnchen.",
        "Questa donna vede uno scoiattolo.",
    ),
    (
        does("buy/kaufen", the("man", determiner="every"), thing=a("orange")),
        "Every man buys an orange.",
        "Jeder Mann kauft eine Orange.",
        "Ogni uomo compra un'arancia.",
    ),
    # possessives
    (
        does("look/suchen", the("dog"), thing=own(of(the("dog")), "ball")),
        "The dog looks for its ball.",
        "Der Hund sucht seinen Ball.",
        "Il cane cerca la sua palla.",
    ),
    (
        does("visit/besuchen", the("girl", plural=True), "future", own(of(the("girl", plural=True)), "city")),
        "The girls will visit their city.",
        "Die Mädchen werden ihre Stadt besuchen.",
        "Le ragazze visiteranno la loro città.",
    ),
    (
        does("sleep/schlafen", own(WE, "cat", "tired"), spots=(at("kitchen"),)),
        "Our tired cat sleeps in the kitchen.",
        "Unsere müde Katze schläft in der Küche.",
        "La nostra gatta stanca dorme in cucina.",
    ),
    # negation
    (
        does("buy/kaufen", who(WE), thing=a("bread"), negated=True),
        "We do not buy bread.",
        "Wir kaufen kein Brot.",
        "Non compriamo pane.",
    ),
    (
        does("sleep/schlafen", BOY, "past", spots=(at("house"),), negated=True),
        "The boy did not sleep in the house.",
        "Der Junge hat nicht im Haus geschlafen.",
        "Il ragazzo non ha dormito nella casa.",
    ),
    (
        does("read/lesen", who(ME), thing=the("letter"), never=True),
        "I never read the letter.",
        "Ich lese den Brief nie.",
        "Non leggo mai la lettera.",
    ),
    (
        does("open/öffnen", BOY, thing=the("door"), negated=True, modal=MODALS[1]),
        "The boy must not open the door.",
        "Der Junge darf die Tür nicht öffnen.",
        "Il ragazzo non deve aprire la porta.",
    ),
    (
        Clause(BE, the("tower", plural=True), "past", predicate=A["high"], negated=True),
        "The towers were not high.",
        "Die Türme waren nicht hoch.",
        "Le torri non erano alte.",
    ),
    # being
    (
        Clause(BE, MAN, "present", predicate=A["old"], compared=the("tree")),
        "The man is older than the tree.",
        "Der Mann ist älter als der Baum.",
        "L'uomo è più vecchio dell'albero.",
    ),
    (
        Clause(BE, None, "past", a("car"), spots=(at("street"),), negated=True, exists=True),
        "There was no car on the street.",
        "Es gab auf der Straße kein Auto.",
        "Non c'era nessuna macchina sulla strada.",
    ),
    (
        Clause(BE, None, "present", some(3, "bird"), spots=(at("beach"),), exists=True),
        "There are three birds on the beach.",
        "Es gibt am Strand drei Vögel.",
        "Ci sono tre uccelli sulla spiaggia.",
    ),
    (
        does("rain/regnen", Phrase(Pronoun(3, gender="n")), time=ADV["today"], time_first=True),
        "Today it rains.",
        "Heute regnet es.",
        "Oggi piove.",
    ),
    # subordinate clauses
    (
        does("know/wissen", who(SHE), that=does("travel/reisen", who(NAME["Marco"]), "future")),
        "She knows that Marco will travel.",
        "Sie weiß, dass Marco reisen wird.",
        "Lei sa che Marco viaggerà.",
    ),
    (
        does("dance/tanzen", Phrase(N["woman"], relative=does("live/wohnen", WOMAN, spots=(at("village"),))), "future"),
        "The woman who lives in the village will dance.",
        "Die Frau, die im Dorf wohnt, wird tanzen.",
        "La donna che abita nel villaggio ballerà.",
    ),
]


@pytest.mark.parametrize(("clause", "english", "german", "italian"), TABLE, ids=[row[1] for row in TABLE])
def test_clauses(clause: Clause, english: str, german: str, italian: str) -> None:
    said = {language: world.say(Meaning(clause), language) for language in world.LANGUAGES}
    assert said == {"en": english, "de": german, "it": italian}


GIRL = the("girl")
BUYS = does("buy/kaufen", WOMAN, thing=the("cake"))
SENTENCES = [
    (
        Meaning(does("buy/kaufen", WOMAN, "past", the("cake")), "yes or no"),
        "Did the woman buy the cake?",
        "Hat die Frau den Kuchen gekauft?",
        "La donna ha comprato la torta?",
    ),
    (
        Meaning(does("buy/kaufen", None, thing=the("cake")), "who"),
        "Who buys the cake?",
        "Wer kauft den Kuchen?",
        "Chi compra la torta?",
    ),
    (
        Meaning(does("buy/kaufen", WOMAN), "what"),
        "What does the woman buy?",
        "Was kauft die Frau?",
        "Che cosa compra la donna?",
    ),
    (
        Meaning(does("buy/kaufen", WOMAN, "past", a("pear", plural=True)), "how many"),
        "How many pears did the woman buy?",
        "Wie viele Birnen hat die Frau gekauft?",
        "Quante pere ha comprato la donna?",
    ),
    (
        Meaning(does("go/gehen", WOMAN), "where", toward=True),
        "Where does the woman go?",
        "Wohin geht die Frau?",
        "Dove va la donna?",
    ),
    (
        Meaning(does("sleep/schlafen", WOMAN, "past"), "where"),
        "Where did the woman sleep?",
        "Wo hat die Frau geschlafen?",
        "Dove ha dormito la donna?",
    ),
    (
        Meaning(does("come/kommen", who(YOU), "future"), "when"),
        "When will you come?",
        "Wann wirst du kommen?",
        "Quando verrai?",
    ),
    (
        Meaning(does("cry/weinen", GIRL), "why"),
        "Why does the girl cry?",
        "Warum weint das Mädchen?",
        "Perché la ragazza piange?",
    ),
    (
        Meaning(
            does("sleep/schlafen", GIRL),
            link="because",
            other=Clause(BE, who(of(GIRL)), "present", predicate=A["tired"]),
        ),
        "The girl sleeps because she is tired.",
        "Das Mädchen schläft, weil es müde ist.",
        "La ragazza dorme perché è stanca.",
    ),
    (
        Meaning(
            does("sing/singen", who(WE)), link="when", other=does("arrive/ankommen", the("train")), other_first=True
        ),
        "When the train arrives, we sing.",
        "Wenn der Zug ankommt, singen wir.",
        "Quando il treno arriva, cantiamo.",
    ),
    (
        Meaning(does("sing/singen", who(WE), "past"), link="when", other=does("arrive/ankommen", the("train"), "past")),
        "We sang when the train arrived.",
        "Wir haben gesungen, als der Zug angekommen ist.",
        "Abbiamo cantato quando il treno è arrivato.",
    ),
    (
        Meaning(
            does("stay/bleiben", who(WE), "future", spots=(ADV["at home"],)),
            link="if",
            other=does("snow/schneien", Phrase(Pronoun(3, gender="n"))),
            other_first=True,
        ),
        "If it snows, we will stay at home.",
        "Wenn es schneit, werden wir zu Hause bleiben.",
        "Se nevica, resteremo a casa.",
    ),
    (
        Meaning(BUYS, link="and", other=does("sing/singen", WOMAN, thing=a("song")), shared=True),
        "The woman buys the cake and sings a song.",
        "Die Frau kauft den Kuchen und singt ein Lied.",
        "La donna compra la torta e canta una canzone.",
    ),
    (
        Meaning(BUYS, link="but", other=does("bark/bellen", the("dog", plural=True), negated=True)),
        "The woman buys the cake, but the dogs do not bark.",
        "Die Frau kauft den Kuchen, aber die Hunde bellen nicht.",
        "La donna compra la torta, ma i cani non abbaiano.",
    ),
]


@pytest.mark.parametrize(("meaning", "english", "german", "italian"), SENTENCES, ids=[row[1] for row in SENTENCES])
def test_sentences(meaning: Meaning, english: str, german: str, italian: str) -> None:
    said = {language: world.say(meaning, language) for language in world.LANGUAGES}
    assert said == {"en": english, "de": german, "it": italian}


@pytest.mark.parametrize(
    ("noun", "language", "definite", "plural", "expected"),
    [
        ("dog", "de", True, False, "der Hund"), ("dog", "de", False, False, "ein Hund"),
        ("dog", "de", False, True, "Hunde"),
        ("friend", "it", True, True, "gli amici"), ("mirror", "it", True, False, "lo specchio"),
        ("orange", "it", False, False, "un'arancia"), ("apple", "en", False, False, "an apple"),
        ("child", "en", True, True, "the children"), ("water", "it", True, False, "l'acqua"),
    ],
)  # fmt: skip
def test_phrase(noun: str, language: str, definite: bool, plural: bool, expected: str) -> None:
    assert world.phrase(N[noun], language, definite=definite, plural=plural) == expected


def test_a_mass_noun_has_no_plural() -> None:
    with pytest.raises(ValueError, match="milk has no plural"):
        world.phrase(N["milk"], "en", definite=True, plural=True)


@pytest.mark.parametrize(
    ("entry", "forms"),
    [
        (N["girl"], ("girl", "das Mädchen", "la ragazza")),
        (V["look/suchen"], ("look for", "suchen", "cercare")),
        (V["rest/ausruhen"], ("rest", "sich ausruhen", "riposarsi")),
        (A["expensive"], ("expensive", "teuer", "caro")),
        (ADV["every day"], ("every day", "jeden Tag", "ogni giorno")),
        (NAME["Anna"], ("Anna", "Anna", "Anna")),
    ],
)
def test_dictionary_forms(entry: Any, forms: tuple[str, ...]) -> None:
    assert tuple(lexicon.word(entry, language) for language in world.LANGUAGES) == forms
