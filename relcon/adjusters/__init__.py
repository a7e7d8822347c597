"""Adjusters of the core: steps between vectors and objective. A queue adds candidates, a miner takes negatives away."""
