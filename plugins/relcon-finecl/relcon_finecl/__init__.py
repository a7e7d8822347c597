"""FineCL and ERICA: contrast on distantly supervised documents, weighted by the order in which their labels were learned."""
