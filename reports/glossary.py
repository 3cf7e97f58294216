"""What a report cannot know, and what the field's terms mean: texts for the end of the page, each with its source."""

from __future__ import annotations

from typing import Final

from reports.words import Word

# What no report made from these files can know.
LIMITS: Final[tuple[Word, ...]] = (
    Word(
        "No user and no service in the events",
        "Events 5150 to 5159 name a process id and a program. They name neither the user, nor the token, nor the "
        "service inside a svchost.",
        "REFERENCE 1.2, 5.5",
    ),
    Word(
        "Run-time ids are renumbered",
        "A filter gets a new id whenever rules, profile, network or policy change, and the numbering starts again "
        "at each boot. An equal number alone is no proof that it is the same filter.",
        "REFERENCE 1.5, 12",
    ),
    Word(
        "A state holds what is in force, not the rules",
        "Rules of other profiles, and outgoing allow rules while outgoing traffic is allowed by default, make no "
        "filters. A filter that is not in the state says nothing about the rule store.",
        "REFERENCE 12",
    ),
    Word(
        "Silence is no proof",
        "No event can also mean that auditing was off, that the log was overwritten or cleared, or that the export "
        "left it out. No finding is not a clean bill of health.",
        "REFERENCE 1.6, 8",
    ),
    Word(
        "One event names one filter",
        "Several sublayers may refuse the same packet; the event names one of them. After lifting one block "
        "another may show.",
        "REFERENCE 4.1, 12",
    ),
    Word(
        "Local and remote are worked out",
        "Source and destination are written in different orders by different events and Windows versions. Where "
        "the order stays uncertain, the flow says so.",
        "REFERENCE 1.4, 12",
    ),
    Word(
        "Display names are localized",
        "Names and descriptions of filters depend on the language of Windows and anybody may choose them. They are "
        "shown and never trusted as an identity.",
        "REFERENCE 3.3",
    ),
    Word(
        "Drive letters are not recorded",
        r"Programs are recorded by device path (\device\harddiskvolume3\…). Which drive letter that was is not in "
        r"these files.",
        "REFERENCE 8",
    ),
    Word(
        "Blocks outside these events",
        "Drops of the Hyper-V firewall, of network devices and of other hosts may leave no event 5150 to 5159 here.",
        "REFERENCE 8, 12",
    ),
)

GLOSSARY: Final[tuple[Word, ...]] = (
    Word("Event", "An audit record of the Security log, here 5031 and 5150 to 5159.", "REFERENCE 1.1"),
    Word(
        "Flow",
        "Records with the same computer, program, direction, protocol, addresses, layer and port of the serving "
        "side. The client's changing port is left out.",
        "contract",
    ),
    Word(
        "Drop, block",
        "A drop (5152, 5153) is one packet; a block (5157 and others) is a connection, a listen or a bind. They "
        "are counted apart.",
        "README, grades",
    ),
    Word(
        "Attempt",
        "One refused try. Windows retries and logs the same refusal several times; attempts fold these.",
        "REFERENCE 12",
    ),
    Word(
        "WFP",
        "Windows Filtering Platform: the part of Windows that the firewall and other products put filters into.",
        "REFERENCE 4",
    ),
    Word(
        "Filter",
        "A condition and an action inside WFP. One firewall rule makes several filters.",
        "README, grades",
    ),
    Word(
        "Run-time id",
        "The number of a filter since it was added; events name filters by it. It changes often.",
        "REFERENCE 1.5",
    ),
    Word(
        "Layer",
        "The place in the network stack where a filter is asked: bind, listen, connect, receive/accept, transport.",
        "REFERENCE 4.1",
    ),
    Word(
        "Sublayer",
        "A group of filters inside a layer. Every sublayer decides for itself, and one that blocks is enough.",
        "REFERENCE 4.1",
    ),
    Word(
        "Effective weight",
        "The order inside a sublayer: the filter with the greatest weight that matches is asked first.",
        "REFERENCE 4.1",
    ),
    Word(
        "Terminating filter",
        "The filter that decided in its sublayer; those of less weight were not asked.",
        "README, grades",
    ),
    Word("Provider", "Who a filter says it belongs to. Some makers leave it empty.", "REFERENCE 3.1"),
    Word(
        "Origin",
        "What the platform itself says a filter came from: a rule's id or the name of a default. Windows 11 and "
        "Server 2022 write it into events and states.",
        "REFERENCE 2",
    ),
    Word("Default block", "No rule matched, so the profile's default decided.", "README, grades"),
    Word(
        "Service SID",
        "The identity of a service (S-1-5-80-…), computed from its short name. A rule for a service matches only a "
        "connection whose token carries it.",
        "REFERENCE 5.1, 5.3",
    ),
    Word("State", "The filters in force at one moment, written by netsh wfp show state.", "REFERENCE 9"),
)
