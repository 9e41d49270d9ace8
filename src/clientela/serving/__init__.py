"""Serving: approved models behind HTTP, for people, applications and SageMaker."""
