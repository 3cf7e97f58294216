"""What the groups of background filters share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from samples.machine import MAX

if TYPE_CHECKING:
    from samples.state import Weight


VERSIONS: Final = ("V4", "V6")
MAXIMUM: Final[Weight] = ("UINT64", MAX)
SVCHOST: Final = "\\device\\harddiskvolume3\\windows\\system32\\svchost.exe"
Ids = dict[str, int]
