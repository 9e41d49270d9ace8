"""Registering models, approving them, and publishing what is approved for servers to find."""
