"""Random sheets: the variety of machines, settings and papers that a cohort of scans shows."""

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np

from ecgmae_jax.rendering.layouts import CHEST_LEADS, Field, Layout, layout_named
from ecgmae_jax.rendering.marks import Marks, pulse_room_mm
from ecgmae_jax.rendering.paper import Colour, Paper
from ecgmae_jax.rendering.placing import whole_squares
from ecgmae_jax.rendering.printed_words import random_header
from ecgmae_jax.rendering.sheet import Sheet
from ecgmae_jax.rendering.styles import INKS, STYLES, styled_paper

T = TypeVar("T")

# How often each is met, in parts of the whole: judged from catalogues of machines and from scans.
LAYOUT_WEIGHTS = {
    "3x4+1": 34,
    "3x4": 10,
    "3x4+3": 10,
    "3x4+2": 4,
    "6x2": 8,
    "12x1": 8,
    "6x2+1": 5,
    "3x4+1 V1": 4,
    "3x4+1 simultaneous": 4,
    "6x2 simultaneous": 4,
    "3x4 simultaneous": 2,
    "12x1 cabrera": 3,
    "6x2 cabrera": 2,
    "3x4+1 cabrera": 2,
    "4x3": 2,
    "2x6": 1,
    "6x1": 1,
    "6x1 cabrera": 1,
    "6x1 chest": 1,
    "3x2": 1,
    "3x2 chest": 1,
    "3x1": 1,
    "I in 3 rows": 1,
}
_LANDSCAPE = {"letter": 50, "a4": 28, "cut": 16, "letter portrait": 3, "a4 portrait": 3}
_PORTRAIT = {"letter portrait": 45, "a4 portrait": 45, "letter": 5, "a4": 5}
_STYLES = {name: 1 for name in STYLES} | {"red": 8, "pink": 4, "orange": 3, "grey": 2, "blank": 2}
_INKS = {"black": 70, "dark grey": 15, "blue": 10, "brown": 5}
_SPEEDS = {25.0: 90, 50.0: 10}
# mm/mV of the limb leads, and the gain of the chest leads as a share of it.
_GAINS = {(10.0, 1.0): 80, (10.0, 0.5): 5, (5.0, 1.0): 7, (20.0, 1.0): 8}
# Where rows are close, machines draw large waves small.
_GAINS_OF_MANY_ROWS = {(10.0, 1.0): 65, (10.0, 0.5): 10, (5.0, 1.0): 25}
_MANY_ROWS = 10
_PULSES = {"left": 70, "right": 12, "none": 18}
_SEPARATORS = {"none": 45, "tick": 15, "mark": 15, "pair": 10, "dashed": 15}
_NAMES = {"above": 50, "below": 35, "in line": 10, "none": 5}
_TYPEFACES = {"sans": 3, "sans plain": 1, "sans bold": 2, "serif": 2, "serif bold": 1, "mono": 1}

# Least room above and below the traces; a cut sheet has less.
_MARGIN_MM = {"cut": 4.0}
_USUAL_MARGIN_MM = 11.0
_ROW_MM = (15.0, 45.0)


@dataclasses.dataclass(frozen=True)
class LayoutSampler:
    """Sheets drawn at random, each from the seed and its own number alone.

    All have the same size in pixels, so that one compiled function draws them, and the whole
    paper is in the picture at one scale for x and y.

    Attributes:
        layouts: the layouts to draw from and how often, in any unit.
    """

    seed: int
    height: int = 384
    width: int = 512
    channels: int = 1
    layouts: Mapping[str, int | float] = dataclasses.field(default_factory=lambda: LAYOUT_WEIGHTS)

    def sheets(self, count: int) -> tuple[Sheet, ...]:
        """The first `count` sheets; more of them begin with the same ones."""
        return tuple(self.sheet(index) for index in range(count))

    def sheet(self, index: int) -> Sheet:
        """The sheet of that number."""
        rng = np.random.default_rng((self.seed, index))
        layout = layout_named(_one_of(rng, self.layouts))
        page = _one_of(rng, _LANDSCAPE if self.width >= self.height else _PORTRAIT)
        if page == "cut" and layout.num_rows > 6:
            page = "letter"
        paper = _random_paper(rng, layout, page)
        marks = _random_marks(rng)
        field = _random_field(rng, layout, paper, marks, _MARGIN_MM.get(page, _USUAL_MARGIN_MM))
        if rng.random() < 0.15:
            beside_mm = min(pulse_room_mm(paper.mm_per_s) + 0.5, field.left_mm)
            paper = dataclasses.replace(paper, grid_margin_mm=(beside_mm, 0.0))
        header = None if rng.random() < 0.1 else random_header(rng, paper=paper, field=field)
        size = {"height": self.height, "width": self.width, "channels": self.channels}
        return Sheet(layout, paper, **size, field=field, marks=marks, header=header)


def _random_paper(rng: np.random.Generator, layout: Layout, page: str) -> Paper:
    gains = _GAINS if layout.num_rows < _MANY_ROWS else _GAINS_OF_MANY_ROWS
    style, mm_per_s = _one_of(rng, _STYLES), _one_of(rng, _SPEEDS)
    mm_per_mv, chest_gain = _one_of(rng, gains)
    paper = styled_paper(
        style,
        page=page,
        mm_per_s=mm_per_s,
        mm_per_mv=mm_per_mv,
        chest_gain=chest_gain if _has_limb_and_chest_leads(layout) else 1.0,
        pen_mm=_between(rng, 0.25, 0.5),
    )
    ink = _one_of(rng, _INKS)
    strength = rng.uniform(0.5, 1.0)
    phase_mm = (_between(rng, -2.5, 2.5), _between(rng, -2.5, 2.5))
    changes: dict[str, Any] = {
        "ink_colour": INKS[ink],
        "minor_colour": _faded(paper.minor_colour, paper.paper_colour, strength),
        "major_colour": _faded(paper.major_colour, paper.paper_colour, strength),
        "grid_phase_mm": phase_mm if rng.random() < 0.5 else (0.0, 0.0),
    }
    if ink != "black" and rng.random() < 0.5:
        changes["print_colour"] = INKS["black"]
    return dataclasses.replace(paper, **changes)


def _has_limb_and_chest_leads(layout: Layout) -> bool:
    return len({lead in CHEST_LEADS for column in layout.columns for lead in column}) == 2


def _random_marks(rng: np.random.Generator) -> Marks:
    name_mm = _between(rng, 2.4, 3.8)
    place = _one_of(rng, _NAMES)
    above_mm = {"below": -_between(rng, 4.5, 7.5), "in line": -name_mm / 2}.get(place)
    return Marks(
        name_mm=0.0 if place == "none" else name_mm,
        name_right_mm=_between(rng, 0.5, 2.0),
        name_above_mm=above_mm,
        typeface=_one_of(rng, _TYPEFACES),
        separator=_one_of(rng, _SEPARATORS),
        separator_mm=_between(rng, 1.5, 4.0),
        pulse=_one_of(rng, _PULSES),
    )


def _random_field(
    rng: np.random.Generator, layout: Layout, paper: Paper, marks: Marks, margin_mm: float
) -> Field:
    """A field of whole large squares on the paper, with room for the pulse and for a header."""
    room_mm = {end: 0.0 for end in ("left", "right")}
    room_mm[marks.pulse] = pulse_room_mm(paper.mm_per_s)
    left_mm = room_mm["left"] + _between(rng, 1.0, 8.0)
    width_mm = whole_squares(paper.width_mm - left_mm - room_mm["right"] - 2.0)
    free_mm = paper.height_mm - 2 * margin_mm
    tallest_mm = min(whole_squares(free_mm / layout.num_rows), _ROW_MM[1])
    shortest_mm = max(whole_squares(0.65 * tallest_mm), min(tallest_mm, _ROW_MM[0]))
    row_mm = shortest_mm + 5.0 * int(rng.integers(int((tallest_mm - shortest_mm) / 5) + 1))
    height_mm = row_mm * layout.num_rows
    top_mm = margin_mm + (free_mm - height_mm) * rng.uniform(0.3, 1.0)
    return Field(
        left_mm=round(left_mm, 2),
        top_mm=round(float(top_mm), 2),
        width_mm=min(width_mm, Field().width_mm),
        height_mm=height_mm,
    )


def _one_of(rng: np.random.Generator, weights: Mapping[T, int | float]) -> T:
    shares = np.array(list(weights.values()), np.float64)
    return list(weights)[rng.choice(len(shares), p=shares / shares.sum())]


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    return round(float(rng.uniform(low, high)), 2)


def _faded(line: Colour, paper: Colour, strength: float) -> Colour:
    """A grid colour nearer to the paper's, as in a pale print."""
    red, green, blue = (
        round(float(strength * a + (1 - strength) * b)) for a, b in zip(line, paper, strict=True)
    )
    return red, green, blue
