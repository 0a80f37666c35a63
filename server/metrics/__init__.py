"""What a monitoring system asks every few seconds: how this installation is, in Prometheus' text format."""
