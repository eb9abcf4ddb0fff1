"""Threads that wait sleep, unless a person has said otherwise."""

import os

import pytest

from clearzoom.cli.threads import wait_asleep


@pytest.mark.parametrize(("before", "after"), [(None, "passive"), ("active", "active")])
def test_openmp_waits_asleep_unless_it_is_told_otherwise(monkeypatch, before, after):
    monkeypatch.setattr(os, "environ", {} if before is None else {"OMP_WAIT_POLICY": before})
    wait_asleep()
    assert os.environ["OMP_WAIT_POLICY"] == after
