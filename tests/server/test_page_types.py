"""The types of the API in the page's modules: what the server's schema states."""

import re
from pathlib import Path

import pytest

API = Path(__file__).parents[2] / "src" / "clearzoom" / "server" / "page" / "api.js"
ANSWERS = {
    "Pictures": ("/api/pictures", "get", "200"),
    "Picture": ("/api/pictures/{identifier}", "get", "200"),
    "Models": ("/api/models", "get", "200"),
    "Job": ("/api/jobs/{identifier}", "get", "200"),
}
PLAIN = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean"}


def typedefs():
    found = {}
    for block in API.read_text("utf-8").split("@typedef {object} ")[1:]:
        properties = re.findall(r"@property \{(.+)\} (\w+)", block.split("*/")[0])
        found[block.split()[0]] = {name: kind for kind, name in properties}
    return found


@pytest.fixture(scope="module")
def schema(server):
    with server.client() as client:
        return client.get("/api/openapi.json").json()


def resolved(schema, part):
    while "$ref" in part:
        part = schema["components"]["schemas"][part["$ref"].rsplit("/", 1)[1]]
    return part


def agrees(schema, types, kind, part):
    """Whether a JSDoc type is what a part of the schema states."""
    options = {one.strip() for one in kind.split("|")}
    parts = [resolved(schema, one) for one in resolved(schema, part).get("anyOf", [part])]
    if ("null" in options) != any(one.get("type") == "null" for one in parts):
        return False
    (stated,) = [one for one in parts if one.get("type") != "null"]
    options -= {"null"}
    if "enum" in stated:
        return options == {f'"{one}"' for one in stated["enum"]}
    (name,) = options
    if name.endswith("[]"):
        return stated["type"] == "array" and agrees(schema, types, name[:-2], stated["items"])
    if name not in types:
        return name == PLAIN.get(stated["type"])
    there = stated.get("properties", {})
    return all(
        each in there and agrees(schema, types, of, there[each]) for each, of in types[name].items()
    )


@pytest.mark.parametrize("name", ANSWERS)
def test_the_types_are_the_servers(schema, name):
    path, method, status = ANSWERS[name]
    answer = schema["paths"][path][method]["responses"][status]
    types = typedefs()
    assert types[name]
    assert agrees(schema, types, name, answer["content"]["application/json"]["schema"])
