"""Training: candidates compared on the same folds, a champion, one test, a card."""
