"""The filter engine on random distinct flows: seconds of its steps, and the peak of memory of this process.

``python -m benchmarks.engine STATE [--flows 2000 100000]``. Layers come in the proportions of the public audit events,
programs are those that the state's filters name and as many others, ports are half well-known ones; a tenth of the
flows has a net event beside it, so that its token is known in part. Equal arguments give equal flows.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import numpy as np

from analyzer.engine.addresses import Addresses
from analyzer.engine.arbitrate import BLOCK, PERMIT, decide
from analyzer.engine.flows import INBOUND, OUTBOUND, UNKNOWN, FlowArrays, Texts
from analyzer.engine.folding import distinct
from analyzer.engine.policy import compile_policy
from analyzer.engine.tokens import UNKNOWN_TOKEN, Token
from analyzer.readers.wfpstate import WfpState, read_state
from analyzer.states import bind
from analyzer.wfp import sids

# Events by layer in the public JSON events that the tests read (24,790 of them).
LAYERS = {
    "ALE_RESOURCE_ASSIGNMENT_V4": 8098,
    "ALE_AUTH_CONNECT_V4": 7493,
    "ALE_RESOURCE_ASSIGNMENT_V6": 2449,
    "ALE_AUTH_RECV_ACCEPT_V4": 1512,
    "ALE_AUTH_LISTEN_V6": 1494,
    "ALE_AUTH_LISTEN_V4": 1382,
    "ALE_AUTH_CONNECT_V6": 1212,
    "ALE_AUTH_RECV_ACCEPT_V6": 942,
    "INBOUND_ICMP_ERROR_V4": 99,
    "INBOUND_TRANSPORT_V4_DISCARD": 64,
    "OUTBOUND_ICMP_ERROR_V4": 45,
}
PROTOCOLS = {6: 16223, 17: 8355, 58: 106, 1: 90, 2: 16}
PORTS = (53, 67, 68, 80, 135, 137, 138, 139, 389, 443, 445, 500, 546, 1900, 3389, 3540, 5353, 5355, 5985, 7680)
TOKENS = (
    UNKNOWN_TOKEN,
    Token(user="S-1-5-18", package=sids.NULL_SID),
    Token(user="S-1-5-20", package=sids.NULL_SID),
    Token(user="S-1-5-21-1-2-3-1001", package=sids.NULL_SID, own=-1),
)


def random_flows(state: WfpState, count: int, seed: int = 1) -> FlowArrays:
    """Make flows; nearly all of them are distinct."""
    random = np.random.default_rng(seed)
    layers = tuple(LAYERS)
    layer = random.choice(len(layers), size=count, p=_shares(LAYERS))
    six = np.array([name.endswith("6") or "V6_" in name for name in layers])[layer]
    inbound = np.array(["RECV" in name or name.startswith("IN") for name in layers])[layer]
    going_out = np.array(["CONNECT" in name or name.startswith("OUT") for name in layers])[layer]
    named = state.conditions.loc[state.conditions["field"] == "ALE_APP_ID", "value"].dropna().unique()
    programs = [*map(str, named), *(rf"\device\harddiskvolume3\apps\{n}\app.exe" for n in range(len(named)))]
    local = _addresses(random, six, 50, count)
    known = random.random(count) < 0.1
    loopback = random.random(count) < 0.05
    token = np.where(known, random.integers(1, len(TOKENS), count), 0).astype(np.int32)
    direction = np.where(inbound, INBOUND, np.where(going_out, OUTBOUND, UNKNOWN)).astype(np.int8)
    return FlowArrays(
        layer=Texts(layer.astype(np.int32), {name: code for code, name in enumerate(layers)}),
        application=Texts(
            random.integers(0, len(programs), count).astype(np.int32),
            {name: code for code, name in enumerate(dict.fromkeys(programs))},
        ),
        protocol=random.choice(list(PROTOCOLS), size=count, p=_shares(PROTOCOLS)).astype(np.int64),
        direction=direction,
        local=local,
        remote=_addresses(random, six, 5_000, count),
        local_port=_ports(random, count),
        remote_port=_ports(random, count),
        order_certain=random.random(count) < 0.99,
        flags_set=np.where(loopback, 1, 0).astype(np.uint32),
        flags_clear=np.where(loopback, 0, 0xC00001).astype(np.uint32),
        original_profile=np.where(known, random.integers(1, 4, count), UNKNOWN),
        current_profile=np.where(known, random.integers(1, 4, count), UNKNOWN),
        interface_index=np.where(known, random.integers(1, 20, count), UNKNOWN),
        interface_luid=np.where(known, 6 << 48, 0).astype(np.uint64),
        package=Texts(np.where(known, 0, -1).astype(np.int32), {sids.NULL_SID: 0}),
        token=token,
        tokens=TOKENS,
        ether_type=np.full(count, UNKNOWN),
        source_mac=np.full(count, UNKNOWN),
        destination_mac=np.full(count, UNKNOWN),
    )


def _shares(counts: dict) -> np.ndarray:
    shares = np.array(list(counts.values()), dtype=float)
    return shares / shares.sum()


def _addresses(random: np.random.Generator, six: np.ndarray, distinct_ones: int, count: int) -> Addresses:
    number = random.integers(1, distinct_ones, count).astype(np.uint64)
    high = np.where(six, np.uint64(0xFE80 << 48), np.uint64(0)).astype(np.uint64)
    low = np.where(six, number, np.uint64(10 << 24) + number).astype(np.uint64)
    return Addresses(np.where(six, 6, 4).astype(np.int8), high, low)


def _ports(random: np.random.Generator, count: int) -> np.ndarray:
    known = random.choice(PORTS, size=count)
    return np.where(random.random(count) < 0.5, known, random.integers(1024, 65536, count)).astype(np.int64)


def peak() -> int:
    """Return the greatest memory that this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """Measure and print one line per number of flows."""
    parser = argparse.ArgumentParser()
    parser.add_argument("state", type=Path)
    parser.add_argument("--flows", type=int, nargs="+", default=[2_000, 100_000])
    arguments = parser.parse_args()
    state = read_state(arguments.state, arguments.state.name)
    book = bind([(arguments.state.name, state)])
    print("| flows | distinct | compile | fold | decide | blocked | permitted | cannot tell | peak |")
    print("|---|---|---|---|---|---|---|---|---|")
    for count in arguments.flows:
        flows = random_flows(state, count)
        begun = time.perf_counter()
        policy = compile_policy(book.filters, book.tests, callouts=state.callouts)
        compiled = time.perf_counter()
        once, _ = distinct(flows)
        folded = time.perf_counter()
        result = decide(policy, once)
        done = time.perf_counter()
        blocked, passed = int((result.decision == BLOCK).sum()), int((result.decision == PERMIT).sum())
        print(
            f"| {count:,} | {len(once):,} | {compiled - begun:.2f} s | {folded - compiled:.2f} s "
            f"| {done - folded:.2f} s | {blocked:,} | {passed:,} | {len(once) - blocked - passed:,} "
            f"| {peak() / 2**20:.0f} MiB |"
        )


if __name__ == "__main__":
    main()
