"""Which pixels an object is: told by its words, a point, a mask of the user's own, or another photo."""
