"""Small elements."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement


def leaf(parent: Element, tag: str, text: str | int) -> Element:
    """A new last child that holds text alone."""
    element = SubElement(parent, tag)
    element.text = str(text)
    return element
