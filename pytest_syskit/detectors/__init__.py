"""One kind of resource per file: facts become resources.  No policy lives here."""
