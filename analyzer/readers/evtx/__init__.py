"""The EVTX reader: a binary Windows event log in, one frame per event table and a list of losses out.

Two ways lead to the same result. The *careful way* reads record by record in Python; it reads everything::

    container   file -> 64 KiB chunks, found by their magic, whatever the file header counts
    chunk       chunk -> records, found by magic, size and size copy; resumes behind damage
    guard       template definition -> checked, bounded, with a signature that is equal across chunks
    shape       checked definition -> which substitution is which field (python-evtx reads it, once per signature)
    fragment    record -> shape and typed values (also the nested fragments of the Security channel)
    values      typed value -> text, number, time
    plan        shape -> where System and EventData fields come from
    record      one record -> System fields and a row
    rows        named fields -> the cells of a row
    careful     the loop over the records of a chunk

The way of *columns* reads all records of many chunks at once with numpy, and leaves to the careful way whatever is
not plainly as it should be: a chunk, or a single record::

    columnar    file -> results of its blocks in file order, whoever has read them
    cut         file -> blocks of chunks, and how one is fetched
    walk        chunks -> offsets of all records, in lockstep
    templates   definitions -> templates, compared with patterns of definitions that ``guard`` has walked
    instances   fragments -> template, and offset, size and type of each value
    system      System fields of all records
    fieldplan   event and templates -> which value goes to which column
    eventfields values of the events that are read -> placed in rows and columns
    cells       placed values -> columns of a table
    dictionary  equal bytes -> one code, each distinct value is decoded once
    numerals    values -> numbers
    gather      many small pieces of a block at once
    mixed       rows of the careful way among those of columns
    block       all of it for one block

Large logs are read by two processes, each taking the next block when it is free::

    helper      the second process as the first one sees it: started, asked, ended; never needed
    worker      what runs in it
    parcel      result of a block -> bytes on a socket -> result

Both end in the same place::

    columns     columns of a file, block by block -> frames
    health      what is seen over all records: span, computers, channels, gaps, repeats, the clock
    problems    what could not be read
    reader      chooses the way, and notices a file that changes meanwhile
"""

from __future__ import annotations

from analyzer.readers.evtx.log import EvtxLog
from analyzer.readers.evtx.reader import read_evtx

__all__ = ["EvtxLog", "read_evtx"]
