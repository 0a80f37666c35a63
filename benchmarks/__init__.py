"""Measurements of the product on its standard size, each beside a ceiling or a peer of the same run."""
