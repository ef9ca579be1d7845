"""The systems of the field, each a value of the one sampler."""
