"""Weights that other frameworks trained, as parameters of the models here."""
