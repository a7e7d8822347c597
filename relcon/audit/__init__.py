"""The data audit of `relcon check --data`: what is in the data of a config, what is wrong with them, and which line would change it."""

from relcon.audit.auditing import audit
from relcon.audit.finding import Audit, CorpusAudit, Example, Finding, SplitCounts, TypePair
from relcon.audit.lines import inputs_of
from relcon.audit.page import write_page

__all__ = ["Audit", "CorpusAudit", "Example", "Finding", "SplitCounts", "TypePair", "audit", "inputs_of", "write_page"]
