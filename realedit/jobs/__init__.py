"""A recipe for one photo, made with a chosen model: what commands and the page do alike, whoever is told of it."""
