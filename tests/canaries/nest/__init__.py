"""A package, so that there is a package scope."""
