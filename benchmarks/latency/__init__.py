"""Glass to glass over real servers: what passing through facestream adds."""
