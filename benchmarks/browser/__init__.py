"""From a browser's camera through a pipeline and back into the browser."""
