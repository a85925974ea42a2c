"""Says whether this machine can run facestream, and how to mend what cannot.

Each module looks at one part: a function gathers facts, another one, pure, turns facts into lines.
"""
