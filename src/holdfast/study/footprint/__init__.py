"""What a run will hold in memory and how long it will take, measured on a smaller model of the same shape."""
