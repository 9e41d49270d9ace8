"""Ordinal targets: metrics, decision rules, estimators and their explanations."""
