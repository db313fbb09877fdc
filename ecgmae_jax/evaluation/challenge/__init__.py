"""Scores of the PhysioNet/CinC Challenges, and their files."""
