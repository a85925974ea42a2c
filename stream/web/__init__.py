"""The browser panel: its server, the pictures it shows and the camera it can be."""
