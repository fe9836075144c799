"""Recording deliveries, and putting signal state back."""
