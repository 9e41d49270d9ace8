"""Simulated applications for a credit, some of which a person has judged."""
