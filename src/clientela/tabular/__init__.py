"""Features of tables with one row per case, by configuration alone."""
