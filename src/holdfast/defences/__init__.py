"""Defences: one file a method. A file's name is the defence's name; its one public class is the defence."""
