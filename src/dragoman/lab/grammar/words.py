"""Adjectives, adverbs, first names, numbers, commonest first.

Adjectives: English, comparative unless it is *more …* | German, comparative, attributive stem where it differs |
Italian, masculine plural where it is irregular, `<` if it stands before its noun | English opposite |
kinds of nouns it goes with.
"""

from typing import Literal

from dragoman.lab.grammar.entries import KINDS, Adjective, Adverb, Name

THINGS = "object tool furniture clothing text vehicle"

ADJECTIVE_TABLE = f"""
big bigger | groß größer | grande | small | animal {THINGS} plant building place
small smaller | klein kleiner | piccolo < | big | person animal {THINGS} plant building place
old older | alt älter | vecchio < | new | person animal {THINGS} building place
good better | gut besser | buono | bad | person food drink text music idea
new newer | neu neuer | nuovo < | old | {THINGS} building idea music
beautiful | schön schöner | bello | ugly | person animal text music object clothing plant building place
young younger | jung jünger | giovane < | old | person animal
red redder | rot röter | rosso | | object clothing vehicle furniture plant
happy happier | glücklich glücklicher | felice | sad | person
tired | müde müder | stanco stanchi | awake | person animal
long longer | lang länger | lungo lunghi | short | text music tool clothing idea
white whiter | weiß weißer | bianco bianchi | black | object clothing vehicle furniture animal plant
black blacker | schwarz schwärzer | nero | white | object clothing vehicle animal
green greener | grün grüner | verde | | object clothing vehicle plant furniture
cold colder | kalt kälter | freddo | warm | food drink place
warm warmer | warm wärmer | caldo | cold | food drink clothing place
ill | krank kranker | malato | healthy | person animal
sad sadder | traurig trauriger | triste | happy | person text music
hungry hungrier | hungrig hungriger | affamato | | person animal
fast faster | schnell schneller | veloce | slow | vehicle animal
expensive | teuer teurer teur | caro | cheap | {THINGS}
cheap cheaper | billig billiger | economico economici | expensive | {THINGS}
friendly friendlier | freundlich freundlicher | gentile | | person
loving | liebevoll liebevoller | affettuoso | | person animal
strong stronger | stark stärker | forte | weak | person animal
clever cleverer | klug klüger | intelligente | stupid | person animal
difficult | schwierig schwieriger | difficile | easy | text idea
easy easier | einfach einfacher | facile | difficult | text idea
sweet sweeter | süß süßer | dolce | bitter | food drink
fresh fresher | frisch frischer | fresco freschi | | food
dirty dirtier | schmutzig schmutziger | sporco sporchi | clean | clothing vehicle furniture tool animal
clean cleaner | sauber sauberer | pulito | dirty | clothing vehicle furniture tool building
blue bluer | blau blauer | azzurro | | object clothing vehicle furniture
yellow yellower | gelb gelber | giallo | | object clothing vehicle plant
heavy heavier | schwer schwerer | pesante | light | object furniture tool vehicle
light lighter | leicht leichter | leggero | heavy | object clothing
empty emptier | leer leerer | vuoto | full | building place vehicle
full fuller | voll voller | pieno | empty | building place vehicle
poor poorer | arm ärmer | povero | rich | person
rich richer | reich reicher | ricco ricchi | poor | person
famous | berühmt berühmter | famoso | unknown | person text music building
interesting | interessant interessanter | interessante | boring | text music idea building
boring | langweilig langweiliger | noioso | interesting | text music idea
high higher | hoch höher hoh | alto | low | building
quiet quieter | ruhig ruhiger | tranquillo | loud | person animal building place
brave braver | mutig mutiger | coraggioso | fearful | person animal
lazy lazier | faul fauler | pigro | hardworking | person animal
hardworking | fleißig fleißiger | diligente | lazy | person
angry angrier | wütend wütender | arrabbiato | | person animal
dangerous | gefährlich gefährlicher | pericoloso | safe | animal tool place
wild wilder | wild wilder | selvatico selvatici | tame | animal plant
curious | neugierig neugieriger | curioso | | person animal
thirsty thirstier | durstig durstiger | assetato | | person animal
broken | kaputt kaputter | rotto | | object vehicle furniture tool
ripe riper | reif reifer | maturo | unripe | food
ugly uglier | hässlich hässlicher | brutto | beautiful | clothing building furniture
modern | modern moderner | moderno | old | building furniture vehicle
slow slower | langsam langsamer | lento | fast | vehicle animal
short shorter | kurz kürzer | corto | long | text music clothing tool idea
bad worse | schlecht schlechter | cattivo | good | food drink idea music
weak weaker | schwach schwächer | debole | strong | person animal
hard harder | hart härter | duro | soft | furniture
tasty tastier | lecker leckerer | gustoso | | food drink
narrow narrower | eng enger | stretto | wide | clothing place
round rounder | rund runder | rotondo | | object furniture
soft softer | weich weicher | morbido | hard | furniture clothing
"""

FITS: dict[str, str] = {  # where a kind is too wide: the nouns of it that the adjective goes with
    "ripe": "apple pear orange tomato strawberry cherry lemon",
    "sweet": "apple pear orange strawberry cherry cake chocolate honey tea coffee juice wine",
    "fresh": "bread apple fish meat salad tomato orange lemon strawberry pear mushroom cherry cheese",
    "high": "tower castle house church",
    "narrow": "street room bridge shirt skirt shoe dress jacket coat kitchen",
    "dangerous": "knife wolf bear lion fox dog street mountain river bee hammer forest bridge",
    "wild": "horse cat dog duck goat donkey rabbit rose bush pig",
    "cold": "water milk tea beer juice soup river lake room",
    "warm": "water milk tea soup coat jacket scarf glove hat room bread",
    "round": "table mirror box basket lamp plate",
    "hard": "bed sofa chair bench",
    "bad": "answer question apple fish meat wine coffee soup song game",
    "short": "letter story poem song novel rope dress skirt coat scarf lesson game answer question exercise",
    "soft": "bed sofa chair shirt scarf coat glove jacket",
    "long": "letter story poem song novel book rope ladder dress skirt coat scarf lesson game answer question exercise",
}

ADVERB_TABLE = """
today | heute | oggi | present
yesterday | gestern | ieri | past
tomorrow | morgen | domani | future
now | jetzt | adesso | present
often | oft | spesso | frequency
always | immer | sempre | frequency
here | hier | qui | place
at home | zu Hause | a casa | place
slowly | langsam | lentamente | manner
quickly | schnell | velocemente | manner
home | nach Hause | a casa | goal
every day | jeden Tag | ogni giorno | present
soon | bald | presto | future
in the evening | am Abend | di sera | present
in the morning | am Morgen | di mattina | present
together | zusammen | insieme | manner
well | gut | bene | manner
outside | draußen | fuori | place
quietly | leise | piano | manner
there | dort | lì | place
sometimes | manchmal | a volte | present
yesterday evening | gestern Abend | ieri sera | past
last week | letzte Woche | la settimana scorsa | past
next week | nächste Woche | la settimana prossima | future
carefully | vorsichtig | con attenzione | manner
on Sunday | am Sonntag | la domenica | present
on Monday | am Montag | il lunedì | present
last year | letztes Jahr | l'anno scorso | past
next year | nächstes Jahr | l'anno prossimo | future
gladly | gern | volentieri | manner
tomorrow morning | morgen früh | domani mattina | future
in winter | im Winter | d'inverno | present
in summer | im Sommer | d'estate | present
patiently | geduldig | con pazienza | manner
rarely | selten | raramente | frequency
"""

NAME_TABLE = """
Anna:f Marco:m Maria:f Paul:m Laura:f Peter:m Giulia:f Thomas:m Sofia:f Luca:m Emma:f Felix:m Clara:f Simon:m
"""

NAMES = tuple(Name(row.split(":")[0], "f" if row.endswith("f") else "m") for row in NAME_TABLE.split())

NUMBERS: dict[int, tuple[str, str, str]] = {
    2: ("two", "zwei", "due"),
    3: ("three", "drei", "tre"),
    4: ("four", "vier", "quattro"),
    5: ("five", "fünf", "cinque"),
    6: ("six", "sechs", "sei"),
    7: ("seven", "sieben", "sette"),
    8: ("eight", "acht", "otto"),
    9: ("nine", "neun", "nove"),
    10: ("ten", "zehn", "dieci"),
    11: ("eleven", "elf", "undici"),
    12: ("twelve", "zwölf", "dodici"),
}


def read_adjective(row: str) -> Adjective:
    """One row of the table as an entry."""
    english, german, italian, opposite, kinds = (column.strip() for column in row.split("|"))
    en, en_more = (*english.split(), f"more {english}")[:2]
    de, de_more, de_stem = (*german.split(), german.split()[0].removesuffix("e"))[:3]
    it = [form for form in italian.split() if form != "<"]
    ending = it[0][-2:]
    regular = it[0][:-1] if ending == "io" else it[0][:-1] + "i"
    return Adjective(
        en, en_more, de, de_stem, de_more, it[0], it[1] if len(it) > 1 else regular, "<" in italian, opposite,
        frozenset(kinds.split()) & frozenset(KINDS),
    )  # fmt: skip


def read_adverb(row: str) -> Adverb:
    """One row of the table as an entry."""
    en, de, it, kind = (column.strip() for column in row.split("|"))
    kinds: dict[str, Literal["past", "present", "future", "frequency", "manner", "place", "goal"]] = {
        "past": "past", "present": "present", "future": "future", "frequency": "frequency",
        "manner": "manner", "place": "place", "goal": "goal",
    }  # fmt: skip
    return Adverb(en, de, it, kinds[kind])


ADJECTIVES = tuple(read_adjective(row) for row in ADJECTIVE_TABLE.strip().splitlines())
ADVERBS = tuple(read_adverb(row) for row in ADVERB_TABLE.strip().splitlines())
