"""Where results lie: a folder or any fsspec URL, every file with a checksum."""
