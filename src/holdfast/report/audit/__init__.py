"""What an audit leaves: one word, a record for machines, and a section for a model card."""
