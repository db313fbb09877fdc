"""Scans: decoded strictly, cropped to the page, put straight, brought to a known scale, framed."""
