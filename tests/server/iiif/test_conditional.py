"""A conditional request for a tile that the client has: what it reads, and what it must notice."""

import sys
from contextlib import contextmanager

import pytest

from clearzoom.server.app import create_app

TILE = "/iiif/3/cat.png~x4,{model}/0,0,60,60/max/0/default.png"
_noted = None


def _note(event, arguments):
    if _noted is not None and event == "open" and str(arguments[0]).endswith(".json"):
        _noted.append(arguments[0])


sys.addaudithook(_note)


@contextmanager
def opened_cards():
    """List the card files that this process, the server in it too, opens meanwhile."""
    global _noted
    _noted = []
    try:
        yield _noted
    finally:
        _noted = None


@pytest.fixture
def client(session, served, png):
    settings = session()
    (settings.folder / "cat.png").write_bytes(png(30, 20))
    return served(create_app(settings))


def get(client, model, tag=None):
    headers = {} if tag is None else {"If-None-Match": tag}
    return client.get(TILE.format(model=model), headers=headers)


def test_a_304_reads_no_card(add_own, client):
    add_own("mine", 2)
    for model in ("fast", "mine"):
        answer = get(client, model)
        assert answer.headers["x-clearzoom-pixels"] == "inferred"
        with opened_cards() as cards:
            assert get(client, model, answer.headers["etag"]).status_code == 304
        assert cards == []


def test_a_model_that_is_added_or_replaced_while_the_server_runs_is_noticed(add_own, client):
    add_own("other", 2)
    assert get(client, "mine").status_code == 400
    with opened_cards() as cards:
        folder = add_own("mine", 2)
        assert get(client, "mine").status_code == 200
    assert str(folder / "mine-x2.json") in cards
    card = folder / "mine-x2.json"
    sound = card.read_bytes()
    card.write_bytes(sound.replace(b'"mine"', b'"yours"'))
    assert get(client, "mine").status_code == 500
    card.write_bytes(sound)
    assert get(client, "mine").status_code == 200
    card.unlink()
    assert get(client, "mine").status_code == 400
