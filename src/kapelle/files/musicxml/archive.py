"""From a stranger's bytes to a tree of XML elements, in bounded time and memory.

The parser runs in this process: expat takes time linear in its input, has no recursion of ours on top, and was
never seen to hang or crash; limits of size, elements and depth bound the rest. Entities are what XML bombs are made
of and no MusicXML file needs them, so a file that declares one is refused before anything expands. A DOCTYPE line is
harmless without them, and most files have one; what it points to is never fetched.
"""

from __future__ import annotations

import contextlib
import io
import zipfile
import zlib
from collections.abc import Sequence
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from ...errors import FileError

MAX_BYTES = 64 * 2**20
MAX_MEMBERS = 1000
MAX_ELEMENTS = 3_000_000
MAX_DEPTH = 50


def parse(data: bytes) -> Element:
    """The root element of a MusicXML file, whether it is packed (.mxl) or plain.

    Raises:
        FileError: if it cannot be unpacked or parsed, or is beyond the limits.
    """
    if data[:4] == b"PK\x03\x04":
        data = _unpack(data)
    return _tree(data)


def _unpack(data: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            if len(names) > MAX_MEMBERS:
                raise FileError(f"a .mxl file holds a few members, this one {len(names)}; it is not read")
            name = _root_file(archive, names)
            return _member(archive, name)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError) as error:
        raise FileError(f"expected a packed MusicXML file (.mxl), but it cannot be unpacked: {_line(error)}") from error


def _root_file(archive: zipfile.ZipFile, names: list[str]) -> str:
    """The member that META-INF/container.xml names, else the first that looks like a score."""
    container = "META-INF/container.xml"
    if container in names:
        # Some programs write a container that is no XML, for example with a bare "&" in the path.
        with contextlib.suppress(FileError):
            for element in _tree(_member(archive, container)).iter():
                path = element.get("full-path")
                if element.tag.endswith("rootfile") and path in names:
                    return path
    for name in names:
        if name.lower().endswith((".xml", ".musicxml")) and not name.startswith("META-INF/"):
            return name
    raise FileError("expected a MusicXML score in the .mxl file, but it holds none")


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    # The size in the directory is the file's own claim; only what comes out counts.
    with archive.open(name) as member:
        content = member.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise FileError(f"a MusicXML score may unpack to {MAX_BYTES >> 20} MB, this one is larger; it is not read")
    return content


class _Limited(TreeBuilder):
    """Builds the tree and counts."""

    def __init__(self) -> None:
        super().__init__()
        self.depth = self.count = 0

    def open(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.count += 1
        if self.depth > MAX_DEPTH or self.count > MAX_ELEMENTS:
            raise FileError(
                f"a MusicXML file may nest {MAX_DEPTH} deep and hold {MAX_ELEMENTS} elements; this one goes beyond"
            )
        self.start(tag, attributes)

    def shut(self, tag: str) -> None:
        self.depth -= 1
        self.end(tag)


def _refuse_entity(*_: object) -> None:
    raise FileError("the XML declares entities, which no score needs and XML bombs are made of; it is not read")


def _tree(data: bytes) -> Element:
    if len(data) > MAX_BYTES:
        raise FileError(f"a MusicXML file may have {MAX_BYTES >> 20} MB, this one has {len(data) >> 20}")
    builder = _Limited()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = builder.open
    parser.EndElementHandler = builder.shut
    parser.CharacterDataHandler = builder.data
    parser.EntityDeclHandler = _refuse_entity
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    try:
        parser.Parse(data, True)
        return builder.close()
    except (expat.ExpatError, LookupError, ValueError, AssertionError) as error:
        raise FileError(f"expected MusicXML, but it is not well-formed XML: {_line(error)}") from error


def _line(error: BaseException) -> str:
    return " ".join(str(part) for part in (error.args if isinstance(error.args, Sequence) else ())).split("\n")[0]
