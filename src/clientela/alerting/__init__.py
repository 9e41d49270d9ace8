"""Sends alerts to people: over HTTP and Amazon SNS. It never stops a run."""
