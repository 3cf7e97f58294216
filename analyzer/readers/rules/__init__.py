"""Read exported rule stores: the registry's keys (``reg export``) and PowerShell's lists (JSON or CSV)."""

from analyzer.readers.rules.export import RuleExport, read_rules, read_rules_bytes, sniff

__all__ = ["RuleExport", "read_rules", "read_rules_bytes", "sniff"]
