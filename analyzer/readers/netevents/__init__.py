"""Read net events.

From ``netevents.xml`` (``netsh wfp show netevents``), and from ``wfpdiag.xml`` and ``wfpdiag.cab`` (``netsh wfp
capture``).

The frames conform to ``frames.NETEVENTS`` and ``frames.NETEVENT_FILTERS``. The file is streamed: memory is bounded by
the number of net events, not by the size of the file. The state that a ``wfpdiag.xml`` holds besides its net events is
``analyzer.readers.wfpstate``'s to read.
"""

from analyzer.readers.netevents.files import read_netevents, read_netevents_blocks, unpack_state
from analyzer.readers.netevents.reader import NetEvents, NetEventsKind

__all__ = ["NetEvents", "NetEventsKind", "read_netevents", "read_netevents_blocks", "unpack_state"]
