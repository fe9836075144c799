"""Private directories: filled, compared, entered, removed for certain."""
