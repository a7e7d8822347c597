"""An augmenter and an objective for relcon: the example of its page on plugins."""
