"""Writes Windows event logs (.evtx) that hold audit events.

``write_log(target, records)`` with ``Record`` objects is the whole interface; ``shapes.SHAPES`` lists the events.
"""

from samples.evtxwriter.log import Record, write_log
from samples.evtxwriter.shapes import SHAPES, Provider, Shape
from samples.evtxwriter.values import filetime

__all__ = ["SHAPES", "Provider", "Record", "Shape", "filetime", "write_log"]
