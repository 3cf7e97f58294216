"""Which program is the host of services: svchost.exe by its whole path, never by its name alone."""

from __future__ import annotations

import re
from typing import Final

SVCHOST: Final = re.compile(r"\\device\\harddiskvolume\d+\\windows\\(?:system32|syswow64)\\svchost\.exe", re.IGNORECASE)


def is_svchost(application: object) -> bool:
    """Tell svchost.exe by its whole path: the Windows folder of a volume. Others may carry the same file name."""
    return isinstance(application, str) and SVCHOST.fullmatch(application) is not None
