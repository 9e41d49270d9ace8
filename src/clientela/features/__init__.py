"""Customer features and targets as Ibis expressions that never see past a cutoff."""
