"""Masked autoencoders for pictures of electrocardiograms."""

__version__ = "0.1.0"
