"""How well does the swapped face sit in the picture? Numbers for any clip, model and settings."""
