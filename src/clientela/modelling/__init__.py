"""Fitted models: stored, loaded, compared."""
