"""Predictions in plain files, or in a run's folder, under metric profiles: one, or all that apply side by side."""

from relcon.score.comparing import Line, Predictions
from relcon.score.files import Scoring, Sources, score_files, write_scoring
from relcon.score.runs import of_run

__all__ = ["Line", "Predictions", "Scoring", "Sources", "of_run", "score_files", "write_scoring"]
