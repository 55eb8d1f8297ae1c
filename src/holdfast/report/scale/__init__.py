"""One scale for defences and attacks: how much each defence withstands, and how strong each attack is."""
