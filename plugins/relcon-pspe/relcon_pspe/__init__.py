"""PSPE: span and span-pair encoders that are pre-trained on plain text, and a joint extractor of entities and relations."""
