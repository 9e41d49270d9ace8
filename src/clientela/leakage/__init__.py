"""Proof that no feature knows what can't be known at decision time."""
