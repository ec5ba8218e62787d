"""The jobs of Rescue Box over HTTP: ingest a dataset, and search it by text, by photo or by face.

Start with `serve` (``server.py``), which script 10 calls. ``app.py`` puts the jobs into one application.

- ``forms.py`` describes the inputs of each job; ``body_checks.py`` checks the inputs of a request.
- ``datasets.py`` is what the jobs share: the datasets, searched by one thread. ``ingest.py`` adds one.
- ``results.py`` describes photos that were found.

Flask, flask-ml and waitress are an extra, and only this package imports them.
"""

from imagesearch.api.server import ApiOptions, check_api_installed, serve

__all__ = ["ApiOptions", "check_api_installed", "serve"]
