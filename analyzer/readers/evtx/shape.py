"""What a template means: which element or attribute takes which substitution. Read by python-evtx, once each.

python-evtx builds the node tree of the body that ``guard`` has written. It gets it as the only content of a chunk
whose string and template tables are empty: there is no chain to follow and nothing behind to run into.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from Evtx import Nodes
from Evtx.Evtx import ChunkHeader as EvtxChunk

from analyzer.readers.evtx.guard import BODY_AT, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.readers.evtx.guard import Checked

TEMPLATE_HEAD: Final = 24  # next offset, GUID, size of a definition: python-evtx reads the body behind it

Piece = str | int  # constant text, or the index of a substitution
_ENTITIES: Final = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}


@dataclass(frozen=True, slots=True)
class Leaf:
    """One place of a fragment that takes text.

    ``path`` are the local names from the root element down; ``attribute`` is None for the element's own text;
    ``label`` are the pieces of the element's ``Name`` attribute (EventData calls its fields so).
    """

    path: tuple[str, ...]
    attribute: str | None
    label: tuple[Piece, ...]
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A template as a list of leaves in document order; compared by identity, since a file has one per template."""

    leaves: tuple[Leaf, ...]


def read_shape(checked: Checked) -> Shape:
    """Let python-evtx read a definition that has passed the guard.

    Raises
    ------
    RefusedError
        When python-evtx fails, or understands other substitutions than the guard did.
    """
    try:
        root = _root(checked)
        leaves: list[Leaf] = []
        for node in root:
            leaves.extend(_leaves(node, ()))
        found = [node.index() for node in _substitutions(root)]
    except RefusedError:
        raise
    except Exception as error:  # whatever python-evtx meets in hostile bytes costs this template only
        raise RefusedError(f"python-evtx cannot read it ({type(error).__name__})") from error
    if found != list(checked.substitutions):
        raise RefusedError("two readings of it differ")
    return Shape(tuple(leaves))


def _root(checked: Checked) -> list[Any]:
    """Return python-evtx's nodes of the fragment."""
    buffer = bytes(BODY_AT) + checked.body
    chunk = EvtxChunk(buffer, 0)
    return list(Nodes.TemplateNode(buffer, BODY_AT - TEMPLATE_HEAD, chunk, chunk).children())


def _is_element(node: Any) -> bool:
    return isinstance(node, Nodes.OpenStartElementNode)


def _substitutions(nodes: list[Any]) -> Iterator[Any]:
    for node in nodes:
        if isinstance(node, (Nodes.NormalSubstitutionNode, Nodes.ConditionalSubstitutionNode)):
            yield node
        elif isinstance(node, (Nodes.OpenStartElementNode, Nodes.AttributeNode)):
            yield from _substitutions(node.children())


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _leaves(node: Any, above: tuple[str, ...]) -> Iterator[Leaf]:
    """Yield the leaves of an element and of what is inside it."""
    if not _is_element(node):
        return
    path = (*above, _local(node.tag_name()))
    attributes: list[tuple[str, list[Piece]]] = []
    text: list[Piece] = []
    inner: list[Any] = []
    in_tag = True
    for child in node.children():
        if isinstance(child, Nodes.AttributeNode):
            attributes.append((_local(child.attribute_name().string()), _pieces(child.children())))
        elif isinstance(child, (Nodes.CloseStartElementNode, Nodes.CloseEmptyElementNode)):
            in_tag = False
        elif _is_element(child):
            inner.append(child)
        elif in_tag and attributes:
            # python-evtx gives an attribute one child; the rest of its value follows as children of the element
            attributes[-1][1].extend(_pieces([child]))
        else:
            text.extend(_pieces([child]))
    label = next((tuple(value) for name, value in attributes if name == "Name"), ())
    for name, value in attributes:
        yield Leaf(path, name, (), tuple(value))
    if text:
        yield Leaf(path, None, label, _join(text))
    for child in inner:
        yield from _leaves(child, path)


def _join(pieces: list[Piece]) -> tuple[Piece, ...]:
    return () if all(isinstance(piece, str) and not piece.strip() for piece in pieces) else tuple(pieces)


def _pieces(nodes: list[Any]) -> list[Piece]:
    """Return the text and substitutions of value nodes, in order."""
    out: list[Piece] = []
    for node in nodes:
        if isinstance(node, (Nodes.NormalSubstitutionNode, Nodes.ConditionalSubstitutionNode)):
            out.append(int(node.index()))
        elif isinstance(node, Nodes.ValueNode):
            out.append(_constant(node))
        elif isinstance(node, Nodes.CharacterReferenceNode):
            out.append(chr(node.entity()))
        elif isinstance(node, Nodes.EntityReferenceNode):
            name = node.entity_reference()[1:-1]
            out.append(_ENTITIES.get(name, f"&{name};"))
    return out


def _constant(node: Any) -> str:
    """Return a constant; decoded here, since python-evtx fails at a lone surrogate."""
    at = node.offset() + node.tag_length()
    buffer: bytes = node._buf  # noqa: SLF001 - python-evtx has no other way to a node's bytes
    (count,) = struct.unpack_from("<H", buffer, at)
    return buffer[at + 2 : at + 2 + 2 * count].decode("utf-16-le", "replace").rstrip("\0")
