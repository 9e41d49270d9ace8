"""From candidates to a champion: tuning, cross-validation, and one look at the test part."""
