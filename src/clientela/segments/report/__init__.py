"""The profile report of segments, for marketers: figures, sections and sentences in Spanish."""
