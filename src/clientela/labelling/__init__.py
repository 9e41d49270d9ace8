"""Labels that nobody knows yet, made by a language model or by rules, and how far to trust them."""
