"""How faithful a result is, and the report of an edit. Knows pictures and numbers, neither sampler nor guidance."""
