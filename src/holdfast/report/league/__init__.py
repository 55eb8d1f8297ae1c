"""The league table: the defences of a study side by side, as Markdown for the docs of a repository."""
