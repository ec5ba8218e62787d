"""The library in a browser: pages made with NiceGUI, and a JSON API in the same process.

Start with `serve` (``server.py``), which script 09 calls. ``app.py`` puts the pages and the API into one
application; ``session.py`` is what they share: one library, used by one thread at a time.

- Each page is one module (``search_page.py``, ``photo_page.py``, ...) with a function ``register``.
- ``frame.py`` has what is around each page; ``static/`` has the styles and the components in JavaScript.
- ``people_desk.py`` stores decisions about people; ``people_view.py`` describes people to the pages.
- ``query_address.py`` writes a query as the address of a page, and reads it.
- ``access.py`` decides which requests are answered at all.

NiceGUI, FastAPI and uvicorn are an extra, and only this package imports them.
"""

from imagesearch.web.server import WebOptions, check_web_installed, serve

__all__ = ["WebOptions", "check_web_installed", "serve"]
