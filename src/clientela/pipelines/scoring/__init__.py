"""Scoring: every customer, with the stored champion."""
