"""What a machine prints beside the traces in words: the header, and the line at the foot."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Text:
    """One line of print: its left end and its foot in mm from the paper's corner.

    `capital_mm` is the height of its capitals.
    """

    text: str
    x_mm: float
    foot_mm: float
    capital_mm: float = 2.2


@dataclasses.dataclass(frozen=True)
class Header:
    """All the words on a sheet but the names of the leads.

    Attributes:
        typeface: a name of `fonts.TYPEFACES`.
    """

    texts: tuple[Text, ...] = ()
    typeface: str = "sans"
