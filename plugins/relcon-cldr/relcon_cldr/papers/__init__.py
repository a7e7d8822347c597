"""The config that `relcon init config --paper` begins with."""
