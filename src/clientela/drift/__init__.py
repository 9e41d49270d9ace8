"""Drift of data against a frozen baseline: profiles, exact counts, and what differs."""
