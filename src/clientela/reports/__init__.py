"""Aggregates of tables of any size, and the figures, findings and pages made from them."""
