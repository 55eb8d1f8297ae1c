"""lm-evaluation-harness (EleutherAI): Biderman et al. 2024, arXiv 2405.14782. Read against version 0.4.13."""
