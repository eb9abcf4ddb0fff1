"""Requests made up from the schema: never a fault, and only answers that are documented."""

import pytest
import schemathesis
from helpers.small_app import small_app
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

pytestmark = pytest.mark.slow

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = 60
PLAIN = {"background", "format", "job", "metadata", "name", "quality", "fill"}


def test_made_up_requests(session, png):
    app = small_app(session(max_job_pixels=200_000))
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    bodies = st.sampled_from([png(), png(mode="RGBA"), png(kind="GIF"), png()[:-100], b"", b"x"])
    statuses = {}

    def try_out(operation, mode):
        @settings(
            max_examples=EXAMPLES,
            suppress_health_check=list(HealthCheck),
            database=None,
            derandomize=True,
        )
        @given(operation.as_strategy(generation_mode=mode), bodies, st.booleans(), st.booleans())
        def one(case, body, plain, as_job):
            if case.method == "POST":
                case.body = body
                if plain:  # few made-up sizes go together with the others
                    case.query = {name: case.query[name] for name in PLAIN & set(case.query)}
                    case.query |= {"job": "true"} if as_job else {}
            answer = case.call()
            statuses.setdefault(operation.label, set()).add(answer.status_code)
            if answer.headers["content-type"][0].startswith("application/json"):
                assert "Traceback" not in answer.text
            case.validate_response(answer, checks=CHECKS)

        one()

    for found in schema.get_all_operations():
        operation = found.ok()
        try_out(operation, GenerationMode.POSITIVE)
        if operation.label == "POST /api/enlarge":  # of the rest, nothing can be wrong
            try_out(operation, GenerationMode.NEGATIVE)
    assert {200, 202, 400, 415, 422} <= statuses["POST /api/enlarge"], statuses
    assert set(statuses) == {
        "POST /api/enlarge",
        "GET /api/models",
        "GET /api/jobs/{identifier}",
        "GET /api/jobs/{identifier}/events",
        "GET /api/jobs/{identifier}/result",
        "DELETE /api/jobs/{identifier}",
        "GET /healthz",
        "GET /metrics",
    }
