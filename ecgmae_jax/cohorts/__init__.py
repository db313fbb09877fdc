"""Cohorts of scans: read, checked, pseudonymised; shared by the builder and the programs."""
