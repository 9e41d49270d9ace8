"""Deployment: packages champion and required model, and registers them for approval."""
