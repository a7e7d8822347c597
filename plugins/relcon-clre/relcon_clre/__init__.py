"""CLRE (Su, Peng and Vijay-Shanker, BioNLP 2021): contrast between two path-preserving variants of a sentence."""
