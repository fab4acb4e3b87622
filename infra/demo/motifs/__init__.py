"""Drawn motifs by kind of object; each takes a Canvas and answers an SVG fragment of 400 × 400."""
