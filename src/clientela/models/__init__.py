"""Estimators and what belongs to them: decisions, metrics, explanations, task types."""
