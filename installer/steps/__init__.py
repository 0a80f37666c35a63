"""The steps of an installation. Each may be repeated at any time and does only what is still missing."""
