"""What was written, as text that readers' values can be held against."""

from __future__ import annotations

from samples.evtxwriter import filetime
from samples.evtxwriter.shapes import shape

UNIX = 116_444_736_000_000_000  # FILETIME of 1970


def nanoseconds(record) -> int:
    return (filetime(record.time) - UNIX) * 100


def same(kind: str, value, text: str) -> bool:
    """Whether a reader's text is this value."""
    if value is None:
        return text in ("", "-")
    if kind in ("u8", "u16", "u32", "u64"):
        return int(text) == value
    if kind in ("hex32", "hex64"):
        return int(text, 16) == value
    if kind == "guid":
        return text.strip("{}").lower() == value.strip("{}").lower()
    if kind == "filetime":
        return text[:4].isdigit()
    return text == value


def check(record, row, slack: int) -> None:
    """Assert that a reader's row says what the record says."""
    form = record.shape or shape(record.event_id, record.version, record.variant)
    assert row.record_id == record.record_id
    assert abs(nanoseconds(record) - row.time) <= slack
    system = {
        "EventID": record.event_id,
        "Version": record.version,
        "Level": form.level,
        "Task": form.task,
        "Opcode": 0,
        "ProcessID": record.process_id,
        "ThreadID": record.thread_id,
    }
    assert {name: int(row.system[name]) for name in system} == system
    assert int(row.system["Keywords"], 16) == form.keywords
    assert row.system["Provider"] == form.provider.name
    assert row.system["Guid"] == form.provider.guid.strip("{}")
    assert (row.system["Channel"], row.system["Computer"]) == (record.channel, record.computer)
    assert row.system["ActivityID"] == (record.activity or "").strip("{}").lower()
    assert list(row.fields) == [name for name, _ in form.fields]
    for name, kind in form.fields:
        assert same(kind, record.fields.get(name), row.fields[name]), (name, record.fields.get(name), row.fields[name])
