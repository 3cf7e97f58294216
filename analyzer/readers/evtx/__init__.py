"""The EVTX reader: a binary Windows event log in, one frame per event table and a list of losses out.

The way of the bytes, one module per step::

    container   file -> 64 KiB chunks, found by their magic, whatever the file header counts
    chunk       chunk -> records, found by magic, size and size copy; resumes behind damage
    guard       template definition -> checked, bounded, with a signature that is equal across chunks
    shape       checked definition -> which substitution is which field (python-evtx reads it, once per signature)
    fragment    record -> shape and typed values (also the nested fragments of the Security channel)
    values      typed value -> text, number, time
    plan        shape -> where System and EventData fields come from
    record      one record -> System fields and a row
    rows        rows -> frames
    health      what is seen over all records: span, computers, channels, gaps
    problems    what could not be read
    reader      the loop over all of it
"""

from __future__ import annotations

from analyzer.readers.evtx.log import EvtxLog
from analyzer.readers.evtx.reader import read_evtx

__all__ = ["EvtxLog", "read_evtx"]
