"""The demo: a vendor and a customer on one machine, both real, set up by their own commands."""
