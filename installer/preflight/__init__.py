"""What is looked at before anything is changed on a server. Only looks; mends nothing."""
