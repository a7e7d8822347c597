"""Augmenters: a document -> a changed document in which the given pairs still express what they did."""
