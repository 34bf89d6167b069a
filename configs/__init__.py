"""One file an experiment: the base and what differs from it."""
