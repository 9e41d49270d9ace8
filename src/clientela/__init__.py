"""Graded models, lasting segments and watched drift from raw retail and lending data."""

__version__ = "0.1.0"
