"""What this machine tells about descriptors."""
