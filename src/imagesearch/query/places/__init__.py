"""The places in a sentence: of the album, of the whole world, regions and distances."""
