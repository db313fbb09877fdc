"""Styles of paper by name: rulings, inks and pages, as the fields of `Paper` that they set."""

from typing import Any

from ecgmae_jax.errors import InputError
from ecgmae_jax.rendering.paper import Paper

_DOTS = {"minor_dotted": True, "minor_line_mm": 0.3, "major_line_mm": 0.2}

# Paper, small squares, large squares: read off scans and prints of several makes.
_COLOURS = {
    "pink": ((255, 240, 245), (250, 200, 220), (240, 140, 180)),
    "orange": ((255, 246, 236), (247, 202, 160), (233, 146, 86)),
    "green": ((240, 250, 240), (176, 216, 182), (104, 172, 120)),
    "blue": ((245, 249, 254), (186, 208, 232), (120, 158, 206)),
    "grey": ((252, 252, 252), (212, 212, 212), (160, 160, 160)),
    "brown": ((250, 244, 234), (222, 192, 168), (184, 138, 108)),
}
_RULED = {
    name: {"paper_colour": paper, "minor_colour": minor, "major_colour": major}
    for name, (paper, minor, major) in _COLOURS.items()
}
_BLANK = {"minor_line_mm": 0.0, "major_line_mm": 0.0}

STYLES: dict[str, dict[str, Any]] = {
    "red": {},
    **_RULED,
    "red dotted": _DOTS,
    "orange dotted": {**_RULED["orange"], **_DOTS},
    "grey dotted": {**_RULED["grey"], **_DOTS},
    "red large squares": {"minor_line_mm": 0.0, "major_line_mm": 0.2},
    "grey large squares": {**_RULED["grey"], "minor_line_mm": 0.0, "major_line_mm": 0.2},
    "blank": {**_BLANK, "paper_colour": (255, 255, 255)},
    "blank off-white": {**_BLANK, "paper_colour": (249, 246, 240)},
}

INKS = {
    "black": (26, 24, 32),
    "dark grey": (70, 70, 74),
    "blue": (36, 40, 120),
    "brown": (70, 44, 36),
}

# Width and height in mm; a cut sheet is what a scan cropped to the traces shows.
PAGES = {
    "letter": (279.4, 215.9),
    "letter portrait": (215.9, 279.4),
    "a4": (297.0, 210.0),
    "a4 portrait": (210.0, 297.0),
    "cut": (275.0, 150.0),
}


def styled_paper(style: str = "red", *, page: str = "letter", **settings: Any) -> Paper:
    """Paper of a style and page by name, with `settings` of `Paper` over them.

    Raises:
        InputError: for an unknown name, which lists those there are.
    """
    for name, known in ((style, STYLES), (page, PAGES)):
        if name not in known:
            raise InputError(f"no paper {name!r}: choose one of {', '.join(known)}")
    width_mm, height_mm = PAGES[page]
    return Paper(**{"width_mm": width_mm, "height_mm": height_mm, **STYLES[style], **settings})
