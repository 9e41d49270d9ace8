"""Monitoring: what is scored now against what the model was made from."""
