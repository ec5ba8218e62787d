"""The people in a sentence: who must be in a photo, who must not, and how many."""
