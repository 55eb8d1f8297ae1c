"""Models: loading, saving, chat, generation, and the parts of a decoder. They never see a domain."""
