"""Sets of English words: those that stand before names, and everyday words, which are not read as names."""

from __future__ import annotations


def split_set(words: str) -> frozenset[str]:
    """Return the words of a text as a set."""
    return frozenset(words.split())


ARTICLES = split_set("a an the this that these those each every some")
NEGATIONS = split_set("without not no except minus excluding nor neither outside never")
JOINERS = frozenset(("and", "or", ",", "&", "+", "/", "with", "plus", "also", "both", "either", "but"))
PLACE_LEADS = split_set("in at near from around to across through throughout inside outside visiting within")
NAME_LEADS = split_set(
    "of with and or without no not nor neither only just but by for both either except minus "
    "excluding plus show"
) | {",", "&", "+", "/", ":", "(", "-"}
ONLY = frozenset(("only", "just"))
PHOTOS = split_set(
    "photo photos picture pictures image images pic pics photograph photographs snap snaps snapshot "
    "snapshots shots"
)
# Words that do not describe a photo. A caption requires at least one other word.
EMPTY = ((ARTICLES | NEGATIONS | JOINERS | PLACE_LEADS | ONLY | PHOTOS) - {"inside", "outside"}) | split_set(
    "of on by for is are was were be been being there here where when who what which i me we us you "
    "he she it they them him her his their its my our your please all any taken shot made has have "
    "had do does did can about as so than then more most very too s together during over alone "
    "everyone everybody anyone anybody anything everything everywhere anywhere somewhere"
)  # fmt: skip
# Words that are removed from the start and the end of a caption.
LEADING = split_set("and or with of by in on at for from to near around as & + / , . ; : - ! ? ( ) but")

# Names that are usually adjectives before another word: sandy beach, sunny day.
ADJECTIVES = split_set(
    "sandy sunny rusty dusty misty rocky stormy windy frosty rainy snowy happy merry jolly old young bright "
    "royal ivory amber violet rose hazel scarlet ginger pearl gray grey brown green white black gold golden "
    "silver crystal coral jade ruby olive summer autumn winter noble rich brave dear grand solid crispy"
)
# Nouns that end like a verb form. "sandy wedding" has an adjective, "sandy dancing" has a name.
NOUNS_IN_ING = split_set("building ceiling clothing evening morning painting ring spring swing wedding wing")

_COMMON = """
able above across action adult adults adventure after afternoon again age aged ago air airplane airport
album alley almost alone along alpine alps amazing among ancient angel angry animal animals another anyone
anything apartment apple apples april arch architecture area arm arms army art artist asleep audience
august aunt autumn avenue away babies baby back backpack bag bags baking balcony ball ballet balloon
balloons banana band bank bar bare barn baseball basket basketball bath bathroom bathtub battle bay beach
beaches bear beard bears beautiful bed bedroom beer before behind bell below bench benches beside best
better between bicycle bicycles big bike bikes bird birds birth birthday black blanket blonde blossom
blossoms blue boat boats body book books boots border boring bottle bottles bottom bowl box boxes boy boys
branch branches brave bread break breakfast bride bridge bridges bright broken brother brothers brown
brunch brush bucket building buildings bunny burger burning bus buses bush business busy butterfly cabin
cable cafe cake cakes call calm camel camels camera camp campfire camping canal candle candles candy canoe
canyon cap capital car card cards care carnival carpet carry cars cart castle castles cat cats cattle cave
celebration center central centre ceremony chair chairs chapel charm chat cheese cherry chess chicken
child childhood children chili chocolate choir church churches cinema circle circus cities city class
clean clear cliff cliffs climb climber climbing clock close closed cloth clothes cloud clouds cloudy clown
club coach coast coastal coat cocktail coffee cold college color colorful colour colourful column common
computer concert conference cook cookie cookies cooking cool corner cottage couch country countryside
couple court courtyard cousin cousins cover cow cows cozy crazy cream creek crib cross crowd crowded crown
crying cuddling culture cup cups curly curtain cute cycle cycling daisy dance dancer dancers dancing dark
daughter dawn day daylight days dear decoration deep deer delta desert deserts desk dessert diamond diner
dinner dirty dish distance diving dock docks doctor dog dogs doll dolphin door doors downtown dragon
drawing dream dress dressed drink drinking drinks driving drone drum dry duck ducks dune dunes dusk eagle
early earth east easter eastern easy eating edge egg eggs elder elephant elephants empty end engine
enjoying evening event every everyone exam exit eye eyes face faces factory faith fall falling falls false
families family famous fancy far farm farmer fashion father feast feet fence ferry festival field fields
fire fireplace fireworks first fish fishing flag flags flame flight float floor florist flower flowers fly
flying fog foggy food foot football forest forests fork fort fountain fox frame free fresh friend friends
frog front frost frozen fruit fruits full fun funny future game games garage garden gardens gate gather
gathering gentle giant gift gifts giraffe girl girls glacier glass glasses glove goal goat gold golden
golf good goose grace graduation grain grand grandfather grandma grandmother grandpa grapes grass
grassland gray great green grey grill grocery ground group guest guests guitar guitars gym hair haircut
half hall halloween hammock hand hands happy harbor harbour hard harvest hat hats head heart heather
heaven hedge helmet high hike hiker hikers hiking hill hills history hockey holding holiday holidays holly
home hope horse horses hospital hot hotel hour house houses hug huge hugging human hunter hut ice iceberg
iced icon indie indoor indoors inside island islands ivory ivy jacket jazz jeans jewel join joy judge juice
july jump jumping june jungle just kayak kayaking keeper key kid kids king kiss kissing kitchen kite kites
kitten kittens kitty knife ladder lady lake lakes lakeside lamb lamp land landing landscape lane lantern
lanterns large last late later laugh laughing laundry lawn lazy leaf leather leaves left lemon letter
level library light lighthouse lighting lights lily line lion lions little live living lobby local lodge
long looking lotus love lovely low luggage lunch lying magic main male mall man many map maple marble
march marina market markets marriage married marsh masks master match matches may meadow meadows meal meat
medal meeting melon men mercy metal middle midnight milk mill mini mirror mist misty mobile model modern
moment money monkey monkeys monsoon monument moon moonlight morning mosque moss mother motor motorbike
motorcycle mountain mountains mouse mouth movie mud mural muscle museum museums mushroom music musician
name narrow nature navy near neck necklace neon nest new newborn news next nice night nights noise noodles
noon north northern nose note nothing number nurse oak ocean oceans off office old olive one open opera
orange orchard orchid other others outdoor outdoors outfit outside oven owl owner page paint painter
painting paintings pair pairs palace palm palms panda paper parade parasol parent parents park parking
parks parrot part parties party pass passport past pasta path patio peace peach peak peaks pearl pebble
penguin penguins people performance person persons pet pets phone piano picnic pier pig pilot pine pink
pipe pizza place places plain plane planes plant plants plate play player players playground playing plaza
pocket point polar pole police pond pony pool pools poor poppy port portrait portraits post poster pots
prayer present presents president pretty prince princess private public pumpkin puppies puppy purple quay
queen quiet rabbit race racing railway rain rainbow rainforest rainy ranch reading red reef reflection
relaxing restaurant restaurants rice rich ride riding right ring river rivers road roads roast robe robot
rock rocket rocks rocky roof room rooms root rope rose roses rough round row royal ruby rug rugby ruins
rule run runner running rural rush sad saddle safari safe sage sail sailboat sailing sailor saint salad
salon salt same sand sandal sandals sandwich sandy savanna savannah scarf scene scenery scenic school
science score screen screenshot screenshots sea seafood seal seashore seaside season seat second self
selfie selfies seven shade shadow shadows shallow shark sharp sheep shell shells ship ships shirt shoe
shoes shop shopping shops shore short shorts show shower shrine side sign signs silver simple singer
singing single sister sisters sitting six size skate skateboard skater ski skier skiers skiing skirt sky
skyline skyscraper skyscrapers sled sleep sleeping sleepy slide slope slow small smile smiles smiling
smoke snack snail snake snow snowboard snowfall snowman snowy soccer sofa soft soldier solid someone
something somewhere son song soup south southern space sparkler special spicy spider spiral splash split
sport sports spring square squirrel stadium stage staircase stairs stall stand standing star starry stars
start station statue steam steel steep step steps sticks stone stones store storm stormy stove strange
straw stream street streets striped strong student students studio suit suitcase suitcases summer summit
sun sundown sunflower sunflowers sunglasses sunlight sunny sunrise sunset sunsets surf surfer surfers
surfing swan sweater sweet swim swimmer swimming swing symbol table tables tail tall tango taxi tea
teacher team teen teenager teeth temple temples tennis tent tents terrace terrain theater theatre thick
thing things three throwing ticket tiger tigers tile time tired today toddler together tomato tomb tool
top torch tour tourist tourists tower towers town towns toy toys track traffic trail train trains tram
travel tree trees trek tribe trip trips trophy tropical truck trucks trunk tulip tulips tunnel turtle
twins two umbrella umbrellas uncle under underwater uniform university upper urban vacation valley van
vase vegetables vehicle veil victory video view viewpoint views villa village villages vine vineyard
violet violin visit volcano waiter waiting wake walk walking wall walls warm washing watch watching water
waterfall waterfalls watering wave waves wearing weather wedding weddings week weekend west western wet
whale whales wheat wheel wheels whisky white wide wife wild wildlife will wind window windows windy wine
wing wings winter wolf woman women wood wooded wooden woodland woods work worker working world wreath
wrist writing yacht yard year years yellow yoga young youth zebra zebras zone zoo
"""
# Everyday words with their regular plurals. As a name, such a word counts only where a name is expected, and
# none is corrected to a name.
COMMON = EMPTY | PHOTOS | LEADING | {f for word in _COMMON.split() for f in (word, f"{word}s", f"{word}es")}
# Everyday words that an adjective may describe.
NOUNS = COMMON - EMPTY - LEADING
