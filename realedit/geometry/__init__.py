"""Where things are and how they are seen: points, boxes, crops, placements, the camera and what stands before it."""
