import time

import pytest

from clearzoom.errors import InputError, UnreadablePictureError
from clearzoom.server.error_answers import RefusedError
from clearzoom.server.gallery.circuit_breaker import CircuitBreaker

SILENT = [ConnectionRefusedError("no"), TimeoutError("late"), RuntimeError("a library's own")]
ANSWERED = [PermissionError("not yours"), OSError(22, "bad request"), None]


def fail(breaker, cause):
    with pytest.raises(RefusedError) as refused, breaker.call():
        raise InputError("cannot read s3://secret/a") from cause
    assert refused.value.status == 503
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("cause", SILENT, ids=repr)
def test_a_store_that_did_not_answer_is_spared_for_a_while(cause, monkeypatch):
    breaker, calls, now = CircuitBreaker(), [], [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    fail(breaker, cause)
    with pytest.raises(RefusedError), breaker.call():
        calls.append(1)
    assert not calls
    now[0] += 10.1
    with breaker.call():
        calls.append(1)
    assert calls


@pytest.mark.parametrize("cause", ANSWERED, ids=repr)
def test_an_error_that_is_an_answer_concerns_one_picture(cause):
    breaker = CircuitBreaker()
    fail(breaker, cause)
    with breaker.call():
        pass


def test_an_error_of_the_picture_is_its_own():
    breaker = CircuitBreaker()
    with pytest.raises(UnreadablePictureError), breaker.call():
        raise UnreadablePictureError("it is damaged")
    with breaker.call():
        pass
