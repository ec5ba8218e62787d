"""The time in a sentence: phrases and their meanings (`phrases`), and the engine that finds them."""
