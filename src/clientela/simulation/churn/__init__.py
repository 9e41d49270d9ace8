"""Simulated users of a shopping centre's WiFi, some of whom stop coming."""
