"""Pages, figures and words that several stages and the dashboard share."""
