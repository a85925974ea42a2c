"""Marks that tell everybody the output is synthetic: made here, and read again by `verify`."""
