"""The same work done as others do it, against ours, side by side in one run.

Everything here is a re-creation from documented behavior, written for this benchmark: none of it
is another project's code, and none of its figures is another project's figure.
"""
