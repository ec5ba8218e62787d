"""What is known of photos besides people, place and time: rating, camera, shape, file name, order."""
