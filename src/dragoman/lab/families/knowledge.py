"""The facts that the lab's assistant knows: small tables, each with the ways to ask for a fact.

A table's first phrasings refer to the thing asked about as `{thing}`; the answer is given with `{thing}` and
`{value}`. If several values are right (`a|b`), the first one is given and any is accepted.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Subject:
    """A table of facts of one kind: `entries` is `thing: value; thing: value`."""

    name: str
    entries: str
    asked: tuple[str, ...]
    told: str

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """Pairs of thing and value."""
        return tuple((thing.strip(), value.strip()) for thing, value in (e.split(":") for e in self.entries.split(";")))


SUBJECTS = (
    Subject(
        "capital",
        "France: Paris; Germany: Berlin; Italy: Rome; Spain: Madrid; Portugal: Lisbon; Austria: Vienna; Poland: Warsaw;"
        "Greece: Athens; Norway: Oslo; Sweden: Stockholm; Finland: Helsinki; Denmark: Copenhagen; Belgium: Brussels;"
        "Ireland: Dublin; Hungary: Budapest; Russia: Moscow; Turkey: Ankara; Egypt: Cairo; Japan: Tokyo;"
        "China: Beijing; India: New Delhi|Delhi; Canada: Ottawa; Mexico: Mexico City; Cuba: Havana; Peru: Lima;"
        "Chile: Santiago; Argentina: Buenos Aires; Australia: Canberra; Kenya: Nairobi; Iceland: Reykjavik;"
        "Croatia: Zagreb; Romania: Bucharest; Bulgaria: Sofia; Ukraine: Kyiv|Kiev; Serbia: Belgrade; Thailand: Bangkok;"
        "Iran: Tehran; Iraq: Baghdad; Morocco: Rabat; Switzerland: Bern|Berne; England: London; Scotland: Edinburgh",
        (
            "What is the capital of {thing}?",
            "Which city is the capital of {thing}?",
            "Name the capital of {thing}.",
            "What is {thing}'s capital city?",
            "Tell me the capital city of {thing}.",
            "Do you know the capital of {thing}?",
        ),
        "The capital of {thing} is {value}.",
    ),
    Subject(
        "continent",
        "France: Europe; Italy: Europe; Poland: Europe; Norway: Europe; Japan: Asia; China: Asia; India: Asia;"
        "Thailand: Asia; Iraq: Asia; Egypt: Africa; Kenya: Africa; Morocco: Africa; Nigeria: Africa;"
        "Canada: North America|America; Mexico: North America|America; Peru: South America|America;"
        "Chile: South America|America; Brazil: South America|America",
        (
            "On which continent is {thing}?",
            "Which continent is {thing} in?",
            "What continent does {thing} belong to?",
            "Name the continent of {thing}.",
            "Tell me which continent {thing} lies in.",
        ),
        "{thing} is in {value}.",
    ),
    Subject(
        "language",
        "France: French; Germany: German; Italy: Italian; Spain: Spanish; Portugal: Portuguese; Brazil: Portuguese;"
        "Mexico: Spanish; Austria: German; Poland: Polish; Greece: Greek; Sweden: Swedish; Denmark: Danish;"
        "Japan: Japanese; China: Chinese; Russia: Russian; Turkey: Turkish; England: English; Egypt: Arabic",
        (
            "Which language is spoken in {thing}?",
            "What language do people speak in {thing}?",
            "Name the language of {thing}.",
            "What do people speak in {thing}?",
            "Tell me the main language of {thing}.",
        ),
        "People in {thing} speak {value}.",
    ),
    Subject(
        "young",
        "dog: puppy; cat: kitten; cow: calf; horse: foal; sheep: lamb; pig: piglet; bear: cub; lion: cub; hen: chick;"
        "duck: duckling; goose: gosling; goat: kid; frog: tadpole; deer: fawn; swan: cygnet; kangaroo: joey;"
        "eagle: eaglet; butterfly: caterpillar; owl: owlet; seal: pup",
        (
            "What is a young {thing} called?",
            "What do you call a baby {thing}?",
            "What is the name for a baby {thing}?",
            "How is the young of a {thing} called?",
            "Tell me the word for a young {thing}.",
        ),
        "A young {thing} is called a {value}.",
    ),
    Subject(
        "home",
        "bee: hive; bird: nest; dog: kennel; horse: stable; spider: web; bear: den|cave; pig: sty; rabbit: burrow;"
        "ant: anthill; hen: coop; king: palace; fish: water|sea; lion: den; monk: monastery; snail: shell; cow: barn",
        (
            "Where does a {thing} live?",
            "What is the home of a {thing} called?",
            "Name the home of a {thing}.",
            "What do we call the home of a {thing}?",
            "Tell me where a {thing} lives.",
        ),
        "The home of a {thing} is the {value}.",
    ),
    Subject(
        "sound",
        "dog: barks; cat: meows; cow: moos; sheep: bleats; horse: neighs; lion: roars; duck: quacks; bee: buzzes;"
        "snake: hisses; wolf: howls; frog: croaks; pig: grunts; bird: sings; owl: hoots; mouse: squeaks; hen: clucks",
        (
            "Which sound does a {thing} make?",
            "What does a {thing} do to make a sound?",
            "What noise does a {thing} make?",
            "Describe the sound of a {thing} in one verb.",
            "How does a {thing} sound?",
        ),
        "A {thing} {value}.",
    ),
    Subject(
        "legs",
        "dog: four|4; bird: two|2; spider: eight|8; ant: six|6; bee: six|6; cat: four|4; horse: four|4; hen: two|2;"
        "fly: six|6; cow: four|4; duck: two|2; snake: no|zero|0; fish: no|zero|0; octopus: no|zero|0",
        (
            "How many legs does a {thing} have?",
            "What is the number of legs of a {thing}?",
            "Count the legs of a {thing}.",
            "Tell me how many legs a {thing} has.",
            "How many legs has a {thing}?",
        ),
        "A {thing} has {value} legs.",
    ),
    Subject(
        "colour",
        "snow: white; grass: green; blood: red; milk: white; coal: black; gold: yellow|golden; the sky: blue;"
        "chocolate: brown; the sea: blue; lemon juice: yellow; an orange: orange; a tomato: red; a banana: yellow;"
        "a cucumber: green; a strawberry: red; an elephant: grey|gray; a raven: black; a swan: white; a flamingo: pink;"
        "a frog: green; spinach: green; rust: brown|red; ash: grey|gray; butter: yellow; salt: white; sugar: white",
        (
            "What colour is {thing}?",
            "Which colour does {thing} have?",
            "Name the colour of {thing}.",
            "What is the colour of {thing}?",
            "Tell me what colour {thing} has.",
        ),
        "The colour of {thing} is {value}.",
    ),
    Subject(
        "opposite",
        "hot: cold; big: small|little; old: young|new; fast: slow; high: low; long: short; good: bad; happy: sad;"
        "light: dark|heavy; rich: poor; strong: weak; early: late; open: closed|shut; full: empty; clean: dirty;"
        "hard: soft|easy; loud: quiet; wet: dry; near: far; left: right; up: down; in: out; day: night; begin: end;"
        "buy: sell; give: take; love: hate; come: go; win: lose; ask: answer; sit: stand; laugh: cry; push: pull;"
        "always: never; before: after; first: last; inside: outside; more: less; yes: no; north: south; east: west;"
        "war: peace; life: death; summer: winter; friend: enemy; question: answer; true: false; thick: thin;"
        "wide: narrow; deep: shallow; brave: cowardly; cheap: expensive; sweet: sour|bitter; safe: dangerous",
        (
            "What is the opposite of '{thing}'?",
            "Which word means the opposite of '{thing}'?",
            "Give me the opposite of the word '{thing}'.",
            "Name the opposite of '{thing}'.",
            "What is the antonym of '{thing}'?",
            "'{thing}' is the opposite of which word?",
        ),
        "The opposite of '{thing}' is '{value}'.",
    ),
    Subject(
        "after",
        "Monday: Tuesday; Tuesday: Wednesday; Wednesday: Thursday; Thursday: Friday; Friday: Saturday;"
        "Saturday: Sunday; Sunday: Monday; January: February; February: March; March: April; April: May; May: June;"
        "June: July; July: August; August: September; September: October; October: November; November: December;"
        "December: January; spring: summer; summer: autumn; autumn: winter; winter: spring",
        (
            "What comes after {thing}?",
            "What comes next after {thing}?",
            "Which one follows {thing}?",
            "What follows {thing}?",
            "Tell me what comes right after {thing}.",
        ),
        "After {thing} comes {value}.",
    ),
    Subject(
        "before",
        "Monday: Sunday; Tuesday: Monday; Wednesday: Tuesday; Thursday: Wednesday; Friday: Thursday;"
        "Saturday: Friday; Sunday: Saturday; January: December; February: January; March: February; April: March;"
        "May: April; June: May; July: June; August: July; September: August; October: September; November: October;"
        "December: November",
        (
            "What comes before {thing}?",
            "Which one is right before {thing}?",
            "What is just before {thing}?",
            "What precedes {thing}?",
            "Tell me what comes right before {thing}.",
        ),
        "Before {thing} comes {value}.",
    ),
    Subject(
        "number",
        "days in a week: seven|7; hours in a day: twenty-four|24; minutes in an hour: sixty|60; months in a year: "
        "twelve|12; seconds in a minute: sixty|60; seasons in a year: four|4; days in January: thirty-one|31;"
        "days in April: thirty|30; days in June: thirty|30; days in December: thirty-one|31; fingers on a hand: five|5;"
        "wheels on a car: four|4; wheels on a bicycle: two|2; sides of a triangle: three|3; sides of a square: four|4;"
        "eggs in a dozen: twelve|12; years in a century: hundred|100; planets around the sun: eight|8;"
        "letters in the English alphabet: twenty-six|26; players in a football team: eleven|11;"
        "strings on a violin: four|4; metres in a kilometre: thousand|1000|1,000; grams in a kilogram: "
        "thousand|1000|1,000; cents in a euro: hundred|100; years in a decade: ten|10; continents on Earth: seven|7",
        (
            "How many {thing}?",
            "What is the number of {thing}?",
            "Tell me the number of {thing}.",
            "Do you know the number of {thing}?",
            "How large is the number of {thing}?",
        ),
        "The number of {thing} is {value}.",
    ),
    Subject(
        "symbol",
        "water: H2O; oxygen: O; hydrogen: H; carbon: C; gold: Au; silver: Ag; iron: Fe; salt: NaCl; nitrogen: N;"
        "copper: Cu; lead: Pb; sodium: Na; helium: He; carbon dioxide: CO2",
        (
            "What is the chemical symbol for {thing}?",
            "Which chemical formula stands for {thing}?",
            "How is {thing} written in chemistry?",
            "Give me the chemical symbol of {thing}.",
            "How do chemists write {thing}?",
        ),
        "In chemistry, {thing} is written {value}.",
    ),
    Subject(
        "worker",
        "bakes bread: baker; teaches children: teacher; drives a bus: driver; repairs cars: mechanic; cuts hair: "
        "hairdresser|barber; flies a plane: pilot; grows food: farmer; puts out fires: firefighter; catches fish: "
        "fisherman|fisher; writes books: writer|author; paints pictures: painter|artist; helps sick people: "
        "doctor|nurse; sells meat: butcher; builds houses: builder; works with wood: carpenter; makes shoes: "
        "shoemaker; cooks in a restaurant: cook|chef; works in a garden: gardener; looks after teeth: dentist;"
        "heals animals: vet; plays music: musician; sings songs: singer; steers a ship: captain;"
        "sews clothes: tailor; digs for coal: miner; delivers letters: postman|mailman; repairs water pipes: plumber",
        (
            "Who {thing}?",
            "What do you call a person who {thing}?",
            "Which job has a person who {thing}?",
            "Name the profession of someone who {thing}.",
            "What is the job of somebody who {thing}?",
        ),
        "A person who {thing} is a {value}.",
    ),
    Subject(
        "tool",
        "cut paper: scissors; drive in a nail: hammer; open a lock: key; write on paper: pen|pencil; sweep the floor: "
        "broom; cut bread: knife; eat soup: spoon; tell the time: clock|watch; take photos: camera; dig a hole: "
        "spade|shovel; look at the stars: telescope; measure heat: thermometer; brush your teeth: toothbrush;"
        "saw wood: saw; comb your hair: comb; find north: compass; paint a wall: brush; stay dry in the rain: umbrella;"
        "see tiny things: microscope; dry your hands: towel; boil water: kettle; sew a button: needle",
        (
            "What do you use to {thing}?",
            "Which tool do you need to {thing}?",
            "Name a tool to {thing}.",
            "What do people use to {thing}?",
            "What is needed to {thing}?",
        ),
        "To {thing}, you use: {value}.",
    ),
    Subject(
        "kind",
        "apple: fruit; carrot: vegetable; rose: flower; oak: tree; dog: animal|mammal; eagle: bird; salmon: fish;"
        "ant: insect; piano: instrument; hammer: tool; chair: furniture; shirt: clothing; red: colour|color;"
        "Monday: day; July: month; football: sport|game; bus: vehicle; milk: drink; cheese: food; Paris: city;"
        "Italy: country; Africa: continent; German: language; seven: number; winter: season; uncle: relative;"
        "doctor: job|profession; triangle: shape; guitar: instrument; tulip: flower; pine: tree; banana: fruit;"
        "potato: vegetable; bee: insect; silver: metal; train: vehicle; table: furniture; tennis: sport|game",
        (
            "What kind of thing is '{thing}'?",
            "Which group does '{thing}' belong to?",
            "'{thing}' is an example of what?",
            "Put '{thing}' into a group.",
            "What sort of thing does '{thing}' name?",
        ),
        "The word '{thing}' belongs to this group: {value}.",
    ),
    Subject(
        "source",
        "bread: flour; cheese: milk; butter: milk; wine: grapes; paper: wood; wool: sheep; honey: bees; eggs: hens;"
        "silk: silkworms; glass: sand; chocolate: cocoa; leather: skin; oil: olives; jam: fruit; ice: water",
        (
            "Where does {thing} come from?",
            "What is the source of {thing}?",
            "What do we get {thing} from?",
            "From what do we get {thing}?",
            "Tell me where we get {thing} from.",
        ),
        "We get {thing} from {value}.",
    ),
)
