"""Table contracts and typed configuration: what may cross a border of the project."""
