"""Segmentation: customers to segments that keep their ids and names."""
