"""A photo taken apart into layers, and layers put together: mattes, shadows, reflections, the clean plate."""
