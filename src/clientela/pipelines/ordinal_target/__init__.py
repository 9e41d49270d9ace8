"""Ordinal target: classes of purchases once the target window has begun, and the model input."""
