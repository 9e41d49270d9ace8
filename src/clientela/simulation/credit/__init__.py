"""Simulated consumer loans with a bureau's view of the borrower, some of which are not repaid."""
