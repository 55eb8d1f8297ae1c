"""Drawings, each made once and given as SVG for the page and as PNG."""
