"""The frames behind views and charts: pure functions of what monitoring wrote."""
