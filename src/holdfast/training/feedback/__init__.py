"""Learning from feedback: preferences between answers, and rewards for them."""
