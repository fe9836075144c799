"""Functions in forked children: results, limits, users."""
