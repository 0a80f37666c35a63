"""The commands of `daftar`, one file a group. What they do lives in the rooms they call."""
