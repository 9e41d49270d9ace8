"""Watches one use case: its rows against a frozen baseline, period by period."""
