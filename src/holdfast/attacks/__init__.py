"""Attacks: one file a family. A file's name is the attack's name; its one public class is the attack."""
