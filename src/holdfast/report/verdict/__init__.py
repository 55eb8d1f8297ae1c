"""What records mean: evidence, controls, the four conditions, the multiplier, and the sentence that sums it up."""
