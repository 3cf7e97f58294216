"""Names that tell nothing of a person or a machine, and names that are words of the language besides.

The first stay as they are. The second are hidden where their place shows that they are meant (a profile's folder, an
account, a column of computers), and left alone in running text: a user called "system" must not change every word.
"""

from __future__ import annotations

from typing import Final

# Accounts and profile folders that every Windows has. Sources: REFERENCE Appendix D; Microsoft, "Local accounts" and
# "Default user profiles"; `defaultuser0` is the account of the first start.
FOLDERS: Final = frozenset(
    {
        *("administrator", "guest", "defaultaccount", "wdagutilityaccount", "defaultuser0", "defaultuser1"),
        *("public", "default", "default user", "all users", "temp"),
        *("defaultapppool", "classic .net apppool", ".net v4.5", ".net v4.5 classic"),
    }
)
# Accounts that every machine and domain has; the others below are those of the system, which have no domain.
EVERYWHERE: Final = frozenset({"administrator", "guest", "defaultaccount", "wdagutilityaccount", "krbtgt", "-", ""})
ACCOUNTS: Final = (
    FOLDERS
    | EVERYWHERE
    | {
        *(
            "system",
            "local system",
            "localsystem",
            "local service",
            "localservice",
            "network service",
            "networkservice",
        ),
        *("systemprofile", "anonymous logon", "iusr", "everyone", "interactive"),
    }
)

# What stands before the backslash of accounts of the system, in the languages that were seen; a SID decides where there
# is one.
AUTHORITIES: Final = frozenset(
    {
        *("nt authority", "nt service", "nt virtual machine", "builtin", "iis apppool", "window manager"),
        *("font driver host", "application package authority", "nt task", "restricted services"),
        *("autorite nt", "autorité nt", "nt-autorität", "vordefiniert", "nt-instans", "nt-myndighet", "autoridad nt"),
        *("autoridade nt", "zarządzanie nt"),
    }
)
# What stands before the backslash of persons, and is no domain of anybody's.
COMMON_REALMS: Final = frozenset({"azuread", "microsoftaccount", "workgroup", "arbeitsgruppe", "mshome"})

# Names before a share that are no machine of the case.
NO_HOSTS: Final = frozenset({"localhost", "tsclient", "wsl$", "wsl.localhost", "device", "globalroot", "?", ".", ".."})

SHORTEST: Final = 3  # letters of a name that is looked for in running text; two in scripts from U+2E80 on

# Words that reports, rule names and paths are full of; the words of the labels are among them.
WORDS: Final = frozenset(
    {
        *("user", "users", "host", "hosts", "domain", "private", "public", "mac", "sid", "net"),
        *("system", "windows", "service", "services", "local", "network", "remote", "default", "admin", "root"),
        *("administrator", "guest", "owner", "home", "work", "office", "test", "tests", "temp", "tmp"),
        *("device", "volume", "data", "program", "programs", "files", "file", "filter", "filters", "rule", "rules"),
        *(
            "block",
            "blocks",
            "appdata",
            "roaming",
            "bin",
            "lib",
            "common",
            "share",
            "shared",
            "system32",
            "programdata",
        ),
        *("drop", "drops", "permit", "permits", "allow", "allowed", "deny", "kind", "grade", "event", "events"),
        *("state", "log", "logs", "record", "records", "layer", "origin", "name", "names", "action", "direction"),
        *("inbound", "outbound", "forward", "connect", "listen", "bind", "port", "ports", "protocol", "address"),
        *("addresses", "connection", "connections", "packet", "packets", "firewall", "profile", "profiles"),
        *("policy", "group", "security", "audit", "server", "client", "desktop", "laptop", "computer", "machine"),
        *("router", "gateway", "printer", "print", "mail", "web", "www", "dns", "dhcp", "smb", "ldap", "proxy"),
        *("vpn", "tcp", "udp", "icmp", "ipv4", "ipv6", "ipsec", "http", "https", "svchost", "exe", "dll", "com"),
        *("microsoft", "app", "apps", "update", "updates", "backup", "info", "support", "help", "helpdesk"),
        *("install", "installer", "setup", "scan", "scanner", "monitor", "monitoring", "agent", "manager", "page"),
        *("chrome", "firefox", "edge", "steam", "docker", "oracle", "postgres", "mysql", "jenkins", "git", "case"),
        *("sql", "sqlserver", "teams", "zoom", "skype", "onedrive", "java", "report", "html", "json", "xml"),
        *("the", "and", "for", "not", "none", "all", "any", "other", "this", "that", "was", "were", "has", "had"),
        *("with", "without", "from", "into", "what", "which", "when", "where", "how", "one", "two", "out", "off"),
        *("can", "its", "his", "her", "are", "but", "new", "old", "now", "then", "than", "too", "who", "why"),
        *("true", "false", "yes", "null", "unknown", "error", "lost", "note", "doubtful", "high", "low", "medium"),
        *("stealth", "quarantine", "hardening", "callout", "snapshot", "history", "boot", "isolation", "component"),
        *("lan", "wan", "wlan", "wifi", "corp", "intranet", "internal", "localdomain", "internet"),
    }
)

# Names of persons that are words, too: in running text they are hidden unless they are written in small letters.
PERSONS: Final = frozenset(
    {
        *("will", "mark", "bill", "rich", "grant", "max", "art", "ray", "may", "june", "april", "hope", "frank"),
        *("rob", "pat", "sue", "drew", "grace", "rose", "dean", "guy", "jack", "chase", "bob", "don", "gene"),
        *("joy", "faith", "dawn", "pierce", "wade", "miles", "carol", "eve", "iris", "ivy", "lance", "nick"),
    }
)


# Capitals that stand in reports by themselves: a machine called so is hidden in its column only.
CAPITALS: Final = frozenset(
    {
        *("TCP", "UDP", "ICMP", "IP", "IPV4", "IPV6", "IPSEC", "DNS", "DHCP", "SMB", "UTC", "SID", "GUID", "RID", "ID"),
        *("WFP", "ALE", "NT", "SYSTEM", "LOCAL", "NETWORK", "SERVICE", "AUTHORITY", "BUILTIN", "XML", "JSON", "HTML"),
        *("CSV", "EVTX", "ZIP", "CAB", "BLOCK", "PERMIT", "DROP", "FILTER", "EQUAL", "RANGE", "FLAGS"),
        *("WINDOWS", "MICROSOFT", "DEFAULT", "ALL", "NOT", "OR", "AND", "A", "I", "IT", "OK", "MB", "AM", "PM"),
    }
)


def is_word(name: str) -> bool:
    """Tell a name that is looked for only where its place shows that it is meant."""
    folded = name.casefold()
    shortest = SHORTEST - any(char >= "\u2e80" for char in folded)
    return len(folded) < shortest or folded in WORDS or not any(char.isalpha() for char in folded)


def is_capital(name: str) -> bool:
    """Tell a name of a machine or domain that is a word, but is written in capitals: as such it is looked for."""
    return is_word(name) and len(name) > 1 and name.isupper() and name not in CAPITALS
