"""The reference texts for the calibration of scores: captions of everyday photos, and of things in no album.

Their vectors are stored with a digest of these texts, and are encoded again when a text changes.
"""

# Captions of what photos show, in the words of searches: things, animals, places and occasions.
EVERYDAY_TEXTS = (
    "a person", "a man", "a woman", "a child", "a baby", "a family", "friends", "a group of people",
    "a portrait", "a dog", "a cat", "a bird", "a horse", "a cow", "a sheep", "a fish", "an insect", "a car",
    "a bicycle", "a motorcycle", "a bus", "a train", "a boat", "an airplane", "a truck", "a house",
    "a building", "a tower", "a bridge", "a statue", "a tree", "a flower", "a chair", "a table", "a sofa",
    "a bed", "a lamp", "a book", "a phone", "a computer", "a camera", "a television", "a document", "a sign",
    "a bottle", "a cup", "a plate", "food", "a cake", "fruit", "vegetables", "bread", "a pizza", "a drink",
    "a ball", "a balloon", "a kite", "an umbrella", "a bag", "a suitcase", "a guitar", "a piano", "a clock",
    "a mirror", "a window", "a door", "shoes", "a hat", "a dress", "a toy", "a tent", "a fire",
    "a beach", "the sea", "a lake", "a river", "a waterfall", "a forest", "mountains", "a desert", "a field",
    "a meadow", "a garden", "a park", "a street", "a city", "a village", "a harbour", "a market", "a shop",
    "a restaurant", "a kitchen", "a bedroom", "a living room", "an office", "a school", "a church",
    "a museum", "a stadium", "an airport", "a railway station", "snow", "an island", "a farm", "the sky",
    "clouds", "a sunset", "night", "stars", "rain", "fog", "a party", "a wedding", "a concert", "a parade",
    "a playground", "sports", "a Christmas tree",
)  # fmt: skip

# Captions of things that are in no album: rare things, wrong colours, things in impossible places. Most have
# everyday words, because a query is hardest to reject when photos show a part of it.
ABSENT_TEXTS = (
    "a mammoth", "a unicorn", "a dragon", "a dinosaur", "a mermaid", "a spaceship", "a pirate ship",
    "a knight in armour", "a nuclear explosion", "a sea monster", "an atom", "a galaxy", "a submarine",
    "a space station", "a flying saucer", "an ancient pharaoh", "a werewolf", "an erupting volcano",
    "an oil rig", "a gladiator", "a black hole", "a tank", "a polar bear", "a surgical operation",
    "an x-ray of a chest", "a circuit board", "a fighter jet", "an astronaut",
    "a purple dog", "a green cat", "a blue horse", "a pink elephant", "a violet cow", "a red tree",
    "an orange sea", "a purple banana", "a blue lion", "a green dog", "a pink cat", "a turquoise sheep",
    "a yellow pig", "a striped dog", "a blue strawberry", "a golden car", "a red swan", "a green snowman",
    "a purple cat", "a blue dog", "a red cat", "a green face", "a pink lawn", "a black moon",
    "a boat in the desert", "a ship in a forest", "a yacht in the mountains", "a sailing boat in the street",
    "a boat in the living room", "a car at a birthday party", "a tent at a party", "a car in the kitchen",
    "a bicycle on the sea", "an elephant in the kitchen", "a penguin in the desert", "a camel in the snow",
    "a lion in the street", "a polar bear on the beach", "a horse in the bedroom", "a cow in the library",
    "a shark in the forest", "a tiger at a wedding", "a monkey on a motorbike", "a giraffe in the bathroom",
    "a piano on the beach", "a sofa in the sea", "a bed in the street", "a fridge in a meadow",
    "a bathtub in the forest", "a grandfather clock in the snow", "a telephone box on a mountain",
    "a traffic light in the desert", "a train in the living room", "a helicopter in a church",
    "a tractor in a swimming pool", "a rocket on a farm", "a submarine in a lake", "an aeroplane in a garden",
    "a pyramid in the snow", "a castle on the moon", "a palm tree in the snow", "a snowman on the beach",
    "an igloo in the desert", "a cactus in the snow", "a whale in the harbour", "a dolphin in the street",
    "a crocodile in the kitchen", "a kangaroo in an office", "a kite in the bedroom",
    "a surfer in the desert", "a skier on the beach", "a swimmer in the street", "a diver in the forest",
    "an astronaut on a horse", "a king on a bicycle", "a clown in the snow", "a purple dog with an umbrella",
    "a green cat in a boat", "a bear with a balloon", "an elephant with a red umbrella",
    "a horse with a birthday cake", "a lion on a bicycle", "two elephants in the snow at night",
    "a purple dog in the jungle at night", "a ship in the city at night", "a green boat in the snow",
)  # fmt: skip
