"""Real dumps, written again with other numbers or small changes: what a later policy load would print."""

from __future__ import annotations

import random
import re
import uuid
from copy import deepcopy
from typing import TYPE_CHECKING

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_HEAD = re.compile(rb"^(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*\?>)?")
BUILT_IN = "f" * 16


class Dump:
    """One dump as a tree; a state may have two roots."""

    def __init__(self, data: bytes) -> None:
        self.tree = etree.fromstring(
            b"<all>" + _HEAD.sub(b"", data, count=1) + b"</all>", etree.XMLParser(huge_tree=True)
        )

    @classmethod
    def read(cls, path: Path) -> Dump:
        return cls(path.read_bytes())

    def copy(self) -> Dump:
        other = Dump.__new__(Dump)
        other.tree = deepcopy(self.tree)
        return other

    def data(self) -> bytes:
        head = b'\xef\xbb\xbf<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        return head + b"\n".join(etree.tostring(root) for root in self.tree)

    def write(self, path: Path) -> Path:
        path.write_bytes(self.data())
        return path

    def filters(self) -> Iterator[etree._Element]:
        for holder in self.tree.iter("filters"):
            yield from holder.iterfind("item")

    def find(self, test: Callable[[etree._Element], bool]) -> list[etree._Element]:
        return [item for item in self.filters() if test(item)]

    # ------------------------------------------------------------------------------------- another policy load

    def shuffled(self, seed: int) -> Dump:
        """The same filters under other run-time ids, keys, contexts and rule numbers, in another order."""
        chance = random.Random(seed)
        out = self.copy()
        ids = [item.findtext("filterId") for item in out.filters()]
        fresh = chance.sample(range(200_000, 900_000), len(ids))
        contexts = {e.text: guid(chance) for e in out.tree.iter("providerContextKey") if e.text}
        numbers = {e.text for e in out.tree.iter("data") if e.getparent().tag == "providerData" and e.text != BUILT_IN}
        data = {text: f"{chance.getrandbits(40):016x}" for text in sorted(numbers, key=str)}
        for number, item in zip(fresh, out.filters(), strict=True):
            item.find("filterId").text = str(number)
            item.find("filterKey").text = guid(chance)
            held = item.find("providerData/data")
            if held is not None and held.text != BUILT_IN:
                held.text = data[held.text]
        for element in out.tree.iter("providerContextKey"):
            if element.text:
                element.text = contexts[element.text]
        for holder in [*out.tree.iter("filters"), *out.tree.iter("providerContexts")]:
            items = list(holder)
            chance.shuffle(items)
            holder[:] = items
        for holder in out.tree.iter("filterCondition"):
            items = list(holder)
            chance.shuffle(items)  # alternatives on one field need not stand together for what they mean
            holder[:] = items
        return out

    # -------------------------------------------------------------------------------------------- `show filters`

    def as_show_filters(self, keep: Callable[[etree._Element], bool] = lambda item: True) -> Dump:
        """The filters alone, as ``netsh wfp show filters`` prints them."""
        out = Dump(b"<wfpdiag><filters/></wfpdiag>")
        holder = out.tree.find(".//filters")
        for item in self.filters():
            if keep(item):
                holder.append(deepcopy(item))
        holder.set("numItems", str(len(holder)))
        return out


def guid(chance: random.Random) -> str:
    return "{" + str(uuid.UUID(int=chance.getrandbits(128), version=4)) + "}"


def name(item: etree._Element) -> str:
    return item.findtext("displayData/name") or ""


def layer(item: etree._Element) -> str:
    return item.findtext("layerKey") or ""


def set_action(item: etree._Element, action: str) -> None:
    item.find("action/type").text = f"FWP_ACTION_{action}"


def set_weight(item: etree._Element, number: int) -> None:
    """Another weight class, as given and in force."""
    item.find("weight/uint8").text = str(number)
    held = item.find("effectiveWeight/uint64")
    held.text = str(int(held.text) % 2**60 + (number << 60))


def condition(field: str, match: str, kind: str, tag: str, value: object) -> etree._Element:
    return etree.fromstring(
        f"<item><fieldKey>FWPM_CONDITION_{field}</fieldKey><matchType>FWP_MATCH_{match}</matchType>"
        f"<conditionValue><type>FWP_{kind}</type><{tag}>{value}</{tag}></conditionValue></item>"
    )


def port(number: int, field: str = "IP_LOCAL_PORT") -> etree._Element:
    return condition(field, "EQUAL", "UINT16", "uint16", number)


def set_conditions(item: etree._Element, *conditions: etree._Element) -> None:
    holder = item.find("filterCondition")
    holder[:] = list(conditions)
    holder.set("numItems", str(len(conditions)))


_FRESH = iter(range(7_000_000, 8_000_000))


def clone(item: etree._Element, title: str, data: str) -> etree._Element:
    """A new filter beside another one: of a new rule."""
    out = deepcopy(item)
    number = next(_FRESH)
    out.find("filterId").text = str(number)
    out.find("filterKey").text = guid(random.Random(number))
    out.find("displayData/name").text = title
    held = out.find("providerData/data")
    if held is not None:
        held.text = data
    item.addnext(out)
    return out
