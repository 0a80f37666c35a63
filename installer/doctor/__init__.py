"""What is looked at in a running installation. Only reads; mends nothing."""
