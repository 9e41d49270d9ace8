"""Simulated retail customers and transactions, in the schema that the project reads."""
