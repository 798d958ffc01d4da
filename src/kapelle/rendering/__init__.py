"""What can be seen: a score as a piano roll, a training as curves, a report as a page. What can be heard is in `audio`."""

from .curves import CurvePicture, CurvePoint, Limits, draw_curves, limits_of
from .html import Details, Paragraph, Picture, Section, Table, report_page
from .outputs import SUFFIXES, render
from .pen import join_gif
from .roll import to_png, to_svg
from .terminal import LEAST_WIDTH, sparkline, terminal_curves

__all__ = [
    "LEAST_WIDTH",
    "SUFFIXES",
    "CurvePicture",
    "CurvePoint",
    "Details",
    "Limits",
    "Paragraph",
    "Picture",
    "Section",
    "Table",
    "draw_curves",
    "join_gif",
    "limits_of",
    "render",
    "report_page",
    "sparkline",
    "terminal_curves",
    "to_png",
    "to_svg",
]
