"""Writers, one file per format: documents -> a file or folder for `relcon convert` and `relcon predict`; `keeping` says what formats
cannot hold. The formats: docs/formats/; how to convert: docs/converting.md."""
