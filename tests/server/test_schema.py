"""Requests made up from the schema, to the running server: never a fault, nothing undocumented."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

CHECKS = [status_code_conformance, content_type_conformance]
EXAMPLES = 50
# What is made up freely names no picture, so that little would be tried but "there is none".
LIKELY = {
    "identifier": [
        "chelsea.png",
        "grey.png~x2",
        "deep.tif",
        "chelsea.png~x4,bicubic",
        "old%20scans%2F%E8%B2%93%20%26%20co%2Fchelsea%20small.jpg",
        "grey.png~f2",
        "chelsea.png~x3",
        "grey.png~x2,none",
        "grey.png~x2,photo,0.55",
        "damaged.png",
        "no-picture.jpg",
        "leads-out.png",
        "upload-00000000000000000000000000000000",
    ],
    "region": ["full", "square", "0,0,60,60", "pct:10,10,20.5,20", "9999,0,1,1"],
    "size": ["max", "50,", ",40", "pct:50", "^!70,70", "!30,30", "^99999,", "pct:0"],
    "rotation": ["0", "90", "!180", "45", "361"],
    "quality_format": ["default.jpg", "gray.png", "bitonal.webp", "color.tif", "default"],
    "place": ["0_0.jpg", "0_0.png", "9_9.jpg", "-1_0.jpg", "x"],
    "level": [0, 3, 8, 99, -1],
}
LIKELY["name"] = LIKELY["identifier"]


def operations(url):
    schema = schemathesis.openapi.from_url(f"{url}/api/openapi.json")
    return {each.ok().label: each.ok() for each in schema.get_all_operations()}


@pytest.mark.slow
def test_no_request_is_a_fault(server, subtests):
    statuses = {}

    def try_out(operation, mode):
        @settings(
            max_examples=EXAMPLES,
            suppress_health_check=list(HealthCheck),
            database=None,
            derandomize=True,
        )
        @given(operation.as_strategy(generation_mode=mode), st.randoms(use_true_random=False))
        def one(case, random):
            for name in list(case.path_parameters or {}):
                if name in LIKELY and random.random() < 0.95:
                    case.path_parameters[name] = random.choice(LIKELY[name])
            answer = case.call(base_url=server.url, timeout=60)
            statuses.setdefault(operation.label, set()).add(answer.status_code)
            # 501 is "not done, or switched off", 503 "too much to do": neither is a fault.
            assert answer.status_code < 500 or answer.status_code in (501, 503), answer.text
            case.validate_response(answer, checks=CHECKS)

        one()

    for label, operation in operations(server.url).items():
        with subtests.test(label):
            try_out(operation, GenerationMode.POSITIVE)
    image = "GET /iiif/3/{identifier}/{region}/{size}/{rotation}/{quality_format}"
    assert {200, 400, 404, 415} <= statuses[image], statuses
