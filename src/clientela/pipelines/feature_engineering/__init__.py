"""Feature engineering: what was known of each customer before a cutoff."""
