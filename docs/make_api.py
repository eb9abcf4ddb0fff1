"""Write docs/api.md from the server's own schema: python docs/make_api.py."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clearzoom.errors import ClearzoomError
from clearzoom.server.app import create_app
from clearzoom.server.error_answers import _CODES, ACCESS, status_of
from clearzoom.server.jobs.planning import JOB_STATUSES
from clearzoom.server.jobs.schema import EnlargeQuery
from clearzoom.server.settings import ServeSettings

TARGET = Path(__file__).with_name("api.md")

HEAD = """# The API for programs

Made by `python docs/make_api.py` from the server's schema, which a running server gives at
`/api/openapi.json`. A test runs the commands and fails when the tables are stale.

`clearzoom serve FOLDER` answers at `http://localhost:8000`. Where it requires a token, add
`-H "Authorization: Bearer TOKEN"` to each command.

## At once

The body is a picture's file, and the answer is the enlarged file: the bytes that `clearzoom
enlarge` writes with the same options.

```sh
server=http://localhost:8000
curl -fsS --data-binary @holiday.png "$server/api/enlarge?scale=2" -o large.png
curl -fsS --data-binary @holiday.png -o print.jpg \\
    "$server/api/enlarge?print_size=4x3cm@100dpi&fill=true&format=jpg"
curl -fsS -X POST "$server/api/enlarge?picture=cat.png" -OJ
```

The last one names a picture of the served folder, and takes the name that the server gives:
`cat-x4.png`. `X-Clearzoom-Pixels` says whether px were inferred, `X-Clearzoom-Model` names the
networks and their SHA-256, and `X-Clearzoom-Notes` lists what was not kept.

## As a job

A result of more than 25 million px, or one that takes more than a minute, needs a job.

```sh
curl -fsS --data-binary @holiday.png -D accepted -o job.json \\
    "$server/api/enlarge?job=true&name=holiday.png"
job=$server$(sed -n 's/^location: *//Ip' accepted | tr -d '\\r')
curl -fsS "$job/events"     # ends with "event: done", "failed" or "cancelled"
curl -fsS "$job"            # how far it is
curl -fsS "$job/result" -OJ # holiday-x4.png
curl -fsS -X DELETE "$job"  # cancels it, or deletes its result
```

Jobs take turns, tile by tile, and give way to viewers of pictures. A client may have 4 jobs at
once, all clients together 64; results are kept for an hour. Whoever knows a job's identifier may
read and cancel it. Any worker process answers for any job. If a process dies, another continues its
jobs, those of large pictures from the last finished tile.

## The models

```sh
curl -fsS "$server/api/models"
```

Requests name a released model or one of your own, never a file of the server.

"""

CODES = """
## Errors

Every error is `{"code": ..., "message": ...}`: the code is stable, the message for people. After
429 and 503 `Retry-After` says when to try again. A failed job has the same object under `error`;
there the code `stopped` also means that the server was stopped.

"""


def page() -> str:
    """Give the page."""
    schema = _schema()
    return HEAD + "\n".join([*_routes(schema), *_fields()]) + "\n" + CODES + _codes(schema)


def _schema() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        app = create_app(ServeSettings(folder=folder, cache=folder / "c", session=folder / "s"))
        return app.openapi()


def _own(schema: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
        if {"enlarging", "running"} & set(operation.get("tags", ()))
    ]


def _routes(schema: dict[str, Any]) -> list[str]:
    rows = ["## Routes", "", "| route | | errors |", "| --- | --- | --- |"]
    for name, operation in _own(schema):
        line = operation["description"].splitlines()[0]
        errors = " ".join(status for status in operation["responses"] if "400" <= status < "600")
        rows.append(f"| `{name}` | {line} | {errors} |")
    return [*rows, ""]


def _fields() -> list[str]:
    rows = ["## Fields of POST /api/enlarge", "", "| field | default | |", "| --- | --- | --- |"]
    for name, field in EnlargeQuery.model_fields.items():
        if name == "model":
            rows.append("| `model` | the server's | A model that `GET /api/models` lists. |")
            continue
        default = "" if field.default is None else f"`{str(field.default).lower()}`"
        rows.append(f"| `{name}` | {default} | {field.description} |")
    return rows


def _codes(schema: dict[str, Any]) -> str:
    texts = {
        "403": "a page of another site, or another name of this server",
        "405": "the route has no such method",
    }
    for _, operation in _own(schema):
        for status, answer in operation["responses"].items():
            if status >= "400":
                texts[status] = answer["description"]
    rows = [
        f"| {status} | {_codes_of(int(status))} | {texts[status]} |" for status in sorted(texts)
    ]
    return "\n".join(["| status | code | |", "| --- | --- | --- |", *rows]) + "\n"


def _codes_of(status: int) -> str:
    kinds = _kinds(ClearzoomError)
    of_errors = {kind.code for kind in kinds if status_of(kind, JOB_STATUSES) == status}
    of_server = {500: "fault"} | _CODES
    own = {of_server[status]} if status in of_server else set()
    own |= {ACCESS} if status == 401 else set()
    return " ".join(f"`{code}`" for code in sorted((of_errors if status < 500 else set()) | own))


def _kinds(base: type[ClearzoomError]) -> Iterator[type[ClearzoomError]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _kinds(kind)


if __name__ == "__main__":
    TARGET.write_text(page(), "utf-8")
