"""CLoCE: relation classification with a prompt, and contrast on the instances that it still gets wrong."""
