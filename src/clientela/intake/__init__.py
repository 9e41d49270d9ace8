"""Raw text to typed rows: every row is accepted or quarantined with its reason."""
