"""The model card and its headline, generated from the run's own artefacts."""
