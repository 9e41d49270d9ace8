"""Ingestion: raw files to typed tables, with every refused row in a quarantine table."""
