"""Simulated raw data in the schemas the project reads: a retailer, a mall's WiFi, a lender."""
