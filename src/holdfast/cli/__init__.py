"""The command line: one file a command, each thin over the Python function of the same name."""
