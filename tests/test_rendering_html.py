"""The report page: laws of escaping, of standing alone, and of what its parts become."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapelle.rendering import CurvePoint, draw_curves, join_gif
from kapelle.rendering.html import Details, Paragraph, Picture, Section, Table, report_page

CURVES = draw_curves([CurvePoint(1, 60, 2.5, 2.6, 0.3, 0.29, 1e-3, 0.8)], "folk & co")
VOID = {"meta", "img"}
nasty = st.text() | st.sampled_from(["<script>alert(1)</script>", '"><b onload="x"', "&amp;", "</style>", "\ud800\x00"])


class Reader(HTMLParser):
    """What a browser would make of a page: its elements and its texts; fails on elements that are not closed."""

    def __init__(self, page):
        super().__init__()
        self.open, self.elements, self.texts = [], [], []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))

    def told(self, tag):
        return [text for place, text in self.texts if place == tag]


def shown(text):
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text)


@given(*[nasty] * 8)
def test_every_text_is_escaped_and_said_as_it_is(title, heading, words, head, cell, caption, alt, summary):
    parts = [
        Paragraph(words),
        Table([head], [[cell]], caption),
        Picture(CURVES.png, alt, caption),
        Details(summary, [Paragraph(words)]),
    ]
    page = report_page(title, [Section(heading, parts)])
    page.encode("utf-8")
    reader = Reader(page)
    tags = "html meta meta meta title style h1 section h2 p div table caption thead tr th tbody tr td figure div img"
    tags += " figcaption details summary p"
    wanted = [tag for tag in tags.split() if caption or tag not in ("caption", "figcaption")]
    assert [tag for tag, _ in reader.elements] == wanted
    for tag, text in (("h1", title), ("h2", heading), ("th", head), ("td", cell), ("summary", summary)):
        assert reader.told(tag) == ([shown(text)] if text else [])
    assert reader.told("p") == [shown(words)] * 2 * bool(words)
    images = [attributes for tag, attributes in reader.elements if tag == "img"]
    assert [image["alt"] for image in images] == [shown(alt)]


def test_a_page_needs_no_script_and_nothing_from_outside():
    parts = [Picture(CURVES.svg, "curves"), Picture(CURVES.png, "curves"), Picture(join_gif([CURVES.png]), "growing")]
    page = report_page("Folk", [Section("Curves", parts)])
    reader = Reader(page)
    assert "script" not in {tag for tag, _ in reader.elements}
    for _, attributes in reader.elements:
        assert not [name for name in attributes if name.startswith("on") or name in ("href", "xlink:href")]
        assert attributes.get("src", "data:image/").startswith("data:image/")
    assert set(re.findall(r"\w+://[^\"'\s]*", page)) == {"http://www.w3.org/2000/svg"}
    assert "@import" not in page
    assert "url(" not in page
    policy = next(a["content"] for _, a in reader.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")
    assert "script" not in policy


def test_pictures_stand_in_the_page_byte_for_byte():
    gif = join_gif([CURVES.png])
    page = report_page("Folk", [Section("", [Picture(CURVES.png, "a"), Picture(gif, "b"), Picture(CURVES.svg, "c")])])
    inside = re.findall(r'src="data:image/(\w+);base64,([^"]*)"', page)
    assert [(kind, base64.b64decode(data)) for kind, data in inside] == [("png", CURVES.png), ("gif", gif)]
    assert CURVES.svg in page
    assert 'role="img" aria-label="c"' in page


def test_a_page_is_for_light_dark_phone_and_paper():
    page = report_page("Folk", [])
    for word in ("prefers-color-scheme: dark", "color-scheme: light dark", "@media print", "width=device-width"):
        assert word in page


@pytest.mark.parametrize("cell", ["1.32", "-3", "−3", "61 %", "14 min", "182,344", "1e-5"])
def test_a_column_of_numbers_stands_to_the_right(cell):
    page = report_page("", [Section("", [Table(["a", "b"], [["name", cell], ["other", "–"], ["third", ""]])])])
    assert f'<td>name</td><td class="number">{cell}</td>' in page
    assert '<th scope="col" class="number">b</th>' in page


@pytest.mark.parametrize("cell", ["folk", "1 long word-like name", "op. 9", "", "–"])
def test_a_column_of_words_stands_to_the_left(cell):
    assert 'class="number"' not in report_page("", [Section("", [Table(["b"], [[cell]])])])


def test_equal_parts_give_equal_pages():
    sections = [Section("Curves", [Picture(CURVES.svg, "curves"), Table(["a"], [["1"]])])]
    assert report_page("Folk", sections) == report_page("Folk", list(sections))


def test_what_is_no_picture_and_a_ragged_table_are_refused():
    with pytest.raises(ValueError, match="SVG document"):
        Picture("<script>", "no")
    with pytest.raises(ValueError, match="PNG or GIF"):
        Picture(b"MThd", "no")
    with pytest.raises(ValueError, match="2 cells, got 1"):
        Table(["a", "b"], [["1"]])
