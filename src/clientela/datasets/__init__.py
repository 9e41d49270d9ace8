"""The few Kedro datasets that no library has; everything specific to an engine lives here."""
