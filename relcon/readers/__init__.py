"""Dataset readers, one file per format; `records` holds what they share. The formats: docs/formats/."""
