"""relcon: contrastive learning for relation extraction. Start reading at `relcon.interfaces`; importing this loads no torch."""

__version__ = "0.1.0"
