"""Domains: where questions, harmful answers, refusals and harmless tasks come from. They yield text, never tokens."""
