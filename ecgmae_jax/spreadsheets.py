"""Cells of tables that spreadsheet programs would run as formulas: written as text."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(text: str) -> str:
    """The text, after an apostrophe if a spreadsheet program would run it as a formula."""
    return f"'{text}" if text.lstrip(" \n").startswith(_FORMULA_STARTS) else text
