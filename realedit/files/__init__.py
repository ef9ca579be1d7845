"""Photos as files: read as they come, written as they came, and marked as edited."""
