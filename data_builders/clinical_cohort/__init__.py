"""A clinic's own scans with their outcomes: folders, lists or tables of pictures."""
