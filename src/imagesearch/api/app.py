"""The application: the jobs as routes of flask-ml, and the checks in front of them."""

from __future__ import annotations

import importlib.metadata
import logging
import traceback
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, g, has_app_context, jsonify, request
from flask_ml.flask_ml_server import MLServer
from flask_ml.flask_ml_server.errors import BadRequestError
from flask_ml.flask_ml_server.models import EnumParameterDescriptor, ResponseBody, TaskSchema

from imagesearch.api import forms
from imagesearch.api.body_checks import check_body, check_folder, check_photo, parse_body
from imagesearch.api.datasets import DatasetSession
from imagesearch.api.ingest import ConflictError, Ingestion
from imagesearch.api.results import describe_answer, describe_run
from imagesearch.errors import ServerUnavailableError, UserError
from imagesearch.serving import HostNames, explain_refusal

_MAX_BODY = 2**16  # bytes; a body has a sentence or a path
_FORMS = "forms"  # the key of the application's config with the form of each job, by endpoint
_BUG = "internal error; the terminal of 10_serve_api.py has the details"


def make_app(session: DatasetSession, ingestion: Ingestion, hosts: HostNames) -> Flask:
    """Return the WSGI application.

    Parameters
    ----------
    session
        The datasets to search.
    ingestion
        Runs the steps on a new dataset.
    hosts
        The values of ``Host`` that are answered.
    """
    # it logs the errors of clients with their bodies
    logging.getLogger("flask_ml.flask_ml_server.MLServer").setLevel(logging.CRITICAL)
    server = MLServer("imagesearch")
    server.add_app_metadata(
        name="Photo search",
        author="imagesearch",
        version=importlib.metadata.version("imagesearch"),
        info=forms.ABOUT,
    )
    app = server.app
    app.debug = False  # whatever the environment variable FLASK_DEBUG is
    app.config[_FORMS] = {}
    _add_guards(app, hosts)
    _add_ingest(server, session, ingestion)
    _add_searches(server, session)
    return app


def _add_ingest(server: MLServer, session: DatasetSession, ingestion: Ingestion) -> None:
    def ingest(inputs: forms.IngestInputs, parameters: forms.IngestParameters) -> ResponseBody:
        """Run the steps on a folder."""

        def work() -> ResponseBody:
            name = parameters["name"]
            state = ingestion.run(lambda: check_folder(inputs["directory"].path, session.config), name)
            return describe_run(name, state)

        return _answer(work)

    _add_job(server, ingest, "Ingest a dataset", 0, forms.make_ingest_form)


def _add_searches(server: MLServer, session: DatasetSession) -> None:
    def list_datasets() -> list[str]:
        """List the datasets, once in a request; flask-ml makes a form several times."""
        if not has_app_context():
            return []  # flask-ml only checks the types of the forms
        if "datasets" not in g:
            g.datasets = session.list_names(g.get("dataset"))
        return g.datasets

    def search_by_text(inputs: forms.TextInputs, parameters: forms.SearchParameters) -> ResponseBody:
        """Search by a sentence."""

        def work() -> ResponseBody:
            query = session.make_query(inputs["query"].text, top_k=parameters["count"])
            return describe_answer(session.search(parameters["dataset"], query))

        return _answer(work)

    def search_by_image(inputs: forms.PhotoInputs, parameters: forms.SearchParameters) -> ResponseBody:
        """Search by a photo."""

        def work() -> ResponseBody:
            photo = check_photo(inputs["photo"].path, session.config)
            query = session.make_query(images=(photo,), top_k=parameters["count"])
            return describe_answer(session.search(parameters["dataset"], query))

        return _answer(work)

    def search_by_face(inputs: forms.PhotoInputs, parameters: forms.SearchParameters) -> ResponseBody:
        """Search by the largest face in a photo."""

        def work() -> ResponseBody:
            photo = check_photo(inputs["photo"].path, session.config)
            query = session.make_query(face=photo, top_k=parameters["count"])
            return describe_answer(session.search(parameters["dataset"], query))

        return _answer(work)

    image, face = "Similar photos are found", "Photos of the person with the largest face in it are found"
    _add_job(server, search_by_text, "Search by text", 1, lambda: forms.make_text_form(list_datasets()))
    _add_job(
        server, search_by_image, "Search by image", 2, lambda: forms.make_photo_form(list_datasets(), image)
    )
    _add_job(
        server, search_by_face, "Search by face", 3, lambda: forms.make_photo_form(list_datasets(), face)
    )


def _add_job(
    server: MLServer,
    job: Callable[[Any, Any], ResponseBody],
    title: str,
    order: int,
    make_form: Callable[[], TaskSchema],
) -> None:
    server.route(f"/{job.__name__}", make_form, title, order)(job)
    server.app.config[_FORMS][job.__name__] = make_form


def _answer(work: Callable[[], ResponseBody]) -> ResponseBody:
    """Do a job. An error becomes flask-ml's own error; `_add_guards` replaces its response."""
    try:
        return work()
    except Exception as error:
        g.failure = explain_error(error)
        raise BadRequestError(g.failure[1]) from None


def explain_error(error: Exception) -> tuple[int, str]:
    """Return the HTTP status and the message of an error. The terminal has the traceback of a bug."""
    if isinstance(error, ConflictError):
        return 409, str(error)
    if isinstance(error, ServerUnavailableError):
        return 503, str(error)
    if isinstance(error, UserError):
        return 400, str(error)
    traceback.print_exception(error)
    return 500, _BUG


def _make_error(status: int, message: str) -> Response:
    """Return an error in the form of flask-ml's own errors."""
    response = jsonify({"error": message, "status": "VALIDATION_ERROR" if status < 500 else "SERVER_ERROR"})
    response.status_code = status
    return response


def _add_guards(app: Flask, hosts: HostNames) -> None:
    """Add the checks in front of all routes, and make each error a response in JSON."""

    def read_header(name: str) -> list[str]:
        return request.headers.getlist(name)

    @app.before_request
    def check_request() -> Response | None:
        if reason := explain_refusal(read_header, hosts, request.method):
            return _make_error(403, reason)
        if request.method != "POST":
            return _check_sample(app)
        if (request.content_length or 0) > _MAX_BODY:
            return _make_error(
                413, f"the body of the request is too large; expected at most {_MAX_BODY} bytes"
            )
        if not request.is_json:
            return _make_error(415, "expected a body with Content-Type: application/json")
        if make_form := app.config[_FORMS].get(request.endpoint):
            return _check_body(make_form)
        return None

    @app.after_request
    def complete_response(response: Response) -> Response:
        if "failure" in g:
            response = _make_error(*g.failure)
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    for status, message in (
        (404, "no such address; /api/routes lists them"),
        (405, "this method is not answered here; /api/routes lists the jobs"),
        (500, _BUG),
    ):
        app.register_error_handler(status, lambda error, pair=(status, message): _make_error(*pair))


def _check_sample(app: Flask) -> Response | None:
    """Return an error for a sample of a search if there is no dataset: flask-ml takes the first one."""
    job, _, part = (request.endpoint or "").lstrip("/").partition("/")
    if part in ("sample_payload", "payload_schema") and not all(
        one.value.enum_vals
        for one in app.config[_FORMS][job]().parameters
        if isinstance(one.value, EnumParameterDescriptor)
    ):
        return _make_error(409, forms.NO_DATASET)
    return None


def _check_body(make_form: Callable[[], TaskSchema]) -> Response | None:
    try:
        body = parse_body(request.get_data())
        if isinstance(body["parameters"], dict):
            g.dataset = body["parameters"].get("dataset")
        check_body(body, make_form())
    except Exception as error:
        return _make_error(*explain_error(error))
    return None
