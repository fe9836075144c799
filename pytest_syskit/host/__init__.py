"""Facts about this machine and acts on it: the only room that asks which system this is."""
