"""Twelve-lead ECGs of simulated patients: a data set that needs no download."""
