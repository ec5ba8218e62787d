"""The drawn album and its three small models: pictures with a known truth, for demo, tests and notebook.

Imports the product, never the other way round. Its rooms, each importing only from those before it: drawing,
album, then training and scoring, which do not know each other.
"""
