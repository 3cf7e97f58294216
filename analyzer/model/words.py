"""The words of the result: keys of an event line, and the value sets of the contract."""

from __future__ import annotations

from typing import Final, Literal

SCHEMA_VERSION: Final = 1
# Keys of one event line, in order (`reports/schemas/events.schema.json`).
EVENT_KEYS: Final = (
    "event_id",
    "version",
    "record_id",
    "time",
    "computer",
    "input",
    "source",
    "action",
    "direction",
    "application",
    "process_id",
    "protocol",
    "local_address",
    "local_port",
    "remote_address",
    "remote_port",
    "icmp_type",
    "icmp_code",
    "source_mac",
    "destination_mac",
    "ether_type",
    "endpoint_order",
    "layer_id",
    "layer",
    "filter_rtid",
    "event_origin",
    "kind",
    "grade",
    "reasons",
    "filter",
    "services",
    "services_source",
    "user_sid",
    "user_source",
)
Kind = Literal[
    "default-outbound",
    "default-inbound",
    "explicit-rule",
    "service-hardening",
    "stealth",
    "quarantine",
    "boot-time",
    "app-isolation",
    "appcontainer-loopback",
    "windows-component",
    "third-party",
    "other-wfp",
    "callout",
    "ipsec",
    "no-filter",
    "unresolved",
]
Grade = Literal["event", "origin", "netevent", "snapshot", "history", "id-only", "contradicted", "none"]
Action = Literal["block", "drop", "permit"]
Severity = Literal["high", "medium", "low", "info"]
Confidence = Literal["proven", "likely", "possible", "not-this"]
ServiceResult = Literal["near-miss-token", "near-miss-other", "matched", "cannot-tell", "no-rule", "not-seen"]
ProblemSeverity = Literal["lost", "doubtful", "note"]
StateFits = Literal["yes", "no", "unknown"]
Recorded = Literal["yes", "no", "unknown"]  # whether blocks would be in the logs if there had been any
Switch = Literal["on", "off", "unknown"]
KindEvidence = Literal["origin", "key", "shape", "name"]
