"""A traceback becomes Frames: walked, folded, with its source and its values."""
