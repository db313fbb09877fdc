"""Predictions, tables, figures and pages for readers."""
