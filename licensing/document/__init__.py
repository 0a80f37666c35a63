"""The signed document that vendor and customer share: format, keys, trust. It knows no clock and no network."""
