"""Exploration: what the tables hold, and what that asks of features and models."""
