"""The page on which people watch their models: reads what monitoring wrote, computes nothing."""
