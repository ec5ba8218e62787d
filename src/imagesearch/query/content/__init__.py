"""What photos show: the caption, what is joined, excluded or not understood."""
