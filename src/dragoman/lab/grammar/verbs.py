"""The verbs, commonest first, and the notation of their irregular forms.

Columns (a row may go on in indented lines):
English: infinitive, past where it is irregular, `+word` for what stays behind the verb (get +up, look +for).
German: infinitive (`an.rufen`: separable; `sich`: reflexive), `du/er` forms where they are irregular, participle,
  `!` if the perfect takes sein, `=kannte` for the preterite of a lasting state.
Italian: infinitive (`-isc` for capisco; reflexives end in -si), `=` io/tu/lui/noi/loro where irregular, participle
  where irregular, `!` if it takes essere, `>` stem of the future where irregular.
Subjects: kinds or English nouns. Objects: the same.
Object's marking: German case or preposition / Italian preposition.
Takes: place (any, or those marked @), goal, with, vehicle, recipient, that, each with `!` if it must be there;
  adverbs of manner by their English words; `optional` if the object may be left out; `lasting` for a state;
  `animal:water`: objects of animals, where they are fewer.
"""

import re

from dragoman.lab.grammar.entries import Modal, Verb

VERB_TABLE = """
see saw | sehen siehst/sieht gesehen | vedere visto >vedr | person animal | person animal house church castle tower
  bridge tree vehicle star moon cloud | acc | place that
have had | haben hast/hat gehabt =hatte | avere =ho/hai/ha/abbiamo/hanno avuto >avr | person | object tool dog cat
  horse cow pig sheep rabbit duck donkey goat vehicle clothing book newspaper letter idea | acc |
go went | gehen gegangen ! | andare =vado/vai/va/andiamo/vanno ! >andr | person | | | goal! with
eat ate | essen isst/isst gegessen | mangiare | person | food | acc | place @kitchen @restaurant @garden @house @park
  @hotel slowly quickly together optional
drink drank | trinken getrunken | bere =bevo/bevi/beve/beviamo/bevono bevuto >berr | person animal | drink | acc |
  animal:water animal:milk place @kitchen @restaurant @house @garden @hotel
live | wohnen gewohnt | abitare | person |  |  | place! @house @city @village @castle @farm @island @street @hotel
  @tower with
sleep slept | schlafen schläfst/schläft geschlafen | dormire | person animal | | | place @room @house @hotel @garden
  @hospital @forest @beach well quietly
buy bought | kaufen gekauft | comprare | person | food drink object tool furniture clothing book newspaper postcard
  novel vehicle dog cat horse cow pig sheep rabbit duck donkey goat flower rose | acc | place @shop @market @city
  @village @station @square @airport @island
read read | lesen liest/liest gelesen | leggere letto | person | text | acc | place slowly carefully quietly optional
  @library @room @garden @park @school @house @office @beach
find found | finden gefunden | trovare | person animal | object tool clothing mushroom nut stone leaf | acc |
  animal:mushroom animal:nut animal:ball animal:shoe animal:glove animal:apple place
give gave | geben gibst/gibt gegeben | dare =do/dai/dà/diamo/danno dato >dar | person | object tool book newspaper
  postcard novel clothing food flower | acc | recipient!
play | spielen gespielt | giocare | person animal | | | place @garden @park @street @room @beach @school @square
  @field with together quietly
work | arbeiten gearbeitet | lavorare | person | | | place @office @school @hospital @shop @farm @kitchen @field
  @restaurant @hotel @museum @garden @station with slowly carefully
come came | kommen gekommen ! | venire =vengo/vieni/viene/veniamo/vengono venuto ! >verr | person animal | | | goal!
know knew | kennen gekannt =kannte | conoscere conosciuto | person | person building place song story language poem |
  acc | lasting
write wrote | schreiben geschrieben | scrivere scritto | person | letter postcard poem novel story | acc | recipient
  place @library @room @office @kitchen @hotel slowly quickly carefully
help | helfen hilfst/hilft geholfen | aiutare | person | person | dat | place @kitchen @garden @shop @farm @office
  @hospital @field
say said | sagen gesagt | dire =dico/dici/dice/diciamo/dicono detto >dir | person | | | that!
love | lieben geliebt =liebte | amare | person | person animal music city village lake mountain garden island | acc |
  lasting
go went | fahren fährst/fährt gefahren ! | andare =vado/vai/va/andiamo/vanno ! >andr | person | | | goal! vehicle!
look +for | suchen gesucht | cercare | person animal | person object tool clothing | acc | animal:ball animal:shoe
  animal:nut animal:mouse animal:cat animal:dog place
eat ate | fressen frisst/frisst gefressen | mangiare | animal | food flower | acc | place @garden @field @farm @forest
  @park optional quickly
sing sang | singen gesungen | cantare | person bird | music | acc | place well quietly together optional
make made | machen gemacht | fare =faccio/fai/fa/facciamo/fanno fatto >far | person | cake soup salad basket doll
  coffee tea cheese | acc | place @kitchen @garden @school @house @room @park
carry | tragen trägst/trägt getragen | trasportare | person | object tool suitcase backpack box ladder stone | acc |
  goal slowly carefully
wait +for | warten gewartet | aspettare | person | person train bus taxi letter answer | auf+acc | place patiently
  quietly optional
speak spoke | sprechen sprichst/spricht gesprochen | parlare | person | | | with! place slowly quietly
learn | lernen gelernt | imparare | person | language song poem word lesson | acc | place @school @library @room
  @house quickly gladly slowly
cook | kochen gekocht | cucinare | person | soup meat fish potato rice carrot mushroom | acc | place @kitchen
  @restaurant @house @hotel well gladly
open | öffnen geöffnet | aprire aperto | person | door window box bottle letter suitcase gift cupboard bag umbrella |
  acc | slowly carefully quickly
stay | bleiben geblieben ! | restare ! | person animal | | | place!
know knew | wissen =weiß/weißt/weiß/wissen gewusst =wusste | sapere =so/sai/sa/sappiamo/sanno saputo >sapr | person |
  | | that! lasting
run ran | laufen läufst/läuft gelaufen ! | correre corso ! | person animal | | | goal!
meet met | treffen triffst/trifft getroffen | incontrare | person | person | acc | place
bring brought | bringen gebracht | portare | person | food drink object tool book newspaper postcard novel flower |
  acc | recipient!
show showed | zeigen gezeigt | mostrare | person | picture photo book letter ticket gift animal house garden | acc |
  recipient!
close | schließen schließt/schließt geschlossen | chiudere chiuso | person | door window box suitcase book cupboard
  shop | acc | slowly quietly carefully
swim swam | schwimmen geschwommen ! | nuotare | person animal | | | place @lake @river well gladly quickly
sell sold | verkaufen verkauft | vendere venduto | person | food drink object furniture clothing dog cat horse cow pig
  sheep rabbit duck donkey goat vehicle | acc | place @shop @market @city @village @square @station recipient
wash | waschen wäschst/wäscht gewaschen | lavare | person | shirt dress skirt jacket glove scarf car plate glass spoon
  knife dog | acc | carefully quickly
hear heard | hören gehört | sentire | person animal | music person animal wind | acc | that
understand understood | verstehen verstanden | capire -isc | person | question answer language text problem lesson
  word | acc | well
dance | tanzen getanzt | ballare | person | | | place with well gladly together
arrive | an.kommen angekommen ! | arrivare ! | person vehicle | | | place @station @airport @village @hotel @city
  @island
call | an.rufen angerufen | chiamare | person | person | acc |
answer | antworten geantwortet | rispondere risposto | person | person | dat/a | quickly quietly patiently
get got +up | auf.stehen aufgestanden ! | alzarsi | person | | | slowly quickly
explain | erklären erklärt | spiegare | person | game lesson word problem question exercise | acc | recipient
  patiently well slowly
travel travelled | reisen gereist ! | viaggiare | person | | | with
paint | malen gemalt | dipingere dipinto | person | picture animal flower tree house moon boat leaf | acc | place
  @garden @room @park @lake @beach @mountain @school slowly carefully gladly
visit | besuchen besucht | visitare | person | museum castle city island church village tower farm | acc | with
forget forgot | vergessen vergisst/vergisst vergessen | dimenticare | person | key umbrella ticket bag word answer
  question backpack | acc | that
thank | danken gedankt | ringraziare | person | person | dat |
bark | bellen gebellt | abbaiare | dog | | | place @garden @house @street @park @forest @village
laugh | lachen gelacht | ridere riso | person | | | place
cry | weinen geweint | piangere pianto | person | | | place
begin began | beginnen begonnen | cominciare ! | lesson game | | | place @school @park @theatre @museum @church
follow | folgen gefolgt ! | seguire | person animal | person animal | dat |
clean | putzen geputzt | pulire -isc | person | house kitchen room window shoe bicycle table office | acc | carefully
  quickly gladly
cut cut | schneiden geschnitten | tagliare | person | bread cheese meat onion cake apple rope tomato tree | acc |
  carefully slowly quickly
wash | sich waschen wäschst/wäscht gewaschen | lavarsi | person | | | place
invite | ein.laden lädst/lädt eingeladen | invitare | person | person | acc |
fly flew | fliegen geflogen ! | volare ! | bird bee duck | | | goal!
teach taught | unterrichten unterrichtet | insegnare | teacher | language | acc | place @school @village @city
lose lost | verlieren verloren | perdere perso | person | key ticket ball umbrella glove ring suitcase game bag | acc
  | place
put put +on | an.ziehen angezogen | indossare | person | clothing | acc |
remember | sich erinnern erinnert | ricordare | person | person story song game word | an+acc |
build built | bauen gebaut | costruire -isc | person | house boat bridge tower table bench | acc | place @village
  @city @garden @beach @farm @island with
watch | beobachten beobachtet | osservare | person animal | animal star cloud moon ship person | acc | place @forest
  @park @garden @lake @field @mountain @beach quietly carefully
shine shone | scheinen geschienen | brillare | sun moon star | | |
water | gießen gießt/gießt gegossen | annaffiare | person | plant | acc | gladly carefully
think thought +of | denken gedacht | pensare | person | person problem question game | an+acc/a |
fall fell +asleep | ein.schlafen schläfst/schläft eingeschlafen ! | addormentarsi | person animal | | | place
repair | reparieren repariert | riparare | person | vehicle furniture clock lamp shoe | acc | place @garden @house
  @street @office slowly carefully quickly
pay paid +for | bezahlen bezahlt | pagare | person | ticket food drink coat lamp | acc | place
rest | sich aus.ruhen ausgeruht | riposarsi | person animal | | | place
catch caught | fangen fängst/fängt gefangen | catturare | animal fisherman policeman | mouse bird fish thief rabbit
  frog | acc |
hide hid | verstecken versteckt | nascondere nascosto | person | gift letter key chocolate ring box doll | acc | place
plant | pflanzen gepflanzt | piantare | person | plant onion potato | acc | place
steal stole | stehlen stiehlst/stiehlt gestohlen | rubare | thief fox monkey | ring bicycle picture bag car food | acc
  | place
disappear | verschwinden verschwunden ! | scomparire =scompaio/scompari/scompare/scompariamo/scompaiono scomparso ! |
  person animal vehicle moon | | |
rain | regnen geregnet | piovere piovuto | weather | | |
snow | schneien geschneit | nevicare | weather | | |
"""


def english_forms(words: list[str]) -> tuple[str, str, str, str]:
    """Infinitive, past, third person, particle."""
    plain = [word for word in words if not word.startswith("+")]
    particle = " ".join(word[1:] for word in words if word.startswith("+"))
    base = plain[0]
    soft = base.endswith("y") and base[-2] not in "aeou"
    past = base[:-1] + "ied" if soft else base + ("d" if base.endswith("e") else "ed")
    third = base[:-1] + "ies" if soft else base + ("es" if base.endswith(("s", "sh", "ch", "x", "o")) else "s")
    return base, plain[1] if len(plain) > 1 else past, "has" if base == "have" else third, particle


def german_present(infinitive: str, irregular: str) -> tuple[str, str, str, str]:
    """ich, du, er, wir; `irregular` is `du/er`, or all four after an equals sign."""
    if irregular.startswith("="):
        ich, du, er, wir = irregular[1:].split("/")
        return ich, du, er, wir
    stem = infinitive.removesuffix("n").removesuffix("e")
    if irregular:
        du, er = irregular.split("/")
    else:
        linked = stem + "e" if stem.endswith(("t", "d", "ffn", "gn")) else stem
        du, er = linked + ("t" if linked.endswith(("s", "z", "ß")) else "st"), linked + "t"
    return stem + "e", du, er, infinitive


def italian_present(infinitive: str, isc: bool) -> tuple[str, str, str, str, str]:
    """io, tu, lui, noi, loro of a regular verb."""
    stem, ending = infinitive[:-3], infinitive[-3:]
    hard = stem + "h" if ending == "are" and stem.endswith(("c", "g")) else stem
    soft = stem.removesuffix("i") if ending == "are" else stem
    link = "isc" if isc else ""
    tu, noi = (hard + "i", hard + "iamo") if hard != stem else (soft + link + "i", soft + "iamo")
    lui, loro = ("a", "ano") if ending == "are" else ("e", "ono")
    return stem + link + "o", tu, stem + link + lui, noi, stem + link + loro


def italian_future(infinitive: str) -> str:
    """The stem of the future of a regular verb: parl-er-, prend-er-, dorm-ir-."""
    stem, ending = infinitive[:-3], infinitive[-3:]
    if ending != "are":
        return infinitive[:-1]
    if stem.endswith(("c", "g")):
        return stem + "her"
    return (stem[:-1] if stem.endswith(("ci", "gi")) else stem) + "er"


def read(row: str) -> Verb:
    """One row of the table as an entry."""
    english, german, italian, subjects, objects, marking, takes = (column.strip() for column in row.split("|"))
    en, en_past, en_third, particle = english_forms(english.split())

    german_words = german.split()
    prefix, _, de = german_words[german_words[0] == "sich"].rpartition(".")
    rest = german_words[(german_words[0] == "sich") + 1 :]
    irregular = next((word for word in rest if "/" in word), "")
    preterite = next((word[1:] for word in rest if word.startswith("=") and "/" not in word), "")
    participle = next(word for word in rest if "/" not in word and word != "!" and not word.startswith("="))

    italian_words = italian.split()
    it, rest_it = italian_words[0], italian_words[1:]
    plain = it[:-2] + "e" if it.endswith("si") else it
    present = next((word[1:] for word in rest_it if word.startswith("=")), "")
    regular = plain[:-3] + {"are": "ato", "ere": "uto", "ire": "ito"}[plain[-3:]]
    given = [word for word in rest_it if word[0] not in "=!>-"]
    io, tu, lui, noi, loro = present.split("/") if present else italian_present(plain, "-isc" in rest_it)
    case, _, preposition = marking.partition("/")
    return Verb(
        en=en,
        en_past=en_past,
        en_third=en_third,
        en_particle=particle,
        de=prefix + de,
        de_prefix=prefix,
        de_present=german_present(de, irregular),
        de_participle=participle,
        de_is="!" in rest,
        de_past=preterite,
        de_reflexive=german_words[0] == "sich",
        it=it,
        it_present=(io, tu, lui, noi, loro),
        it_participle=given[0] if given else regular,
        it_is="!" in rest_it or it.endswith("si"),
        it_future=next((word[1:] for word in rest_it if word.startswith(">")), italian_future(plain)),
        it_reflexive=it.endswith("si"),
        lasting="lasting" in takes or bool(preterite),
        subjects=frozenset(subjects.split()),
        objects=frozenset(objects.split()),
        de_object=case,
        it_object=preposition,
        takes=frozenset(takes.split()) - {"lasting"},
    )


BE = Verb(
    "be", "was", "is", "", "sein", "", ("bin", "bist", "ist", "sind"), "gewesen", True, "war", False,
    "essere", ("sono", "sei", "è", "siamo", "sono"), "stato", True, "sar", False,
    True, frozenset(), frozenset(), "", "", frozenset(),
)  # fmt: skip

MODALS = (
    Modal(
        "can", "could", ("kann", "kannst", "kann", "können"), "konnte",
        ("posso", "puoi", "può", "possiamo", "possono"), "pote",
    ),
    Modal(
        "must", "had to", ("muss", "musst", "muss", "müssen"), "musste",
        ("devo", "devi", "deve", "dobbiamo", "devono"), "dove",
    ),
    Modal(
        "want", "wanted to", ("will", "willst", "will", "wollen"), "wollte",
        ("voglio", "vuoi", "vuole", "vogliamo", "vogliono"), "vole",
    ),
)  # fmt: skip
MAY_NOT = ("darf", "darfst", "darf", "dürfen")  # what German says for *must not*

VERBS = tuple(read(row) for row in re.sub(r"\n +", " ", VERB_TABLE.strip()).splitlines())
