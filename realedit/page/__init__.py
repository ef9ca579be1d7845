"""A page to edit one photo on, and the server on this machine that shows it (`realedit ui`)."""
