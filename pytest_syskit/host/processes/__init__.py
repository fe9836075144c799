"""What this machine tells about processes, and acts on them."""
