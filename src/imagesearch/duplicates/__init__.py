"""Finds photos that are stored more than once, apart from photos that only look alike.

`find_duplicates` returns groups of three kinds: the same pixels, the same shot (re-encoded, resized, or
cropped a little), and bursts. Start with ``find.py``. ``hashes.py`` extracts a table of perceptual hashes,
``candidates.py`` selects the pairs of photos to compare, ``same_shot.py`` compares two photos,
``verdicts.py`` stores the results, and ``groups.py`` joins the pairs to groups and puts the best photo first.
Only this package uses cv2 and imagehash. Nothing is ever deleted.
"""

from imagesearch.duplicates.find import find_duplicates
from imagesearch.duplicates.groups import DuplicateGroup, GroupedPhoto

__all__ = ["DuplicateGroup", "GroupedPhoto", "find_duplicates"]
