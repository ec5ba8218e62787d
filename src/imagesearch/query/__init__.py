"""From a sentence to a `ParsedQuery`: who, where and when as conditions, and the text that is left for CLIP.

Tokenize, rewrite, tag, parse; pure functions of the sentence, the vocabulary of the dataset and today's date.
Knows dateutil and rank_bm25.
"""

from imagesearch.query.criteria import Circle, Criteria
from imagesearch.query.parsed_query import ParsedQuery, PeopleClause
from imagesearch.query.parser import SentenceParser

__all__ = ["Circle", "Criteria", "ParsedQuery", "PeopleClause", "SentenceParser"]
