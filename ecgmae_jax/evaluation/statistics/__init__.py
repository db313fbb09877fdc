"""Figures with intervals: discrimination, calibration, decisions, subgroups, comparisons."""
