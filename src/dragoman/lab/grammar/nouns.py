"""The nouns: a table for each kind, commonest first.

Columns: English singular and plural | German gender (* marks der Junge, den Jungen), singular and plural | Italian
gender, singular and plural. A dash is a plural that is not used. Persons may add their English pronoun (he, she, it)
if the German gender does not determine it, and `family` for nouns like *mia madre*. Places add the prepositions for
being there and for going there in the three languages; `!`: no article in Italian (*a scuola*).
"""

from typing import Literal, cast

from dragoman.lab.grammar.entries import Gender, Kind, Noun

PERSONS = """
man men | m Mann Männer | m uomo uomini
woman women | f Frau Frauen | f donna donne
child children | n Kind Kinder | m bambino bambini
mother mothers | f Mutter Mütter | f madre madri | family
friend friends | m Freund Freunde | m amico amici
boy boys | m* Junge Jungen | m ragazzo ragazzi
girl girls | n Mädchen Mädchen | f ragazza ragazze | she
father fathers | m Vater Väter | m padre padri | family
teacher teachers | f Lehrerin Lehrerinnen | f maestra maestre
brother brothers | m Bruder Brüder | m fratello fratelli | family
sister sisters | f Schwester Schwestern | f sorella sorelle | family
doctor doctors | m Arzt Ärzte | m medico medici
neighbour neighbours | m* Nachbar Nachbarn | m vicino vicini
pupil pupils | m Schüler Schüler | m alunno alunni
student students | f Studentin Studentinnen | f studentessa studentesse
farmer farmers | m* Bauer Bauern | m contadino contadini
grandmother grandmothers | f Großmutter Großmütter | f nonna nonne | family
grandfather grandfathers | m Großvater Großväter | m nonno nonni | family
baker bakers | m Bäcker Bäcker | m fornaio fornai
cook cooks | m Koch Köche | m cuoco cuochi
guest guests | m Gast Gäste | m ospite ospiti
aunt aunts | f Tante Tanten | f zia zie | family
uncle uncles | m Onkel Onkel | m zio zii | family
daughter daughters | f Tochter Töchter | f figlia figlie | family
son sons | m Sohn Söhne | m figlio figli | family
waiter waiters | m Kellner Kellner | m cameriere camerieri
nurse nurses | f Krankenschwester Krankenschwestern | f infermiera infermiere
customer customers | m* Kunde Kunden | m cliente clienti
policeman policemen | m* Polizist Polizisten | m poliziotto poliziotti
tourist tourists | m* Tourist Touristen | m turista turisti
colleague colleagues | f Kollegin Kolleginnen | f collega colleghe
gardener gardeners | m Gärtner Gärtner | m giardiniere giardinieri
painter painters | f Malerin Malerinnen | f pittrice pittrici
singer singers | f Sängerin Sängerinnen | f cantante cantanti
driver drivers | m Fahrer Fahrer | m autista autisti
fisherman fishermen | m Fischer Fischer | m pescatore pescatori
king kings | m König Könige | m re re
queen queens | f Königin Königinnen | f regina regine
thief thieves | m Dieb Diebe | m ladro ladri
lawyer lawyers | f Anwältin Anwältinnen | f avvocata avvocate
butcher butchers | m Metzger Metzger | m macellaio macellai
dancer dancers | f Tänzerin Tänzerinnen | f ballerina ballerine
"""

ANIMALS = """
dog dogs | m Hund Hunde | m cane cani
cat cats | f Katze Katzen | f gatta gatte
bird birds | m Vogel Vögel | m uccello uccelli
horse horses | n Pferd Pferde | m cavallo cavalli
cow cows | f Kuh Kühe | f mucca mucche
mouse mice | f Maus Mäuse | m topo topi
pig pigs | n Schwein Schweine | m maiale maiali
sheep sheep | n Schaf Schafe | f pecora pecore
rabbit rabbits | n Kaninchen Kaninchen | m coniglio conigli
bear bears | m* Bär Bären | m orso orsi
duck ducks | f Ente Enten | f anatra anatre
wolf wolves | m Wolf Wölfe | m lupo lupi
fox foxes | m Fuchs Füchse | f volpe volpi
donkey donkeys | m Esel Esel | m asino asini
goat goats | f Ziege Ziegen | f capra capre
lion lions | m* Löwe Löwen | m leone leoni
frog frogs | m Frosch Frösche | f rana rane
monkey monkeys | m* Affe Affen | f scimmia scimmie
elephant elephants | m* Elefant Elefanten | m elefante elefanti
bee bees | f Biene Bienen | f ape api
squirrel squirrels | n Eichhörnchen Eichhörnchen | m scoiattolo scoiattoli
"""

FOOD = """
bread - | n Brot - | m pane -
apple apples | m Apfel Äpfel | f mela mele
cheese - | m Käse - | m formaggio -
lemon lemons | f Zitrone Zitronen | m limone limoni
cake cakes | m Kuchen Kuchen | f torta torte
meat - | n Fleisch - | f carne -
fish fish | m Fisch Fische | m pesce pesci
soup soups | f Suppe Suppen | f zuppa zuppe
potato potatoes | f Kartoffel Kartoffeln | f patata patate
rice - | m Reis - | m riso -
tomato tomatoes | f Tomate Tomaten | m pomodoro pomodori
orange oranges | f Orange Orangen | f arancia arance
salad salads | m Salat Salate | f insalata insalate
onion onions | f Zwiebel Zwiebeln | f cipolla cipolle
butter - | f Butter - | m burro -
pear pears | f Birne Birnen | f pera pere
sugar - | m Zucker - | m zucchero -
strawberry strawberries | f Erdbeere Erdbeeren | f fragola fragole
carrot carrots | f Karotte Karotten | f carota carote
chocolate - | f Schokolade - | f cioccolata -
cherry cherries | f Kirsche Kirschen | f ciliegia ciliegie
honey - | m Honig - | m miele -
nut nuts | f Nuss Nüsse | f noce noci
ham - | m Schinken - | m prosciutto -
mushroom mushrooms | m Pilz Pilze | m fungo funghi
"""

DRINKS = """
water - | n Wasser - | f acqua -
coffee - | m Kaffee - | m caffè -
milk - | f Milch - | m latte -
tea - | m Tee - | m tè -
wine - | m Wein - | m vino -
juice - | m Saft - | m succo -
beer - | n Bier - | f birra -
"""

TEXTS = """
book books | n Buch Bücher | m libro libri
letter letters | m Brief Briefe | f lettera lettere
newspaper newspapers | f Zeitung Zeitungen | m giornale giornali
story stories | f Geschichte Geschichten | f storia storie
poem poems | n Gedicht Gedichte | f poesia poesie
postcard postcards | f Postkarte Postkarten | f cartolina cartoline
novel novels | m Roman Romane | m romanzo romanzi
word words | n Wort Wörter | f parola parole
"""

MUSIC = """
song songs | n Lied Lieder | f canzone canzoni
"""

IDEAS = """
question questions | f Frage Fragen | f domanda domande
answer answers | f Antwort Antworten | f risposta risposte
game games | n Spiel Spiele | m gioco giochi
lesson lessons | f Lektion Lektionen | f lezione lezioni
language languages | f Sprache Sprachen | f lingua lingue
problem problems | n Problem Probleme | m problema problemi
exercise exercises | f Übung Übungen | m esercizio esercizi
"""

OBJECTS = """
picture pictures | n Bild Bilder | m quadro quadri
key keys | m Schlüssel Schlüssel | f chiave chiavi
ball balls | m Ball Bälle | f palla palle
gift gifts | n Geschenk Geschenke | m regalo regali
bag bags | f Tasche Taschen | f borsa borse
clock clocks | f Uhr Uhren | m orologio orologi
suitcase suitcases | m Koffer Koffer | f valigia valigie
bottle bottles | f Flasche Flaschen | f bottiglia bottiglie
plate plates | m Teller Teller | m piatto piatti
glass glasses | n Glas Gläser | m bicchiere bicchieri
photo photos | n Foto Fotos | f foto foto
ticket tickets | f Fahrkarte Fahrkarten | m biglietto biglietti
lamp lamps | f Lampe Lampen | f lampada lampade
umbrella umbrellas | m Regenschirm Regenschirme | m ombrello ombrelli
box boxes | f Kiste Kisten | f scatola scatole
mirror mirrors | m Spiegel Spiegel | m specchio specchi
basket baskets | m Korb Körbe | m cesto cesti
doll dolls | f Puppe Puppen | f bambola bambole
ring rings | m Ring Ringe | m anello anelli
guitar guitars | f Gitarre Gitarren | f chitarra chitarre
backpack backpacks | m Rucksack Rucksäcke | m zaino zaini
candle candles | f Kerze Kerzen | f candela candele
"""

TOOLS = """
pencil pencils | m Bleistift Bleistifte | f matita matite
knife knives | n Messer Messer | m coltello coltelli
spoon spoons | m Löffel Löffel | m cucchiaio cucchiai
hammer hammers | m Hammer Hämmer | m martello martelli
rope ropes | n Seil Seile | f corda corde
ladder ladders | f Leiter Leitern | f scala scale
"""

FURNITURE = """
table tables | m Tisch Tische | m tavolo tavoli
chair chairs | m Stuhl Stühle | f sedia sedie
bed beds | n Bett Betten | m letto letti
door doors | f Tür Türen | f porta porte
window windows | n Fenster Fenster | f finestra finestre
cupboard cupboards | m Schrank Schränke | m armadio armadi
bench benches | f Bank Bänke | f panchina panchine
sofa sofas | n Sofa Sofas | m divano divani
"""

CLOTHING = """
shirt shirts | n Hemd Hemden | f camicia camicie
hat hats | m Hut Hüte | m cappello cappelli
shoe shoes | m Schuh Schuhe | f scarpa scarpe
coat coats | m Mantel Mäntel | m cappotto cappotti
dress dresses | n Kleid Kleider | m vestito vestiti
jacket jackets | f Jacke Jacken | f giacca giacche
skirt skirts | m Rock Röcke | f gonna gonne
scarf scarves | m Schal Schals | f sciarpa sciarpe
glove gloves | m Handschuh Handschuhe | m guanto guanti
"""

VEHICLES = """
car cars | n Auto Autos | f macchina macchine
train trains | m Zug Züge | m treno treni
bus buses | m Bus Busse | m autobus autobus
bicycle bicycles | n Fahrrad Fahrräder | f bicicletta biciclette
boat boats | n Boot Boote | f barca barche
ship ships | n Schiff Schiffe | f nave navi
lorry lorries | m Lastwagen Lastwagen | m camion camion
taxi taxis | n Taxi Taxis | m taxi taxi
"""

PLANTS = """
tree trees | m Baum Bäume | m albero alberi
flower flowers | f Blume Blumen | m fiore fiori
rose roses | f Rose Rosen | f rosa rose
bush bushes | m Busch Büsche | m cespuglio cespugli
"""

NATURE = """
sun - | f Sonne - | m sole -
moon - | m Mond - | f luna -
star stars | m Stern Sterne | f stella stelle
wind - | m Wind - | m vento -
stone stones | m Stein Steine | m sasso sassi
cloud clouds | f Wolke Wolken | f nuvola nuvole
leaf leaves | n Blatt Blätter | f foglia foglie
"""

BUILDINGS = """
house houses | n Haus Häuser | f casa case | in in in | to zu+dat a
school schools | f Schule Schulen | f scuola scuole | at in a! | to in+acc a!
shop shops | m Laden Läden | m negozio negozi | in in in | to in+acc in
church churches | f Kirche Kirchen | f chiesa chiese | in in in! | to in+acc in!
restaurant restaurants | n Restaurant Restaurants | m ristorante ristoranti | in in in | to in+acc a
hotel hotels | n Hotel Hotels | m albergo alberghi | in in in | to in+acc in
hospital hospitals | n Krankenhaus Krankenhäuser | m ospedale ospedali | in in in | to in+acc in
station stations | m Bahnhof Bahnhöfe | f stazione stazioni | at an a | to zu+dat a
museum museums | n Museum Museen | m museo musei | in in in | to in+acc a
library libraries | f Bibliothek Bibliotheken | f biblioteca biblioteche | in in in! | to in+acc in!
castle castles | n Schloss Schlösser | m castello castelli | in in in | to zu+dat a
theatre theatres | n Theater Theater | m teatro teatri | at in a! | to in+acc a!
farm farms | m Bauernhof Bauernhöfe | f fattoria fattorie | on auf in | to zu+dat a
tower towers | m Turm Türme | f torre torri | in in in | to zu+dat a
"""

PLACES = """
garden gardens | m Garten Gärten | m giardino giardini | in in in | to in+acc in
city cities | f Stadt Städte | f città città | in in in! | to in+acc in!
kitchen kitchens | f Küche Küchen | f cucina cucine | in in in! | to in+acc in!
village villages | n Dorf Dörfer | m villaggio villaggi | in in in | to in+acc in
park parks | m Park Parks | m parco parchi | in in in | to in+acc a
market markets | m Markt Märkte | m mercato mercati | at auf a | to auf+acc a
street streets | f Straße Straßen | f strada strade | on auf su
room rooms | n Zimmer Zimmer | f stanza stanze | in in in | to in+acc in
forest forests | m Wald Wälder | m bosco boschi | in in in | to in+acc in
office offices | n Büro Büros | m ufficio uffici | in in in! | to in+acc in!
beach beaches | m Strand Strände | f spiaggia spiagge | on an su | to an+acc a
river rivers | m Fluss Flüsse | m fiume fiumi | at an a | to zu+dat a
field fields | n Feld Felder | m campo campi | in auf in | to auf+acc in
lake lakes | m See Seen | m lago laghi | at an a | to zu+dat a
mountain mountains | m Berg Berge | f montagna montagne | on auf su | to auf+acc su
square squares | m Platz Plätze | f piazza piazze | on auf in! | to auf+acc in!
bridge bridges | f Brücke Brücken | m ponte ponti | on auf su | to zu+dat a
island islands | f Insel Inseln | f isola isole | on auf su | to auf+acc su
airport airports | m Flughafen Flughäfen | m aeroporto aeroporti | at an a | to zu+dat a
"""

TABLES: dict[Kind, str] = {
    "person": PERSONS,
    "animal": ANIMALS,
    "food": FOOD,
    "drink": DRINKS,
    "text": TEXTS,
    "music": MUSIC,
    "idea": IDEAS,
    "object": OBJECTS,
    "tool": TOOLS,
    "furniture": FURNITURE,
    "clothing": CLOTHING,
    "vehicle": VEHICLES,
    "plant": PLANTS,
    "nature": NATURE,
    "building": BUILDINGS,
    "place": PLACES,
}
PRONOUNS: dict[str, Gender] = {"he": "m", "she": "f", "it": "n"}


def read(row: str, kind: Kind) -> Noun:
    """One row of a table as an entry."""
    columns = [column.split() for column in row.split("|")]
    (en, en_plural), (de_gender, de, de_plural), (it_gender, it, it_plural) = columns[:3]
    gender = cast(Gender, de_gender.rstrip("*"))
    marks = [mark for column in columns[3:4] for mark in column] if kind == "person" else []
    named = [PRONOUNS[mark] for mark in marks if mark in PRONOUNS]
    at = to = None
    if kind in ("building", "place"):
        at, to = (cast(tuple[str, str, str], tuple(column)) or None for column in (*columns[3:], [])[:2])
    return Noun(
        en=en,
        en_plural=en_plural.strip("-"),
        en_gender=named[0] if named else gender if kind == "person" else "n",
        de=de,
        de_plural=de_plural.strip("-"),
        de_gender=gender,
        de_weak=de_gender.endswith("*"),
        it=it,
        it_plural=it_plural.strip("-"),
        it_gender=cast(Literal["m", "f"], it_gender),
        kind=kind,
        family="family" in marks,
        at=at,
        to=to,
    )


NOUNS = tuple(read(row, kind) for kind, table in TABLES.items() for row in table.strip().splitlines())
