"""Asking: a file of applicants, put to the API or to an endpoint, and what comes of it."""
