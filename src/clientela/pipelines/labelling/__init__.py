"""The stage `labelling`: labels that nobody knows yet, and how far to trust them."""
