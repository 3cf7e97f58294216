"""Connections that were open when a state was taken."""

from __future__ import annotations

from core_build import HOST, state

from analyzer import endpoints, states
from analyzer.model import Pairing
from analyzer.pairing import Fit

END = {"protocol": 6, "local_address": "192.0.2.1", "local_port": 50001, "remote_port": 443, "application": "a.exe"}


def test_they_are_listed_by_state_up_to_a_limit():
    book = states.bind([state("a.xml", endpoints=[END] * 150), state("b.xml", endpoints=[END] * 80), state("c.xml")])
    fits = (Fit(Pairing(HOST, "a.xml", None, "yes", (), ()), excluded=False),)
    one, two = endpoints.connections(book, fits)
    assert (one.state, one.computer, one.total, len(one.rows)) == ("a.xml", HOST, 150, 150)
    assert (two.state, two.computer, two.total, len(two.rows)) == ("b.xml", None, 80, 50)
    assert (one.rows[0].local_port, one.rows[0].remote_address, one.rows[0].remote_port) == (50001, None, 443)
