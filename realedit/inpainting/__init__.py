"""What lies behind an object: a hole filled by waves, by shifted copies of what repeats around it, and by the model."""
