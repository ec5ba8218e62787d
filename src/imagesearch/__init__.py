"""Search photos by what they show, who is in them, and where and when they were taken, with Milvus.

Five lines from a folder of photos to a figure of the photos found::

    import imagesearch

    with imagesearch.open_library("config.yaml") as library:
        library.update()  # extract features, faces and places; build the collections
        answer = library.search("maya on the beaches of goa")
        library.show(answer)

Each public name is imported when it is first used, so that ``import imagesearch`` is fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imagesearch.config import Config, load_config
    from imagesearch.errors import UserError
    from imagesearch.library import PhotoLibrary, open_library
    from imagesearch.query import Criteria
    from imagesearch.search import Answer, Query, SearchResult
    from imagesearch.workflow import RunSummary

__all__ = [
    "Answer",
    "Config",
    "Criteria",
    "PhotoLibrary",
    "Query",
    "RunSummary",
    "SearchResult",
    "UserError",
    "load_config",
    "open_library",
]

_MODULE_BY_NAME = {
    "Answer": "search",
    "Config": "config",
    "Criteria": "query",
    "PhotoLibrary": "library",
    "Query": "search",
    "RunSummary": "workflow",
    "SearchResult": "search",
    "UserError": "errors",
    "load_config": "config",
    "open_library": "library",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_BY_NAME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_BY_NAME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
