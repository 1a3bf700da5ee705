"""Tables of facts that can be asked in three languages: the question and its answer in English, German and Italian.

Nearly all words are from the world's vocabulary, so that translated sentences have them too.
"""

from dragoman.lab.grammar.entries import Kind

Triple = tuple[str, str, str]


def triple(text: str) -> Triple:
    """The three parts of `english / german / italian`."""
    en, de, it = (part.strip() for part in text.split(" / "))
    return en, de, it


def _table(text: str) -> tuple[tuple[Triple, Triple], ...]:
    """Rows of `what it is | answer`."""
    rows = (row.split(" | ") for row in text.strip().splitlines())
    return tuple((triple(asked), triple(answer)) for asked, answer in rows)


# What nouns of a kind are called, one and several; an empty plural where they are not counted.
KIND_NAMES: dict[Kind, tuple[Triple, Triple]] = {
    "person": (triple("person / Mensch / persona"), triple("persons / Menschen / persone")),
    "animal": (triple("animal / Tier / animale"), triple("animals / Tiere / animali")),
    "food": (triple("food / Essen / cibo"), ("", "", "")),
    "drink": (triple("drink / Getränk / bevanda"), ("", "", "")),
    "text": (triple("text / Text / testo"), triple("texts / Texte / testi")),
    "furniture": (triple("furniture / Möbel / mobile"), ("", "", "")),
    "clothing": (triple("clothing / Kleidung / abbigliamento"), ("", "", "")),
    "vehicle": (triple("vehicle / Fahrzeug / veicolo"), triple("vehicles / Fahrzeuge / veicoli")),
    "plant": (triple("plant / Pflanze / pianta"), triple("plants / Pflanzen / piante")),
    "building": (triple("building / Gebäude / edificio"), triple("buildings / Gebäude / edifici")),
}
# Nouns of these kinds that one could also take for something else.
DOUBTFUL = ("fish", "word", "door", "window", "farm", "guest", "customer", "cook")

PEOPLE = _table("""
Who bakes bread? / Wer backt Brot? / Chi fa il pane? | baker / Bäcker / fornaio
Who cooks the soup in a restaurant? / Wer kocht die Suppe im Restaurant? / Chi cucina la zuppa nel ristorante? | \
cook / Koch / cuoco
Who brings the food in a restaurant? / Wer bringt das Essen im Restaurant? / Chi porta il cibo nel ristorante? | \
waiter / Kellner / cameriere
Who helps ill people? / Wer hilft kranken Menschen? / Chi aiuta le persone malate? | doctor / Arzt / medico
Who catches fish? / Wer fängt Fische? / Chi cattura i pesci? | fisherman / Fischer / pescatore
Who catches thieves? / Wer fängt Diebe? / Chi cattura i ladri? | policeman / Polizist / poliziotto
Who steals bicycles? / Wer stiehlt Fahrräder? / Chi ruba le biciclette? | thief / Dieb / ladro
Who sells meat? / Wer verkauft Fleisch? / Chi vende la carne? | butcher / Metzger / macellaio
Who has cows and sheep? / Wer hat Kühe und Schafe? / Chi ha le mucche e le pecore? | farmer / Bauer / contadino
Who waters the flowers? / Wer gießt die Blumen? / Chi annaffia i fiori? | gardener / Gärtner / giardiniere
Who paints pictures? / Wer malt Bilder? / Chi dipinge i quadri? | painter / Malerin / pittrice
Who sings songs in the theatre? / Wer singt Lieder im Theater? / Chi canta le canzoni a teatro? | \
singer / Sängerin / cantante
Who dances in the theatre? / Wer tanzt im Theater? / Chi balla a teatro? | dancer / Tänzerin / ballerina
Who teaches languages? / Wer unterrichtet Sprachen? / Chi insegna le lingue? | teacher / Lehrerin / maestra
Who learns at school? / Wer lernt in der Schule? / Chi impara a scuola? | pupil / Schüler / alunno
Who drives the bus? / Wer fährt den Bus? / Chi guida l'autobus? | driver / Fahrer / autista
Who lives in a castle? / Wer wohnt in einem Schloss? / Chi abita in un castello? | king / König / re
Who travels to other cities? / Wer reist in andere Städte? / Chi viaggia in altre città? | \
tourist / Tourist / turista
Who buys in a shop? / Wer kauft im Laden? / Chi compra nel negozio? | customer / Kunde / cliente
Who lives next to us? / Wer wohnt neben uns? / Chi abita vicino a noi? | neighbour / Nachbar / vicino
Who works with us in the office? / Wer arbeitet mit uns im Büro? / Chi lavora con noi in ufficio? | \
colleague / Kollegin / collega
Who helps the doctor? / Wer hilft dem Arzt? / Chi aiuta il medico? | nurse / Krankenschwester / infermiera
""")

ANIMALS = _table("""
Which animal barks? / Welches Tier bellt? / Quale animale abbaia? | dog / Hund / cane
Which animal catches mice? / Welches Tier fängt Mäuse? / Quale animale cattura i topi? | cat / Katze / gatta
Which animal sings in the trees? / Welches Tier singt in den Bäumen? / Quale animale canta sugli alberi? | \
bird / Vogel / uccello
Which animal makes honey? / Welches Tier macht Honig? / Quale animale fa il miele? | bee / Biene / ape
Which animal gives us milk? / Welches Tier gibt uns Milch? / Quale animale ci dà il latte? | cow / Kuh / mucca
Which animal is very big and grey? / Welches Tier ist sehr groß und grau? / Quale animale è molto grande e grigio? | \
elephant / Elefant / elefante
Which animal eats bananas? / Welches Tier frisst Bananen? / Quale animale mangia le banane? | \
monkey / Affe / scimmia
Which animal hides nuts? / Welches Tier versteckt Nüsse? / Quale animale nasconde le noci? | \
squirrel / Eichhörnchen / scoiattolo
Which animal is the king of the animals? / Welches Tier ist der König der Tiere? / \
Quale animale è il re degli animali? | lion / Löwe / leone
Which animal eats carrots? / Welches Tier frisst Karotten? / Quale animale mangia le carote? | \
rabbit / Kaninchen / coniglio
Which animal likes cheese? / Welches Tier mag Käse? / Quale animale ama il formaggio? | mouse / Maus / topo
Which animal gives us ham? / Welches Tier gibt uns Schinken? / Quale animale ci dà il prosciutto? | \
pig / Schwein / maiale
Which animal gives us warm coats? / Welches Tier gibt uns warme Mäntel? / Quale animale ci dà cappotti caldi? | \
sheep / Schaf / pecora
Which animal is green? / Welches Tier ist grün? / Quale animale è verde? | frog / Frosch / rana
Which animal looks for honey? / Welches Tier sucht Honig? / Quale animale cerca il miele? | bear / Bär / orso
Which animal looks like a dog? / Welches Tier sieht wie ein Hund aus? / Quale animale sembra un cane? | \
wolf / Wolf / lupo
Which animal steals ducks? / Welches Tier stiehlt Enten? / Quale animale ruba le anatre? | fox / Fuchs / volpe
Which animal swims and flies? / Welches Tier schwimmt und fliegt? / Quale animale nuota e vola? | \
duck / Ente / anatra
Which animal is slow and carries boxes? / Welches Tier ist langsam und trägt Kisten? / \
Quale animale è lento e trasporta scatole? | donkey / Esel / asino
Which animal is fast and carries people? / Welches Tier ist schnell und trägt Menschen? / \
Quale animale è veloce e trasporta persone? | horse / Pferd / cavallo
Which animal climbs mountains and gives milk? / Welches Tier steigt auf Berge und gibt Milch? / \
Quale animale sale sulle montagne e dà il latte? | goat / Ziege / capra
""")

PLACES = _table("""
Where do children learn? / Wo lernen Kinder? / Dove imparano i bambini? | school / Schule / scuola
Where do doctors work? / Wo arbeiten Ärzte? / Dove lavorano i medici? | hospital / Krankenhaus / ospedale
Where do we buy bread? / Wo kaufen wir Brot? / Dove compriamo il pane? | shop / Laden / negozio
Where do trains arrive? / Wo kommen Züge an? / Dove arrivano i treni? | station / Bahnhof / stazione
Where can one see old pictures? / Wo sieht man alte Bilder? / Dove si vedono quadri vecchi? | \
museum / Museum / museo
Where does one read many books? / Wo liest man viele Bücher? / Dove si leggono molti libri? | \
library / Bibliothek / biblioteca
Where do tourists sleep? / Wo schlafen Touristen? / Dove dormono i turisti? | hotel / Hotel / albergo
Where does the waiter work? / Wo arbeitet der Kellner? / Dove lavora il cameriere? | \
restaurant / Restaurant / ristorante
Where does one cook at home? / Wo kocht man zu Hause? / Dove si cucina a casa? | kitchen / Küche / cucina
Where do cows and pigs live? / Wo wohnen Kühe und Schweine? / Dove abitano le mucche e i maiali? | \
farm / Bauernhof / fattoria
Where does the queen live? / Wo wohnt die Königin? / Dove abita la regina? | castle / Schloss / castello
Where do the singers sing? / Wo singen die Sängerinnen? / Dove cantano le cantanti? | theatre / Theater / teatro
Where do wolves and bears live? / Wo wohnen Wölfe und Bären? / Dove abitano i lupi e gli orsi? | \
forest / Wald / bosco
Where do the roses of the house stand? / Wo stehen die Rosen des Hauses? / Dove sono le rose della casa? | \
garden / Garten / giardino
Where does one sell apples outside? / Wo verkauft man Äpfel draußen? / Dove si vendono le mele fuori? | \
market / Markt / mercato
Where do colleagues work? / Wo arbeiten Kollegen? / Dove lavorano i colleghi? | office / Büro / ufficio
Where do the cars drive? / Wo fahren die Autos? / Dove vanno le macchine? | street / Straße / strada
Where do people fly to other cities? / Wo fliegt man in andere Städte? / Dove si vola in altre città? | \
airport / Flughafen / aeroporto
Where does one go over the river? / Wo geht man über den Fluss? / Dove si va oltre il fiume? | \
bridge / Brücke / ponte
Where do ducks swim? / Wo schwimmen Enten? / Dove nuotano le anatre? | lake / See / lago
Where do the potatoes of the farmer stand? / Wo stehen die Kartoffeln des Bauern? / \
Dove sono le patate del contadino? | field / Feld / campo
Where do people rest in summer? / Wo ruht man sich im Sommer aus? / Dove ci si riposa d'estate? | \
beach / Strand / spiaggia
""")

COLOURS = _table("""
a strawberry / eine Erdbeere / una fragola | red / rot / rosso
a cherry / eine Kirsche / una ciliegia | red / rot / rosso
a tomato / eine Tomate / un pomodoro | red / rot / rosso
a rose / eine Rose / una rosa | red / rot / rosso
meat / Fleisch / la carne | red / rot / rosso
a lemon / eine Zitrone / un limone | yellow / gelb / giallo
the sun / die Sonne / il sole | yellow / gelb / giallo
honey / Honig / il miele | yellow / gelb / giallo
butter / Butter / il burro | yellow / gelb / giallo
cheese / Käse / il formaggio | yellow / gelb / giallo
milk / Milch / il latte | white / weiß / bianco
sugar / Zucker / lo zucchero | white / weiß / bianco
rice / Reis / il riso | white / weiß / bianco
a sheep / ein Schaf / una pecora | white / weiß / bianco
a cloud / eine Wolke / una nuvola | white / weiß / bianco
a tree / ein Baum / un albero | green / grün / verde
a frog / ein Frosch / una rana | green / grün / verde
salad / Salat / l'insalata | green / grün / verde
a leaf / ein Blatt / una foglia | green / grün / verde
a bush / ein Busch / un cespuglio | green / grün / verde
coffee / Kaffee / il caffè | black / schwarz / nero
the night / die Nacht / la notte | black / schwarz / nero
water / Wasser / l'acqua | blue / blau / azzurro
a lake / ein See / un lago | blue / blau / azzurro
a river / ein Fluss / un fiume | blue / blau / azzurro
""")

NUMBERS: tuple[Triple, ...] = tuple(
    triple(row)
    for row in (
        "one / eins / uno", "two / zwei / due", "three / drei / tre", "four / vier / quattro", "five / fünf / cinque",
        "six / sechs / sei", "seven / sieben / sette", "eight / acht / otto", "nine / neun / nove",
        "ten / zehn / dieci", "eleven / elf / undici", "twelve / zwölf / dodici",
    )
)  # fmt: skip
DAYS: tuple[Triple, ...] = tuple(
    triple(row)
    for row in (
        "Monday / Montag / lunedì", "Tuesday / Dienstag / martedì", "Wednesday / Mittwoch / mercoledì",
        "Thursday / Donnerstag / giovedì", "Friday / Freitag / venerdì", "Saturday / Samstag / sabato",
        "Sunday / Sonntag / domenica",
    )
)  # fmt: skip
