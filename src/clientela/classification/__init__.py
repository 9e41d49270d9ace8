"""What classifiers of two classes and of many ordered classes share."""
