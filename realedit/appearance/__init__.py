"""New looks: the colours of an object, its highlights and its pattern, and how its pixels take on others."""
