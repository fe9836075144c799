"""Context managers for the person who writes the test; each works without pytest."""
