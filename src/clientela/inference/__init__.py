"""Inference: what a served model is made of, and from one request to its answer."""
