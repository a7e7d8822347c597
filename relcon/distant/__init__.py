"""Distantly supervised corpora, for `relcon build-distant`: text and a knowledge base -> documents whose pairs have its relations.

If two entities stand in a relation in a knowledge base, every text that mentions both is taken as a noisy example of it (Mintz et al.,
ACL 2009). Here a pair is labelled document by document and never merged over documents (Hogan, Li and Shang, EMNLP 2022).
"""
