"""Builders: corpora and knowledge bases -> training pairs, for `relcon build-pairs`."""
