"""Looks into a model file: what it is, how it answers, how long it takes, what is wrong."""
