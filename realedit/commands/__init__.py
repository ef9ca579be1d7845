"""The commands, a file for each kind. Heavy imports stay inside functions: help must be instant."""
