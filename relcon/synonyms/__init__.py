"""Synonym sources: a word -> words that may stand in for it. None is ever replaced by another silently."""
