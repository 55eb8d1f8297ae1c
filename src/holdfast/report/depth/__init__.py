"""A model's depth, shown: layer by layer, beside the model that it was made from."""
