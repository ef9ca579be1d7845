"""Edits of one photo from pixels to pixels: what is asked, decomposed, resampled and set into the photo again."""
