"""Fictional people: a rig, a headless renderer, and the pictures made with them."""
