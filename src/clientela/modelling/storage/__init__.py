"""Models at rest: deterministic, checked, without pickle."""
