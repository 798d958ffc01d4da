"""What can be seen: piano rolls of scores, curves of trainings, pages of reports; what can be heard is in `audio`."""

from .curves import CurvePicture, CurvePoint, Limits, draw_curves, limits_of
from .html import Details, Paragraph, Picture, Section, Table, report_page
from .outputs import SUFFIXES, render
from .pen import join_gif
from .roll import to_png, to_svg
from .scatter import map_to_png, map_to_svg
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
    "map_to_png",
    "map_to_svg",
    "render",
    "report_page",
    "sparkline",
    "terminal_curves",
    "to_png",
    "to_svg",
]
