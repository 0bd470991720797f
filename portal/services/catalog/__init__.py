"""The catalog as a file: reading it, what applying it would change, applying, exporting, lint."""
