"""From a sentence to a `ParsedQuery`: who, where and when as conditions, and the text that is left for CLIP.

A sentence is split into tokens, rewritten and tagged; its mentions become clauses, and the rest a caption.
What comes out depends on the sentence, the dataset's vocabulary and today's date alone. Knows dateutil and
rank_bm25.
"""

from imagesearch.query.criteria import Circle, Criteria
from imagesearch.query.parsed_query import ParsedQuery, PeopleClause
from imagesearch.query.parser import SentenceParser

__all__ = ["Circle", "Criteria", "ParsedQuery", "PeopleClause", "SentenceParser"]
