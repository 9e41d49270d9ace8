"""The stages: one package each, written once, instantiated for every use case."""
