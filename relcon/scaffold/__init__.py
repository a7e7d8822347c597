"""What `relcon init` writes: packages for plugins, and configs.

Templates are files of this folder, filled in by `string.Template`.
"""
