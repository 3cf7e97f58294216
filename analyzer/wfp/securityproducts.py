"""Programs of security products, by file name: what should stay able to reach its maker.

Sources: public lists of the processes of such products (``websec/Security-Software-Process-and-Driver-Names``, the
watch lists of several detection rules); only names that at least two of them give to the same product. A file name
proves nothing: anybody may choose it, so it is a reason to look and no verdict.
"""

from __future__ import annotations

from typing import Final

PRODUCTS: Final[dict[str, str]] = {
    "msmpeng.exe": "Microsoft Defender Antivirus",
    "nissrv.exe": "Microsoft Defender Antivirus",
    "mssense.exe": "Microsoft Defender for Endpoint",
    "senseir.exe": "Microsoft Defender for Endpoint",
    "sensendr.exe": "Microsoft Defender for Endpoint",
    "sensecncproxy.exe": "Microsoft Defender for Endpoint",
    "csfalconservice.exe": "CrowdStrike Falcon",
    "csfalconcontainer.exe": "CrowdStrike Falcon",
    "sentinelagent.exe": "SentinelOne",
    "sentinelservicehost.exe": "SentinelOne",
    "repmgr.exe": "Carbon Black",
    "cylancesvc.exe": "Cylance",
    "cyserver.exe": "Cortex XDR",
    "elastic-agent.exe": "Elastic",
    "elastic-endpoint.exe": "Elastic",
    "savservice.exe": "Sophos",
    "ccsvchst.exe": "Symantec Endpoint Protection",
    "smc.exe": "Symantec Endpoint Protection",
    "avp.exe": "Kaspersky",
    "ekrn.exe": "ESET",
    "ntrtscan.exe": "Trend Micro",
    "tmlisten.exe": "Trend Micro",
    "mfemms.exe": "McAfee / Trellix",
    "mcshield.exe": "McAfee / Trellix",
    "xagt.exe": "Trellix",
}


def product(path: str | None) -> str | None:
    r"""Return the product that a program's file name is known for, or None; the path may have ``\`` or ``/``."""
    return PRODUCTS.get((path or "").replace("/", "\\").rpartition("\\")[2].lower())
